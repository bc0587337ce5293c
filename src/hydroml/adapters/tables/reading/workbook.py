"""Writes one sheet of a workbook as CSV: a script of its own, run in a process of its own.

A cell at the far corner of an empty sheet makes the reader ask for hundreds of GB, and the process ends there and then.
So it is not ours, it may have so much memory and time and no more, and it starts fast, since it needs nothing of ours.

Reads a question as JSON from its standard input, and answers with lines of JSON: `{"done": 0.5}` any number of times,
then `{"sheets": […], "sheet": "…", "skip": 0, "header_rows": null, "below": [[line, text], …]}`, or `{"refused": "…"}`,
or `{"unknown": "…", "sheets": […]}`.
"""

import contextlib
import csv
import json
import re
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

SAMPLED = 200
MAX_HEADER_ROWS = 10
MAX_BELOW = 100
"""Rows below a table that may be notes."""


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:  # noqa: PLR0911 - one line for each answer
    question = json.load(sys.stdin)
    for what, most in ((resource.RLIMIT_AS, question["memory"]), (resource.RLIMIT_CPU, question["seconds"])):
        with contextlib.suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineError, CalamineWorkbook  # within the limits

    try:
        workbook = CalamineWorkbook.from_path(question["file"])
    except (CalamineError, OSError, ValueError) as error:
        reason = "it is locked with a password" if "assword" in str(error) else "it is damaged or no workbook at all"
        return say(refused=f"the workbook cannot be read: {reason}")
    names = workbook.sheet_names
    if not names:
        return say(refused="the workbook has no sheets")
    wanted = question["sheet"]
    if wanted is not None and wanted not in names:
        return say(unknown=wanted, sheets=names)
    name, sheet, failure = first_sheet(workbook, names if wanted is None else [wanted])
    if sheet is None:
        return say(refused=f"the workbook is damaged: its sheet “{name}” cannot be read ({failure})")
    if sheet.start is None:
        return say(refused=f"the sheet “{name}” is empty")
    area = Area.of(sheet, question["range"])
    if area.cells > question["cells"]:
        return say(refused=f"the sheet has {area.cells:,} cells; at most {question['cells']:,} can be read")
    skip = question["skip"]
    below: list[tuple[int, str]] = []
    if skip is None:
        beginning = list(islice(area.rows(sheet), SAMPLED))
        skip = 0 if question["range"] else title_rows(beginning)
        titles = [len(filled(row)) for row in beginning[: skip - 1]]
        if skip and max(titles, default=0) < 2 and is_of_groups(sheet, area, skip - 1, beginning[skip - 1]):
            skip -= 1
    count = written(islice(area.rows(sheet), skip, None), skip, area, Path(question["out"]), below)
    if count == 0:
        return say(refused=f"the sheet “{name}” holds no values")
    return say(sheets=names, sheet=name, skip=skip, header_rows=header_rows(sheet, area, skip), below=below)


def first_sheet(workbook: Any, names: list[str]) -> tuple[str, Any, str]:
    """The first sheet that holds something, or else the last one that can be read; or why none can."""
    name, sheet, failure = names[0], None, ""
    for name in names:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except (OSError, ValueError, RuntimeError) as error:
            failure = str(error)[:200]
            continue
        if sheet.start is not None:
            break
    return name, sheet, failure


@dataclass(frozen=True)
class Area:
    """The part of a sheet that is read, counted from 0: the used part of it, or what a range names."""

    top: int
    left: int
    bottom: int
    right: int
    first_column: int
    """Where the sheet's rows begin."""
    is_chosen: bool

    @classmethod
    def of(cls, sheet: Any, wanted: str | None) -> "Area":
        (top, left), (bottom, right) = sheet.start, sheet.end
        if wanted is None:
            return cls(top, left, bottom, right, left, is_chosen=False)
        corners = re.fullmatch(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]*)", wanted.upper())
        if corners is None:
            raise ValueError(wanted)
        columns = sorted((number(corners[1]), number(corners[3])))
        rows = sorted((int(corners[2]) - 1, int(corners[4]) - 1 if corners[4] else max(bottom, int(corners[2]) - 1)))
        return cls(rows[0], columns[0], min(rows[1], bottom), columns[1], left, is_chosen=True)

    @property
    def cells(self) -> int:
        return max(self.bottom - self.top + 1, 0) * (self.right - self.left + 1)

    def rows(self, sheet: Any) -> Iterator[list[Any]]:
        width = self.right - self.left + 1
        for cells in islice(sheet.iter_rows(), self.top, self.bottom + 1):
            at = self.left - self.first_column
            row = [""] * -at + cells[: max(at + width, 0)] if at < 0 else cells[at : at + width]
            yield row + [""] * (width - len(row))


