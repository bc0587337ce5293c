"""Sources that follow another: made anew by their recipe whenever that gets a new version."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork
from hydroml.domain.errors import ConflictError, NotFoundError
from hydroml.domain.jobs import Job, JobId, JobKind, Subject
from hydroml.domain.sources import DataSource, SourceBusyError


class Followers:
    """Starts the jobs that bring followers up to date."""

    def __init__(self, *, sender: JobSender, clock: Clock) -> None:
        self._sender, self._clock = sender, clock

    def begin(self, uow: UnitOfWork, source: DataSource) -> list[Job]:
        """The source has a new version, in the caller's transaction, who sends the jobs afterwards. One on which a job
        is at work gets its turn when that has ended."""
        jobs = [self._job(uow, follower, source) for follower in uow.sources.followers(source.id)]
        return [job for job in (*jobs, self.catch_up(uow, source)) if job is not None]

    def catch_up(self, uow: UnitOfWork, source: DataSource) -> Job | None:
        """A job on the source has ended: the next one, if the source it follows has gone on meanwhile."""
        if source.following is None or not source.following.behind:
            return None
        try:
            return self._job(uow, source, uow.sources.get(source.following.source_id))
        except NotFoundError:
            return None

    def send(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._sender.send(job.id)

    def _job(self, uow: UnitOfWork, follower: DataSource, source: DataSource) -> Job | None:
        now = self._clock()
        following = follower.following
        together = following is not None and following.project_id in follower.project_ids & source.project_ids
        if following is None or not together or source.deleted_at is not None or follower.deleted_at is not None:
            return None
        if _leads_to(uow, source, follower):
            return None
        job = _follow_job(follower, source, now)
        try:
            follower.begin_version(job.id, now)
        except SourceBusyError:
            follower.following = replace(following, behind=True)
            uow.sources.save(follower)
            return None
        follower.following = replace(following, behind=False)
        uow.sources.save(follower)
        uow.jobs.add(job)
        return job


def check_no_loop(uow: UnitOfWork, follower: DataSource, source: DataSource) -> None:
    """Raises ConflictError when a source would follow itself, or the two would make each other anew for ever."""
    if source.id == follower.id:
        raise ConflictError(f"“{source.name}” cannot follow itself; save the table as another data source")
    if _leads_to(uow, source, follower):
        raise ConflictError(
            f"“{source.name}” is itself made from “{follower.name}”: they would make each other anew for ever"
        )


def _leads_to(uow: UnitOfWork, source: DataSource, follower: DataSource) -> bool:
    """Whether the source is the follower, or follows it over any number of others."""
    seen = set()
    while source.id != follower.id:
        seen.add(source.id)
        if source.following is None or source.following.source_id in seen:
            return False
        try:
            source = uow.sources.get(source.following.source_id)
        except NotFoundError:
            return False
    return True


def _follow_job(follower: DataSource, source: DataSource, at: datetime) -> Job:
    if follower.following is None or source.current_version_id is None:
        raise ConflictError(f"“{follower.name}” follows no table")
    return Job(
        id=JobId(uuid4()),
        kind=JobKind.APPLY_RECIPE,
        payload={
            "version_id": str(source.current_version_id),
            "project_id": str(follower.following.project_id),
            "recipe": list(follower.following.recipe),
            "relearn": follower.following.relearn,
            "recipe_name": follower.following.recipe_name,
            "recipe_id": None if follower.following.recipe_id is None else str(follower.following.recipe_id),
        },
        requested_by=follower.owner_id,
        project_id=follower.following.project_id,
        subject=Subject("source", follower.id, follower.name),
        created_at=at,
    )
