"""What commands that call services share: who acts, in which project, and waiting for jobs."""

import json
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import CommandError

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.application.reporting import Format
from hydroml.domain.jobs import Job, JobId, JobState
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import Project, UserId
from hydroml.domain.reporting.document import Document
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._base import FAILED, WRONG_USE, HydromlCommand
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.accounts.models import User

UNTAKEN_SECONDS = 2.0
"""A job that nobody has taken for so long is done here, where there is no worker."""


class JobCommand(HydromlCommand):
    """A command that starts jobs."""

    def finish(self, job: Job) -> Job:
        """Waits until the job has ended; without a worker, it is done in this process."""
        done = wait_for(UserId(job.requested_by), job.id, self.note)
        if done.state is not JobState.SUCCEEDED:
            raise CommandError(f"{done.kind} {done.state}: {done.error or done.message or 'no reason given'}")
        return done


def add_user_option(parser: ArgumentParser) -> None:
    """`--user`, for commands that act for somebody."""
    parser.add_argument("--user", metavar="NAME", help="who acts (default: the first administrator)")


def acting_user(name: str | None) -> UserId:
    """Who acts. Raises CommandError when there is nobody."""
    if name is not None:
        return UserId(users.named(name).pk)
    first = User.objects.filter(is_active=True).order_by("-is_superuser", "date_joined").first()
    if first is None:
        raise CommandError("there are no users yet: hydroml create_user NAME --admin", returncode=WRONG_USE)
    return UserId(first.pk)


def project_named(user: UserId, name: str, *, create: bool = False) -> Project:
    """The user's project of that name or id. Raises CommandError when there is none, unless it is to be made."""
    found = [
        s.project for s in container().projects().list(user, Listing(limit=MAX_LIMIT, search=_unless_id(name))).items
    ]
    matching = [p for p in found if name in (p.name, str(p.id))]
    if len(matching) > 1:
        raise CommandError(f"{len(matching)} projects are called “{name}”; give the id", returncode=WRONG_USE)
    if matching:
        return matching[0]
    if create:
        return container().projects().create(user, name).project
    raise CommandError(f"there is no project “{name}”", returncode=FAILED)


def model_named(user: UserId, name: str, project: str | None) -> Model:
    """The user's model of that name or id, in a project or anywhere. Raises CommandError."""
    models = container().models()
    try:
        return models.get(user, ModelId(UUID(name))).model
    except ValueError:
        pass
    listing = Listing(limit=MAX_LIMIT, search=name)
    if project is None:
        found = models.mine(user, listing).items
    else:
        found = models.of_project(user, project_named(user, project).id, listing).items
    matching = [model for model in found if model.name == name]
    if len(matching) != 1:
        reason = f"{len(matching)} models are called “{name}”; give --project or the id" if matching else ""
        raise CommandError(reason or f"there is no model “{name}”")
    return matching[0]


def wait_for(
    user: UserId,
    job_id: JobId,
    say: Callable[[str], None],
    until: Callable[[Job], bool] = lambda job: job.state.is_final,
) -> Job:
    """The job once it has ended, or whatever else is waited for."""
    started = time.monotonic()
    said = ""
    while True:
        job = container().jobs().get(user, job_id)
        if until(job):
            return job
        line = f"{job.kind} {job.progress:4.0%} {job.phase} {job.message}".rstrip()
        if job.state is JobState.RUNNING and line != said:
            say(line)
            said = line
        untaken = job.state is JobState.QUEUED and time.monotonic() - started > UNTAKEN_SECONDS
        if untaken and container().settings().embedded:
            say(f"{job.kind} is done here: no worker has taken it")
            container().runner().execute(job_id, f"{socket.gethostname()}:{os.getpid()}:{uuid4()}", _abort)
            started = time.monotonic()  # another worker may have been faster after all
            continue
        time.sleep(0.2)


def read_document(file: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises CommandError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", returncode=WRONG_USE) from None
    except ValueError as error:
        raise CommandError(f"{file} is not JSON: {error}", returncode=WRONG_USE) from None
    if not isinstance(document, dict):
        raise CommandError(f"{file} holds no JSON object", returncode=WRONG_USE)
    return document


def current_version(user: UserId, project: Project, name: str) -> str:
    """The id of the current version of the project's data source of that name or id. Raises CommandError."""
    found = container().sources().list(user, project.id, Listing(limit=MAX_LIMIT, search=name)).items
    matching = [detail for detail in found if name in (detail.source.name, str(detail.source.id))]
    if len(matching) != 1 or matching[0].current is None:
        reason = "is not ready" if matching else "does not exist"
        raise CommandError(f"the data source “{name}” {reason} in “{project.name}”", returncode=FAILED)
    return str(matching[0].current.id)


class Progress:
    """A monitor that writes to the terminal, for work that is no job."""

    def __init__(self, say: Callable[[str], None], start: float = 0.0, end: float = 1.0) -> None:
        self._say, self._start, self._end = say, start, end

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        if progress is not None:
            share = self._start + progress * (self._end - self._start)
            self._say(f"{share:4.0%} {phase or ''} {message}".rstrip())

    def log(self, message: str, level: str = "info") -> None:
        self._say(f"{level}: {message}")

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        yield  # Ctrl-C interrupts by itself

    def part(self, start: float, end: float) -> Monitor:
        width = self._end - self._start
        return Progress(self._say, self._start + start * width, self._start + end * width)


def _unless_id(name: str) -> str:
    """What to search for: everything, when it is an id."""
    try:
        UUID(name)
    except ValueError:
        return name
    return ""


def _abort() -> None:
    """Work that does not stop when it has to is ended with its process."""
    sys.stderr.flush()
    os._exit(FAILED)


def write_document(make: Callable[[], Document], out: Path) -> int:
    """Writes a report or card in the format of the file's ending, whole or not at all; gives its bytes. Raises
    CommandError before anything is made where that cannot be."""
    try:
        kind = Format(out.suffix.removeprefix(".").lower())
    except ValueError:
        raise CommandError(f"{out.name} ends in none of .html, .pdf and .md", returncode=WRONG_USE) from None
    if not out.parent.is_dir():
        raise CommandError(f"there is no folder {out.parent}", returncode=WRONG_USE)
    content = container().reports().file(make(), kind).content
    unfinished = out.with_name(f".{out.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(out)
    return len(content)
