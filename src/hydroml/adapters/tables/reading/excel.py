"""Workbooks: one sheet as a table, by way of a text table, so that types are found by the same rules."""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from hydroml.adapters.tables import sql
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ImportOptions, UnreadableFileError

MAX_CELLS = 20_000_000
_MAX_MEMBER = 1 << 30
_MAX_UNPACKED = 2 << 30
_MAX_RATIO = 200
_MAX_MEMBERS = 10_000
_SMALL = 20 << 20


def sheets(file: Path) -> tuple[str, ...]:
    """The names of the sheets. Raises UnreadableFileError for a workbook that is damaged, locked or a bomb."""
    return tuple(_workbook(file).sheet_names)


def sheet_as_text(file: Path, options: ImportOptions, out: Path, monitor: Monitor | None = None) -> str:
    """Writes the sheet as CSV, cells exactly as they are stored, and gives the sheet's name."""
    workbook = _workbook(file)
    names = workbook.sheet_names
    name = _chosen(workbook, names, options)
    try:
        sheet = workbook.get_sheet_by_name(name)
        height, width = sheet.total_height, sheet.total_width
        if height * max(width, 1) > MAX_CELLS:
            raise UnreadableFileError(f"the sheet has {height * width:,} cells; at most {MAX_CELLS:,} can be read")
        rows = sheet.iter_rows()
        if _written(rows, out, height, monitor) == 0:
            raise UnreadableFileError(f"the sheet “{name}” is empty")
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFileError(f"the sheet “{name}” cannot be read: {str(error)[:200]}") from None
    return name


def _workbook(file: Path) -> CalamineWorkbook:
    _refuse_bomb(file)
    try:
        workbook = CalamineWorkbook.from_path(str(file))
    except (CalamineError, OSError, ValueError) as error:
        reason = "it is locked with a password" if "assword" in str(error) else "it is damaged or no workbook at all"
        raise UnreadableFileError(f"the workbook cannot be read: {reason}") from None
    if not workbook.sheet_names:
        raise UnreadableFileError("the workbook has no sheets")
    return workbook


def _refuse_bomb(file: Path) -> None:
    """A small archive that unpacks to far more than a workbook would is not opened at all."""
    if not zipfile.is_zipfile(file):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        raise UnreadableFileError("the workbook is damaged") from None
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    suspicious = unpacked > _SMALL and unpacked / packed > _MAX_RATIO
    if (
        len(members) > _MAX_MEMBERS
        or suspicious
        or unpacked > _MAX_UNPACKED
        or any(member.file_size > _MAX_MEMBER for member in members)
    ):
        raise UnreadableFileError("the workbook unpacks to far more than a table would; it is not opened")


def _chosen(workbook: CalamineWorkbook, names: Sequence[str], options: ImportOptions) -> str:
    if options.sheet is None:
        for name in names:
            try:
                if workbook.get_sheet_by_name(name).total_height:
                    return name
            except (CalamineError, OSError, ValueError):
                continue
        return names[0]
    if options.sheet not in names:
        raise InvalidInputError.at(
            "options", "sheet", msg=f"there is no sheet “{options.sheet[:100]}”; there are {', '.join(names)[:300]}",
            code="unknown_sheet",
        )  # fmt: skip
    return options.sheet


def _written(rows: Iterator[list[Any]], out: Path, height: int, monitor: Monitor | None) -> int:
    """Rows that are empty from end to end before the table are left out; within it they stay."""
    count = waiting = 0
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for at, cells in enumerate(rows):
            if monitor is not None and at % 5_000 == 0:
                monitor.report(at / max(height, 1))
            texts = [_text(cell) for cell in cells]
            if not any(texts):
                waiting += count > 0
                continue
            for _ in range(waiting):
                writer.writerow([""] * len(texts))
            waiting = 0
            writer.writerow(texts)
            count += 1
    return count


def _text(cell: Any) -> str:  # noqa: PLR0911 - one line for each type
    """A cell as the text that reads back as the same value."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # A workbook has no integers of its own: 3 is stored as 3.0.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return sql.duration(cell)
    return str(cell)
