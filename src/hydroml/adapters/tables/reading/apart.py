"""Work in a process of its own: what damaged or hostile files can bring down there is not ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Monitor


def answer(script: Path, question: dict[str, Any], monitor: Monitor | None) -> dict[str, Any]:
    """What the script says last; nothing when it has ended in the middle of its work."""
    said: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-I", str(script)],
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
                said = json.loads(answers[-1])
        finally:
            process.kill()
    return said
