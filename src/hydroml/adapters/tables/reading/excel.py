"""Workbooks: one sheet as a table, by way of a text table, so that types are found by the same rules."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from hydroml.adapters.tables.reading import apart
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ImportOptions, UnreadableFileError

MAX_CELLS = 20_000_000
_MAX_MEMBER = 1 << 30
_MAX_UNPACKED = 2 << 30
_MAX_RATIO = 200
_MAX_MEMBERS = 10_000
_SMALL = 20 << 20
_MEMORY = 3 << 30
SECONDS = 900
_SCRIPT = Path(__file__).with_name("workbook.py")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as it was written as text."""

    name: str
    names: tuple[str, ...]
    """Of all sheets."""
    skip: int
    """Rows above the table that were left out."""
    header_rows: int | None
    """Rows of names, where merged cells tell."""
    below: tuple[tuple[int, str], ...]
    """Notes below the table: row numbers and texts."""


def sheet_as_text(
    file: Path, options: ImportOptions, out: Path, monitor: Monitor | None = None, seconds: int = SECONDS
) -> Sheet:
    """Writes the sheet as CSV, cells exactly as they are stored, and errors as missing ones.

    Raises UnreadableFileError for a workbook that is damaged, locked, a bomb, or takes more than so many seconds.
    """
    _refuse_bomb(file)
    question = {
        "file": str(file), "out": str(out), "sheet": options.sheet, "range": options.range, "skip": options.skip,
        "cells": MAX_CELLS, "memory": _MEMORY, "seconds": seconds,
    }  # fmt: skip
    answer = apart.answer(_SCRIPT, question, monitor)
    if "unknown" in answer:
        raise InvalidInputError.at(
            "options", "sheet", code="unknown_sheet",
            msg=f"there is no sheet “{answer['unknown'][:100]}”; there are {', '.join(answer['sheets'])[:300]}",
        )  # fmt: skip
    if "sheet" not in answer:
        reason = "the workbook is damaged, or its sheet spans far more cells than a table would"
        raise UnreadableFileError(answer.get("refused", reason))
    below = tuple((int(line), str(text)) for line, text in answer["below"])
    return Sheet(answer["sheet"], tuple(answer["sheets"]), answer["skip"], answer["header_rows"], below)


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
