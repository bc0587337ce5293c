"""Jobs: started with their cause, run by whoever takes them, and never lost."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hydroml.application.access import job_of
from hydroml.application.monitoring import JobTimeoutError, StoredMonitor
from hydroml.application.notifications import tell_end
from hydroml.application.ports.jobs import Bell, Clock, JobQueue, Monitor
from hydroml.application.ports.repositories import JobFilter, Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import DomainError, NotFoundError, UnavailableError
from hydroml.domain.jobs import Job, JobCancelledError, JobId, JobKind, JobState, JobStateError, LogLine
from hydroml.domain.projects import ProjectId, Role, UserId

logger = logging.getLogger(__name__)

RESEND_AFTER = timedelta(seconds=10)
"""How long a sent job may wait untaken, while no message waits at the broker, before its message counts as lost."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
SWEEP_LIMIT = 200


class JobHandler(Protocol):
    """What does a kind of job. Every method can be called twice for the same job."""

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any] | None:
        """Does the work and gives the job's result; None when other jobs go on with it, the last of which ends it."""

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """The job has failed or was cancelled: say so where its result was expected, in the same transaction."""

    def clean(self, job: Job) -> None:
        """Remove what work that did not succeed has left outside the database."""

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        """Somebody wants the failed job tried again. Raises JobStateError when that cannot work."""


class JobSender:
    """Sends jobs after the commit of the transaction that made them, and tells the pages."""

    def __init__(self, *, uow: UnitOfWorkFactory, queue: JobQueue, bell: Bell, clock: Clock) -> None:
        self._uow, self._queue, self._bell, self._clock = uow, queue, bell, clock

    def has_sent_all(self) -> bool:
        """Whether the workers have fetched every message: a job that still waits then has lost its own."""
        try:
            return self._queue.waiting() == 0
        except UnavailableError:
            return False

    def send(self, job_id: JobId) -> None:
        """A broker that is away does not matter here: the sweep sends the job later."""
        self._bell.ring()
        try:
            self._queue.send(job_id)
        except UnavailableError:
            logger.warning("the broker does not answer; job %s waits for the sweep", job_id)
            return
        with self._uow() as uow:
            job = uow.jobs.get_for_update(job_id)
            if job.state is JobState.QUEUED:
                job.sent_at = self._clock()
                uow.jobs.save(job)
                uow.commit()


class JobService:
    """What people see of jobs and do with them."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        sender: JobSender,
        bell: Bell,
        clock: Clock,
        handlers: Mapping[JobKind, JobHandler],
    ) -> None:
        self._uow, self._sender, self._bell, self._clock, self._handlers = uow, sender, bell, clock, handlers

    def get(self, user: UserId, job_id: JobId) -> Job:
        with self._uow() as uow:
            return job_of(uow, user, job_id)

    def list(
        self,
        user: UserId,
        listing: Listing,
        *,
        states: tuple[JobState, ...] = (),
        project_id: ProjectId | None = None,
    ) -> Slice[Job]:
        with self._uow() as uow:
            return uow.jobs.of_user(JobFilter(user, states, project_id), listing)

    def log(self, user: UserId, job_id: JobId) -> Sequence[LogLine]:
        with self._uow() as uow:
            job_of(uow, user, job_id)
            return uow.jobs.log_of(job_id)

    def changed_since(self, user: UserId, sequence: int, limit: int = 200) -> Sequence[Job]:
        """The user's jobs that changed after `sequence`, in the order they did."""
        with self._uow() as uow:
            return uow.jobs.changed_since(user, sequence, limit)

    def last_sequence(self) -> int:
        with self._uow() as uow:
            return uow.jobs.last_sequence()

    def cancel(self, user: UserId, job_id: JobId) -> Job:
        """A queued job ends at once, a running one as soon as its worker notices. Raises JobStateError when ended."""
        with self._uow() as uow:
            job_of(uow, user, job_id, Role.EDITOR)
            job = uow.jobs.get_for_update(job_id)
            job.request_cancel(self._clock())
            uow.jobs.save(job)
            if job.state.is_final:
                self._handlers[job.kind].give_up(uow, job)
            uow.commit()
        if job.state.is_final:
            self._handlers[job.kind].clean(job)
        self._bell.ring()
        return job

    def finish(self, user: UserId, job_id: JobId) -> Job:
        """A search that is going on stops and keeps the best it has. Raises JobStateError for any other job."""
        with self._uow() as uow:
            job_of(uow, user, job_id, Role.EDITOR)
            job = uow.jobs.get_for_update(job_id)
            job.request_finish()
            uow.jobs.save(job)
            uow.commit()
        self._bell.ring()
        return job

    def retry(self, user: UserId, job_id: JobId) -> Job:
        """A failed or cancelled job starts again. Raises JobStateError when it cannot."""
        with self._uow() as uow:
            job_of(uow, user, job_id, Role.EDITOR)
            job = uow.jobs.get_for_update(job_id)
            job.retry()
            self._handlers[job.kind].queue_again(uow, job)
            uow.jobs.save(job)
            uow.commit()
        self._sender.send(job_id)
        return job


