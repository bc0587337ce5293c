"""Jobs: seen, cancelled, tried again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.jobs import Job, JobId, JobState, LogLine, Subject
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import ListingIn, Page, names, page, whole

router = Router(tags=["jobs"])


class SubjectOut(Schema):
    """What a job is about: a source, run, session or model."""

    kind: str
    id: UUID
    name: str

    @classmethod
    def of(cls, subject: Subject) -> "SubjectOut":
        return cls(kind=subject.kind, id=subject.id, name=subject.name)


class JobOut(Schema):
    """A piece of background work."""

    id: UUID
    kind: str
    state: JobState
    progress: float = Field(ge=0, le=1)
    phase: str
    message: str
    error: str | None
    result: dict[str, Any]
    attempts: int
    project_id: UUID | None
    subject: SubjectOut | None
    suite_id: UUID | None
    cancel_requested: bool
    can_finish: bool
    finish_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            progress=job.progress,
            phase=job.phase,
            message=job.message,
            error=job.error,
            result=job.result,
            attempts=job.attempts,
            project_id=job.project_id,
            subject=SubjectOut.of(job.subject) if job.subject else None,
            suite_id=job.suite_id,
            cancel_requested=job.cancel_requested,
            can_finish=job.can_finish,
            finish_requested=job.finish_requested,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )


class LogLineOut(Schema):
    """A line of a job's log."""

    at: datetime
    level: str
    message: str

    @classmethod
    def of(cls, line: LogLine) -> "LogLineOut":
        return cls(at=line.at, level=line.level, message=line.message)


class JobsIn(ListingIn):
    """Which jobs."""

    state: str = Field("", description="One state, or several with commas between them.")
    project_id: UUID | None = None


class StartedOut(Schema):
    """A job that was started."""

    job: JobOut


@router.get("", response=Page[JobOut])
def list_jobs(request: HttpRequest, which: Query[JobsIn]) -> Any:
    """The jobs I started and those of my projects."""
    try:
        states = tuple(JobState(name) for name in names(which.state, "state"))
    except ValueError:
        raise InvalidInputError.at("state", msg=f"one of {', '.join(JobState)}", code="enum") from None
    project_id = None if which.project_id is None else ProjectId(which.project_id)
    if project_id is not None:
        container().access().check(request.auth, "project", project_id)
    return page(container().jobs().list(request.auth, which.listing(), states=states, project_id=project_id), JobOut)


@router.get("/{uuid:job_id}", response=JobOut)
def get_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """How far a job is, and what came of it."""
    return JobOut.of(container().jobs().get(request.auth, JobId(job_id)))


@router.post("/{uuid:job_id}/cancel", response=JobOut)
def cancel_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """A queued job ends at once, a running one as soon as its worker notices; 409 when it has ended."""
    return JobOut.of(container().jobs().cancel(request.auth, JobId(job_id)))


@router.post("/{uuid:job_id}/finish", response=JobOut)
def finish_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """A search that is going on stops and keeps the best it has; 409 for any other job."""
    return JobOut.of(container().jobs().finish(request.auth, JobId(job_id)))


@router.post("/{uuid:job_id}/retry", response=JobOut)
def retry_job(request: HttpRequest, job_id: UUID) -> JobOut:
    """A failed or cancelled job starts again; 409 when it cannot."""
    return JobOut.of(container().jobs().retry(request.auth, JobId(job_id)))


@router.get("/{uuid:job_id}/log", response=Page[LogLineOut])
def get_job_log(request: HttpRequest, job_id: UUID) -> Any:
    """The last thousand lines, oldest first."""
    return whole([LogLineOut.of(line) for line in container().jobs().log(request.auth, JobId(job_id))], LogLineOut)
