"""Jobs: background work whose truth is a row, whoever is killed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, DomainError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId

JobId = NewType("JobId", UUID)

MAX_ATTEMPTS = 3


class JobNotFoundError(NotFoundError):
    def __init__(self, job_id: JobId) -> None:
        super().__init__(f"job {job_id} does not exist")


class JobStateError(ConflictError):
    """The job is not in a state that allows this."""


class JobCancelledError(DomainError):
    """Raised inside a handler at its next report once somebody asked to cancel."""

    def __init__(self) -> None:
        super().__init__("cancelled on request")


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobKind(StrEnum):
    IMPORT_FILE = "import_file"
    SAVE_SESSION = "save_session"
    APPLY_RECIPE = "apply_recipe"
    SAVE_QUERY = "save_query"
    TRAIN = "train"
    PREDICT = "predict"
    ANALYSE = "analyse_version"
    CHECK_RULES = "check_rules"
    COMPARE = "compare_versions"
    EXPORT = "export"
    SUITE = "suite"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a job is about, so that a page can link to it."""

    kind: str
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    level: str
    message: str


@dataclass(slots=True, kw_only=True)
class Job:
    """One piece of background work: queued → running → succeeded, failed or cancelled.

    A worker that takes it holds a lease, which its heartbeat renews; once the lease has run out the worker counts
    as dead and the job goes back to the queue, at most `MAX_ATTEMPTS` times in all.
    """

    id: JobId
    kind: JobKind
    payload: dict[str, Any] = field(default_factory=dict)
    """Ids and small settings only; everything else is read from where it is kept."""
    requested_by: UserId
    project_id: ProjectId | None = None
    subject: Subject | None = None
    state: JobState = JobState.QUEUED
    progress: float = 0.0
    phase: str = ""
    message: str = ""
    error: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    worker: str | None = None
    lease_until: datetime | None = None
    cancel_requested: bool = False
    finish_requested: bool = False
    created_at: datetime
    sent_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    sequence: int = 0
    """Grows with every stored change, over all jobs: what an event stream resumes from. Set by the repository."""

    @property
    def subject_id(self) -> UUID:
        """The id of what the job is about."""
        if self.subject is None:
            raise JobStateError(f"job {self.id} is about nothing")
        return self.subject.id

    def take(self, worker: str, at: datetime, lease: timedelta) -> None:
        """A worker begins. Raises JobStateError when the job has ended or was tried too often, or while another
        worker's lease runs."""
        held = self.state is JobState.RUNNING and self.lease_until is not None and self.lease_until > at
        if self.state.is_final or held or self.attempts >= MAX_ATTEMPTS:
            raise JobStateError(f"job {self.id} is {self.state}, after {self.attempts} attempts")
        self.state, self.worker, self.lease_until = JobState.RUNNING, worker, at + lease
        self.attempts += 1
        self.started_at = self.started_at or at
        self.progress, self.phase, self.message = 0.0, "", ""

    def renew(self, worker: str, at: datetime, lease: timedelta) -> None:
        """The heartbeat. Raises JobStateError once the job is no longer this worker's."""
        self._must_be_run_by(worker)
        self.lease_until = at + lease

    @property
    def is_handed_over(self) -> bool:
        """Whether other jobs go on with its work."""
        return self.state is JobState.RUNNING and self.worker is None

    def hand_over(self, worker: str) -> None:
        """Its work goes on in other jobs: no worker holds it any more, and what ends the last of them ends it too."""
        self._must_be_run_by(worker)
        self.worker, self.lease_until, self.attempts = None, None, 0

    def report(
        self, worker: str | None, *, progress: float | None = None, phase: str | None = None, message: str = ""
    ) -> None:
        """Raises JobCancelledError when somebody asked to cancel, JobStateError when it is another worker's now.
        `worker` is None for a job that was handed over."""
        self._must_be_run_by(worker)
        if self.cancel_requested:
            raise JobCancelledError
        if progress is not None:
            self.progress = min(max(progress, 0.0), 1.0)
        if phase is not None:
            self.phase = phase
        self.message = message

    def succeed(self, worker: str | None, result: dict[str, Any], at: datetime) -> None:
        self._must_be_run_by(worker)
        self.result, self.progress = result, 1.0
        self._end(JobState.SUCCEEDED, at)

    def fail(self, error: str, at: datetime) -> None:
        if self.state.is_final:
            raise JobStateError(f"job {self.id} is {self.state}")
        self.error = error
        self._end(JobState.FAILED, at)

    def request_cancel(self, at: datetime) -> None:
        """A job that no worker holds ends at once; another one ends when its worker notices."""
        if self.state.is_final:
            raise JobStateError(f"job {self.id} is {self.state}, there is nothing to cancel")
        self.cancel_requested = True
        if self.worker is None:
            self._end(JobState.CANCELLED, at)

    def request_finish(self) -> None:
        """The work is to stop and keep what it has. Raises JobStateError where it is not going on, or cannot."""
        if self.state is not JobState.RUNNING or not self.can_finish:
            raise JobStateError(f"job {self.id} is {self.state}; only a search that is going on can be finished early")
        self.finish_requested = True

    @property
    def suite_id(self) -> UUID | None:
        """The suite it is a trial of."""
        return UUID(self.payload["suite_id"]) if "suite_id" in self.payload else None

    @property
    def can_finish(self) -> bool:
        """Whether it is worth something before its end."""
        return bool(self.payload.get("can_finish", False))

    def cancelled(self, at: datetime) -> None:
        """The worker, or whoever ended it, has stopped the work."""
        if not self.state.is_final:
            self._end(JobState.CANCELLED, at)

    def lose(self, at: datetime) -> None:
        """Its worker died: back to the queue, or to its end when cancelled or tried too often."""
        if self.state is not JobState.RUNNING or self.lease_until is None or self.lease_until > at:
            raise JobStateError(f"job {self.id} has not lost its worker")
        if self.cancel_requested:
            self._end(JobState.CANCELLED, at)
        elif self.attempts >= MAX_ATTEMPTS:
            self.error = (
                f"the worker died {self.attempts} times while doing this; it may need more memory than there is"
            )
            self._end(JobState.FAILED, at)
        else:
            self.state, self.worker, self.lease_until, self.sent_at = JobState.QUEUED, None, None, None
            self.message = "its worker died; waiting for another one"

    def retry(self) -> None:
        """A failed or cancelled job goes back to the queue from its beginning."""
        if self.state not in (JobState.FAILED, JobState.CANCELLED):
            raise JobStateError(f"job {self.id} is {self.state}; only a failed or cancelled one can be tried again")
        self.state, self.error, self.attempts = JobState.QUEUED, None, 0
        self.cancel_requested = self.finish_requested = False
        self.progress, self.phase, self.message, self.result = 0.0, "", "", {}
        self.started_at = self.finished_at = self.sent_at = None

    def _must_be_run_by(self, worker: str | None) -> None:
        if self.state is not JobState.RUNNING or self.worker != worker:
            raise JobStateError(f"job {self.id} is {self.state} and not run by {worker}")

    def _end(self, state: JobState, at: datetime) -> None:
        self.state, self.finished_at = state, at
        self.worker, self.lease_until = None, None
