"""How jobs are sent to workers, how a handler tells how far it is, and how changes reach the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from hydroml.domain.jobs import JobId

Clock = Callable[[], datetime]
"""The time now, with a zone."""


class JobQueue(Protocol):
    """A bell for workers: a lost or doubled message does no harm, since the job's row is the truth."""

    def send(self, job_id: JobId) -> None:
        """Raises UnavailableError when the broker does not answer; the sweep sends again."""

    def waiting(self) -> int:
        """How many messages no worker has fetched yet. Raises UnavailableError when the broker does not answer."""


class Bell(Protocol):
    """Tells every web process that some job has changed."""

    def ring(self) -> None:
        """Never raises: a bell that is not heard is made up for by polling."""

    def listen(self) -> AsyncIterator[None]:
        """Yields after each ring, and at least every few seconds: a broken bell only makes it slower."""


class Monitor(Protocol):
    """What a handler reports to while it works."""

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        """`progress` runs from 0 to 1 over the whole job. Cheap: called often, stored a few times a second.
        Raises JobCancelledError once somebody asked to cancel."""

    def log(self, message: str, level: str = "info") -> None:
        """A line in the job's log."""

    def interrupting(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the block, a request to cancel calls `stop` from another thread."""

    def part(self, start: float, end: float) -> "Monitor":
        """A monitor whose 0 to 1 is `start` to `end` of this one."""
