"""Writes one sheet of a workbook as CSV: a script of its own, run in a process of its own.

A cell at the far corner of an empty sheet makes the reader ask for hundreds of GB, and the process ends there and then.
So it is not ours, it may have so much memory and time and no more, and it starts fast, since it needs nothing of ours.

Reads a question as JSON from its standard input, and answers with lines of JSON: `{"done": 0.5}` any number of times,
then `{"sheets": […], "sheet": "…"}`, or `{"refused": "…"}`, or `{"unknown": "…", "sheets": […]}`.
"""

import contextlib
import csv
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any


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
    name, failure = names[0], ""
    sheet: Any = None
    for name in names if wanted is None else [wanted]:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except (CalamineError, OSError, ValueError) as error:
            failure = str(error)[:200]
            continue
        if sheet.total_height:
            break
    if sheet is None:
        return say(refused=f"the workbook is damaged: its sheet “{name}” cannot be read ({failure})")
    height, width = sheet.total_height, sheet.total_width
    if height * max(width, 1) > question["cells"]:
        return say(refused=f"the sheet has {height * width:,} cells; at most {question['cells']:,} can be read")
    if written(sheet.iter_rows(), Path(question["out"]), height) == 0:
        return say(refused=f"the sheet “{name}” is empty")
    return say(sheets=names, sheet=name)


def written(rows: Iterator[list[Any]], out: Path, height: int) -> int:
    """Rows that are empty from end to end before the table are left out; within it they stay."""
    count = waiting = 0
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for at, cells in enumerate(rows):
            if at % 5_000 == 0:
                say(done=at / max(height, 1))
            texts = [text(cell) for cell in cells]
            if not any(texts):
                waiting += count > 0
                continue
            for _ in range(waiting):
                writer.writerow([""] * len(texts))
            waiting = 0
            writer.writerow(texts)
            count += 1
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
