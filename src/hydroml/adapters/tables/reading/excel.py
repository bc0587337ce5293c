"""Workbooks: one sheet as a table, by way of a text table, so that types are found by the same rules."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

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
_SECONDS = 900
_SCRIPT = Path(__file__).with_name("workbook.py")


def sheet_as_text(
    file: Path, options: ImportOptions, out: Path, monitor: Monitor | None = None, seconds: int = _SECONDS
) -> tuple[str, tuple[str, ...]]:
    """Writes the sheet as CSV, cells exactly as they are stored; gives its name, and those of all sheets.

    Raises UnreadableFileError for a workbook that is damaged, locked, a bomb, or takes more than so many seconds.
    """
    _refuse_bomb(file)
    answer = _asked(
        {
            "file": str(file), "out": str(out), "sheet": options.sheet, "cells": MAX_CELLS, "memory": _MEMORY,
            "seconds": seconds,
        },
        monitor,
    )  # fmt: skip
    if "unknown" in answer:
        raise InvalidInputError.at(
            "options", "sheet", code="unknown_sheet",
            msg=f"there is no sheet “{answer['unknown'][:100]}”; there are {', '.join(answer['sheets'])[:300]}",
        )  # fmt: skip
    if "sheet" not in answer:
        reason = "the workbook is damaged, or its sheet spans far more cells than a table would"
        raise UnreadableFileError(answer.get("refused", reason))
    return answer["sheet"], tuple(answer["sheets"])


def _asked(question: dict[str, Any], monitor: Monitor | None) -> dict[str, Any]:
    """What the script says last; nothing when it has ended in the middle of its work."""
    answer: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-I", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        try:
            json.dump(question, process.stdin)
            process.stdin.close()
            if monitor is None:
                answers = list(process.stdout)
            else:
                with monitor.interrupting(process.kill):
                    answers = []
                    for line in process.stdout:
                        answers.append(line)
                        monitor.report(json.loads(line).get("done"))
                    process.wait()
                monitor.report()  # raises when the process was ended by a request to cancel
            if answers and process.wait() == 0:
                answer = json.loads(answers[-1])
        finally:
            process.kill()
    return answer


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