def number(letters: str) -> int:
    """The place of a column, from 0."""
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1


def is_text(cell: Any) -> bool:
    return isinstance(cell, str) and cell != ""


def filled(row: list[Any]) -> list[Any]:
    return [cell for cell in row if cell is not None and cell != ""]


def title_rows(rows: list[list[Any]]) -> int:
    """How many rows stand above the table: texts in fewer cells than its names, which have values below them."""
    widths = Counter(count for row in rows if (count := len(filled(row))))
    if not widths:
        return 0
    usual = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))[0]
    for at, row in enumerate(rows):
        cells = filled(row)
        if not all(map(is_text, cells)):
            return 0
        if len(cells) >= usual:
            has_values = any(not is_text(cell) for below in rows[at + 1 :] for cell in filled(below))
            return at if has_values else 0
    return 0


def is_of_groups(sheet: Any, area: Area, at: int, row: list[Any]) -> bool:
    """Whether a row holds names of groups of columns: merged cells and others that leave no column out."""
    covered = {area.left + column for column, cell in enumerate(row) if filled([cell])}
    for start, end in sheet.merged_cell_ranges or []:
        if start[0] == area.top + at and end[1] - start[1] < area.right - area.left:
            covered.update(range(start[1], end[1] + 1))
    return covered >= set(range(area.left, area.right + 1))


def header_rows(sheet: Any, area: Area, skip: int) -> int | None:
    """How many rows of names there are, where merged cells tell: a name over several rows, or over several columns."""
    merged = sheet.merged_cell_ranges or []
    first = area.top + skip
    spans = [
        (end[0] - start[0] + 1, end[1] - start[1] + 1)
        for start, end in merged
        if start[0] == first and area.left <= start[1] <= area.right
    ]
    if not spans or area.bottom - first < 2:
        return None
    tall = [rows for rows, _ in spans if rows > 1]
    if tall:
        return min(tall) if min(tall) <= min(MAX_HEADER_ROWS, area.bottom - first) else None
    second = next(islice(area.rows(sheet), skip + 1, None))
    grouped = any(columns < area.right - area.left + 1 for _, columns in spans)
    return 2 if grouped and all(map(is_text, second)) else None


def written(rows: Iterator[list[Any]], skip: int, area: Area, out: Path, below: list[tuple[int, str]]) -> int:
    """Rows that are empty from end to end before the table are left out; within it they stay. Sparse texts at the end
    go to `below` when they stand in columns that hold no text otherwise."""
    count = 0
    has_text = [False] * (area.right - area.left + 1)
    waiting: list[tuple[int, list[Any]]] = []
    with out.open("w", encoding="utf-8", newline="", errors="replace") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)

        def write(kept: list[tuple[int, list[Any]]]) -> None:
            for _, cells in kept:
                writer.writerow([text(cell) for cell in cells])
                for at, cell in enumerate(cells):
                    has_text[at] = has_text[at] or (is_text(cell) and count > 0)

        for at, cells in enumerate(rows):
            if at % 5_000 == 0:
                say(done=at / max(area.bottom - area.top, 1))
            values = filled(cells)
            if not values and count == 0:
                continue
            line = area.top + skip + at + 1
            if len(values) * 2 <= len(cells) and all(map(is_text, values)) and count and len(waiting) < MAX_BELOW:
                waiting.append((line, cells))
                continue
            write([*waiting, (line, cells)])
            waiting = []
            count += 1
        while waiting and not filled(waiting[-1][1]):
            waiting.pop()
        strange = any(is_text(cell) and not has_text[at] for _, cells in waiting for at, cell in enumerate(cells))
        if strange and not area.is_chosen and count > 2:
            below += [(line, " ".join(filled(cells))) for line, cells in waiting if filled(cells)]
        else:
            write(waiting)
            count += len(waiting)
    return count


def text(cell: Any) -> str:  # noqa: PLR0911 - one line for each type
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
        return duration(cell)
    return str(cell)


def duration(value: timedelta) -> str:
    """ISO 8601, in days and seconds: P1DT3600S."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    seconds = f"{value.seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"


if __name__ == "__main__":
    main()
