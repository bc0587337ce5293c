"""The monitor of a running job: keeps the heartbeat, stores progress, and carries a request to cancel to the work."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import Self

from hydroml.application.ports.jobs import Bell, Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import DomainError
from hydroml.domain.jobs import Job, JobCancelledError, JobStateError, LogLine

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
GRACE_SECONDS = 8.0
"""How long work may go on after it was asked to stop, before its process is ended."""


class JobTimeoutError(DomainError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped: it took longer than its budget of {seconds:g} seconds")


class JobLostError(DomainError):
    """The job is another worker's by now."""


class StoredMonitor:
    """A monitor whose thread writes to the job's row; a context manager around the handler's work.

    `overdue` is called, from the thread, when the work does not stop in time after a request to cancel, the end of its
    time budget, or the loss of the job.
    """

    def __init__(
        self,
        *,
        job: Job,
        worker: str,
        uow: UnitOfWorkFactory,
        bell: Bell,
        clock: Clock,
        lease: timedelta,
        overdue: Callable[[DomainError], object],
    ) -> None:
        self._job_id, self._worker, self._lease = job.id, worker, lease
        self._uow, self._bell, self._clock, self._overdue = uow, bell, clock, overdue
        self._seconds: float | None = job.payload.get("seconds")
        self._lock = threading.Lock()
        self._pending: tuple[float | None, str | None, str] | None = None
        self._lines: list[LogLine] = []
        self._stops: list[Callable[[], None]] = []
        self._refusal: DomainError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"heartbeat {job.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        with suppress(Exception):  # too late to cancel, and the end of the job is stored by whoever runs it
            self._flush(renew=False)
        if self._refusal is not None and error is not None and not isinstance(error, type(self._refusal)):
            # What was interrupted raises whatever it likes: the reason is the refusal.
            raise self._refusal from error

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        if self._refusal is not None:
            raise self._refusal
        with self._lock:
            before = self._pending or (None, None, "")
            self._pending = (
                before[0] if progress is None else progress,
                before[1] if phase is None else phase,
                message,
            )

    def log(self, message: str, level: str = "info") -> None:
        with self._lock:
            self._lines.append(LogLine(self._clock(), level, message))

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._stops.append(stop)
        try:
            if self._refusal is not None:
                raise self._refusal
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    def part(self, start: float, end: float) -> Monitor:
        return PartialMonitor(self, start, end)

    def _watch(self) -> None:
        started = monotonic()
        renewed = started
        refused: float | None = None
        while not self._ended.wait(TICK_SECONDS):
            now = monotonic()
            renew = now - renewed > self._lease.total_seconds() / 4
            try:
                self._flush(renew=renew)
                renewed = now if renew else renewed
            except DomainError as error:
                self._refusal = self._refusal or error
            except Exception:
                # The database may be away for a moment; the lease decides how long that may last.
                logger.warning("the heartbeat of job %s could not be stored", self._job_id, exc_info=True)
            if self._seconds is not None and now - started > self._seconds:
                self._refusal = self._refusal or JobTimeoutError(self._seconds)
            if self._refusal is not None:
                refused = refused or now
                self._stop_work()
                if now - refused > GRACE_SECONDS:
                    self._overdue(self._refusal)
                    return

    def _flush(self, *, renew: bool) -> None:
        """Stores what is pending and looks for a request to cancel."""
        with self._lock:
            pending, self._pending = self._pending, None
            lines, self._lines = self._lines, []
        with self._uow() as uow:
            job = uow.jobs.get(self._job_id)
            cancel = job.cancel_requested
            if renew or pending or lines:
                job = uow.jobs.get_for_update(self._job_id)
                try:
                    job.renew(self._worker, self._clock(), self._lease)
                    if pending:
                        job.report(self._worker, progress=pending[0], phase=pending[1], message=pending[2])
                except JobCancelledError:
                    cancel = True
                except JobStateError as error:
                    raise JobLostError(str(error)) from None
                uow.jobs.save(job)
                for line in lines:
                    uow.jobs.log(self._job_id, line)
                uow.commit()
        if pending or lines:
            self._bell.ring()
        if cancel:
            raise JobCancelledError

    def _stop_work(self) -> None:
        with self._lock:
            stops = tuple(self._stops)
        for stop in stops:
            try:
                stop()
            except Exception:
                logger.warning("job %s could not be interrupted", self._job_id, exc_info=True)


class PartialMonitor:
    """The part of a monitor's progress that belongs to one piece of the work."""

    def __init__(self, whole: Monitor, start: float, end: float) -> None:
        self._whole, self._start, self._end = whole, start, end

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        scaled = None if progress is None else self._start + progress * (self._end - self._start)
        self._whole.report(scaled, phase, message)

    def log(self, message: str, level: str = "info") -> None:
        self._whole.log(message, level)

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        with self._whole.interrupting(stop):
            yield

    def part(self, start: float, end: float) -> Monitor:
        return PartialMonitor(self, start, end)