class JobRunner:
    """What workers and the scheduler do with jobs."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        sender: JobSender,
        bell: Bell,
        clock: Clock,
        handlers: Mapping[JobKind, JobHandler],
        lease: timedelta,
    ) -> None:
        self._uow, self._sender, self._bell, self._clock = uow, sender, bell, clock
        self._handlers, self._lease = handlers, lease

    def execute(self, job_id: JobId, worker: str, abort: Callable[[], None]) -> None:
        """Takes the job and works on it to its end; does nothing when it has ended or another worker has it.

        `worker` names this attempt and no other. `abort` ends this process: it is called when work does not stop
        within its grace period after a request to cancel, or goes on after the job became another worker's.
        """
        job = self._take(job_id, worker)
        if job is None:
            return
        self._bell.ring()
        handler = self._handlers[job.kind]

        def overdue(error: DomainError) -> None:
            self._end(job_id, worker, error)
            abort()

        monitor = StoredMonitor(
            job=job,
            worker=worker,
            uow=self._uow,
            bell=self._bell,
            clock=self._clock,
            lease=self._lease,
            overdue=overdue,
        )
        error: BaseException | None = None
        result: dict[str, Any] | None = None
        try:
            with monitor:
                result = handler.run(job, monitor)
        except Exception as raised:
            error = raised
            if not isinstance(raised, DomainError):
                logger.exception("job %s (%s) failed unexpectedly", job_id, job.kind)
        self._end(job_id, worker, error, result)

    def sweep(self) -> int:
        """Sends what was never taken, and takes back what lost its worker; gives how many jobs it moved."""
        now = self._clock()
        with self._uow() as uow:
            lost = uow.jobs.lost(now, SWEEP_LIMIT)
        for job_id in lost:
            self._take_back(job_id)
        with self._uow() as uow:
            unsent = uow.jobs.unsent(now - RESEND_AFTER if self._sender.has_sent_all() else EVER, SWEEP_LIMIT)
        for job_id in unsent:
            self._sender.send(job_id)
        return len(lost) + len(unsent)

    def _take(self, job_id: JobId, worker: str) -> Job | None:
        with self._uow() as uow:
            try:
                job = uow.jobs.get_for_update(job_id)
                job.take(worker, self._clock(), self._lease)
            except (NotFoundError, JobStateError):
                return None
            uow.jobs.save(job)
            uow.commit()
            return job

    def _take_back(self, job_id: JobId) -> None:
        with self._uow() as uow:
            job = uow.jobs.get_for_update(job_id)
            try:
                job.lose(self._clock())
            except JobStateError:
                return
            uow.jobs.save(job)
            uow.jobs.log(job_id, LogLine(self._clock(), "warning", "its worker died"))
            if job.state.is_final:
                self._handlers[job.kind].give_up(uow, job)
                tell_end(uow, job, self._clock())
            uow.commit()
        if job.state.is_final:
            self._handlers[job.kind].clean(job)
        self._bell.ring()

    def _end(
        self, job_id: JobId, worker: str, error: BaseException | None, result: dict[str, Any] | None = None
    ) -> None:
        with self._uow() as uow:
            job = uow.jobs.get_for_update(job_id)
            if job.state is not JobState.RUNNING or job.worker != worker:
                return
            handler = self._handlers[job.kind]
            now = self._clock()
            if error is None and result is None:
                job.hand_over(worker)
            elif error is None:
                job.succeed(worker, result or {}, now)
            elif isinstance(error, JobCancelledError):
                job.cancelled(now)
            else:
                job.fail(in_words(error), now)
                uow.jobs.log(job_id, LogLine(now, "error", job.error or ""))
            uow.jobs.save(job)
            if error is not None:
                handler.give_up(uow, job)
            if job.state.is_final:
                tell_end(uow, job, now)
            uow.commit()
        if error is not None:
            handler.clean(job)
        self._bell.ring()


def in_words(error: BaseException) -> str:
    """Why work ended, for whom it was done: what was not foreseen keeps its own words for the log."""
    if isinstance(error, DomainError | JobTimeoutError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there was not enough memory; use fewer rows or columns, or a larger HYDROML_MEMORY_LIMIT"
    return f"an unexpected error ({type(error).__name__}); the administrator finds it in the log"
