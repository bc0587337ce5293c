"""`hydroml worker` and `hydroml scheduler` as they are, but with a handler that tells what it does.

Run as `python -m tests.integration.worker_process worker|scheduler [arguments]`.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from dependency_injector import providers

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.repositories import UnitOfWork
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.jobs import Job, JobKind
from hydroml.entrypoints.container import Container
from hydroml.entrypoints.worker import main

NOTES = "notes"


class NotingHandler:
    """Works for `seconds`, deaf to its monitor if `deaf`; writes down when and in which process it begins and ends."""

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        _note("begin", job)
        ends = time.monotonic() + float(job.payload.get("seconds_of_work", 0))
        while time.monotonic() < ends:
            if not job.payload.get("deaf"):
                monitor.report(0.5, "working")
            time.sleep(0.02)
        if "refusal" in job.payload:
            raise InvalidInputError(job.payload["refusal"])
        _note("end", job)
        return {"pid": os.getpid()}

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        _note("give up", job)

    def clean(self, job: Job) -> None:
        _note("clean", job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        _note("queue again", job)


def _note(what: str, job: Job) -> None:
    with (Path(os.environ["HYDROML_DATA_DIR"]) / NOTES).open("a") as notes:
        notes.write(f"{what}\t{job.id}\t{os.getpid()}\n")


if __name__ == "__main__":
    Container.handlers.override(providers.Object(dict.fromkeys(JobKind, NotingHandler())))
    sys.exit(getattr(main, sys.argv[1])(sys.argv[2:]))
