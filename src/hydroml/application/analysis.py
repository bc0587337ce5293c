"""What is found out about every new version in the background: its profile, its quality, whether it keeps the rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from hydroml.application.access import version_of
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import DomainError
from hydroml.domain.jobs import Job, JobCancelledError, JobId, JobKind, JobNotFoundError, JobState, Subject
from hydroml.domain.projects import UserId
from hydroml.domain.sources import DataSource, Version, VersionId

_LAST = "analysis"
"""Under this kind of report stands which job analysed the version last."""


class Analysis(Protocol):
    """One thing to find out; can be done twice."""

    def run(self, version: Version, monitor: Monitor) -> dict[str, Any]:
        """Keeps what it finds, and gives a few words of it for the job's result."""


class AnalysisService:
    """Starts the analyses of versions."""

    def __init__(self, *, uow: UnitOfWorkFactory, sender: JobSender, clock: Clock) -> None:
        self._uow, self._sender, self._clock = uow, sender, clock

    def begin(self, uow: UnitOfWork, user: UserId, version: Version, source: DataSource) -> Job:
        """In the caller's transaction, who sends it afterwards."""
        now = self._clock()
        job = version_job(JobKind.ANALYSE, user, version, source, now)
        uow.jobs.add(job)
        uow.reports.put(version.id, _LAST, {"job_id": str(job.id)}, now)
        return job

    def send(self, job: Job) -> None:
        self._sender.send(job.id)

    def current(self, user: UserId, version_id: VersionId) -> Job:
        """The job that is at it or has failed; a new one where there is neither."""
        return self._job(user, version_id, (JobState.SUCCEEDED,))

    def request(self, user: UserId, version_id: VersionId) -> Job:
        """All of it anew, but for what is already at it."""
        return self._job(user, version_id, (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED))

    def _job(self, user: UserId, version_id: VersionId, done: Sequence[JobState]) -> Job:
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id)
            last = _last(uow, version_id)
            if last is not None and last.state not in done:
                return last
            job = self.begin(uow, user, version, source)
            uow.commit()
        self.send(job)
        return job


class AnalysisHandler:
    """One analysis after the other. One that fails keeps none of the others from being done, but the job has failed."""

    def __init__(self, *, uow: UnitOfWorkFactory, analyses: Sequence[Analysis]) -> None:
        self._uow, self._analyses = uow, analyses

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        result: dict[str, Any] = {"version_id": str(job.subject_id)}
        failures: list[DomainError] = []
        for at, analysis in enumerate(self._analyses):
            with self._uow() as uow:
                version = uow.versions.get(VersionId(job.subject_id))
            part = monitor.part(at / len(self._analyses), (at + 1) / len(self._analyses))
            try:
                result |= analysis.run(version, part)
            except JobCancelledError:
                raise
            except DomainError as error:
                monitor.report()  # raises when the job may not go on: that is what ended the work
                failures.append(error)
        if failures:
            raise failures[0]
        return result

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """The version is there all the same; whoever asks for what is missing is told of the job."""

    def clean(self, job: Job) -> None:
        """It leaves nothing outside the database."""

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        uow.versions.get(VersionId(job.subject_id))


def version_job(kind: JobKind, user: UserId, version: Version, source: DataSource, at: datetime) -> Job:
    """A job about a version, in a project of its source."""
    return Job(
        id=JobId(uuid4()),
        kind=kind,
        requested_by=user,
        project_id=min(source.project_ids, default=None),
        subject=Subject("version", version.id, source.name),
        created_at=at,
    )


def _last(uow: UnitOfWork, version_id: VersionId) -> Job | None:
    kept = uow.reports.get(version_id, _LAST)
    try:
        return None if kept is None else uow.jobs.get(JobId(UUID(kept["job_id"])))
    except JobNotFoundError:
        return None
