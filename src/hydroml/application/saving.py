"""Save as: a session's table becomes the next version of its source, of another one, or of a new one."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.access import project_of, session_of, source_of, version_of
from hydroml.application.documents import read_recipe, write_recipe
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine, WrittenTable
from hydroml.application.versions import VersionWriter
from hydroml.domain.jobs import Job, JobId, JobKind, Subject
from hydroml.domain.projects import Role, UserId
from hydroml.domain.sources import DataSource, Origin, OriginKind, SourceId, Table, VersionId
from hydroml.domain.studio.session import SessionId


class SavingService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        versions: VersionWriter,
        sender: JobSender,
        clock: Clock,
    ) -> None:
        self._uow, self._engine, self._versions = uow, engine, versions
        self._sender, self._clock = sender, clock

    def request(
        self, user: UserId, session_id: SessionId, *, name: str | None = None, source_id: SourceId | None = None
    ) -> tuple[DataSource, Job]:
        """Saves the table at the cursor as a new source called `name`, else as the next version of `source_id`, else
        of the source the session stands on. Raises SourceBusyError, and InvalidInputError when a step cannot run."""
        now = self._clock()
        job_id = JobId(uuid4())
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            project_of(uow, user, session.project_id, Role.EDITOR)
            version, base = version_of(uow, user, session.version_id)
        recipe = session.recipe(session.cursor)
        self._engine.schema(Table.of(version), recipe)
        with self._uow() as uow:
            if name is not None:
                source = DataSource(
                    id=SourceId(uuid4()),
                    name=name,
                    owner_id=user,
                    project_ids=frozenset({session.project_id}),
                    created_at=now,
                    updated_at=now,
                )
            else:
                source = source_of(uow, user, source_id or base.id, Role.EDITOR)
            source.begin_version(job_id, now)
            job = Job(
                id=job_id,
                kind=JobKind.SAVE_SESSION,
                payload={"version_id": str(version.id), "recipe": list(write_recipe(recipe))},
                requested_by=user,
                project_id=session.project_id,
                subject=Subject("source", source.id, source.name),
                created_at=now,
            )
            if name is not None:
                uow.sources.add(source)
            else:
                uow.sources.save(source)
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job_id)
        return source, job

    # The handler of save_session

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        parent_id = VersionId(UUID(job.payload["version_id"]))
        recipe = read_recipe(job.payload["recipe"])

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            with self._uow() as uow:
                parent = uow.versions.get(parent_id)
            written = self._engine.materialise(Table.of(parent), recipe, out, monitor.part(0, 0.95))
            return written, Origin(OriginKind.RECIPE, parents=(parent_id,), recipe=write_recipe(recipe))

        return self._versions.write(job, SourceId(job.subject_id), make, monitor)

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.begin_again(uow, job)
