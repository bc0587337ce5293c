"""Queries over the tables of a project: run while somebody waits, remembered, and saved as a version."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.access import project_of, session_of, source_of, version_of
from hydroml.application.activity import tell
from hydroml.application.documents import read_recipe, write_recipe
from hydroml.application.inputs import others_of, recipe_at, tables_of
from hydroml.application.jobs import JobSender, in_words
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import MAX_LIMIT, Listing, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import QueryResult, TableEngine, View, WrittenTable
from hydroml.application.versions import VersionWriter
from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.jobs import Job, JobId, JobKind, Subject
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.queries import (
    KEPT_QUERIES,
    QUERY_ROWS,
    QueryCancelledError,
    QueryId,
    QueryNotFoundError,
    QueryRun,
)
from hydroml.domain.sources import DataSource, Origin, OriginKind, SourceId, Table, Version, VersionId
from hydroml.domain.studio.recipes import Recipe, RecipeStep, with_inputs
from hydroml.domain.studio.session import SessionId
from hydroml.domain.studio.steps import Query
from hydroml.domain.studio.steps.base import required_text
from hydroml.domain.studio.steps.queries import QUERY_LENGTH, THIS, QueriedTable

_LOOKS_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query over a project's data sources by their names, and over a session's table as `this`."""

    project_id: ProjectId
    sql: str
    session_id: SessionId | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave, and the versions that it has read, by name."""

    run: QueryRun
    result: QueryResult
    tables: tuple[QueriedTable, ...]


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a query may read."""

    versions: Mapping[str, Version]
    session_version: VersionId | None
    this: View | None

    @property
    def tables(self) -> dict[str, Table]:
        return {name: Table.of(version) for name, version in self.versions.items()}

    def named(self, used: Sequence[str]) -> tuple[QueriedTable, ...]:
        return tuple(QueriedTable(name, self.versions[name].id) for name in used if name in self.versions)


class QueryService:
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

    def tables(self, user: UserId, project_id: ProjectId) -> Sequence[tuple[str, Version]]:
        """What queries in the project can read: the current version of each data source, by its name."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return sorted(_named(uow, project_id).items(), key=lambda found: found[0].casefold())

    def ask(self, user: UserId, request: QueryRequest, limit: int, query_id: QueryId | None = None) -> Answer:
        """Runs a query and remembers it. `query_id` is what `cancel` calls it by. Raises InvalidInputError with the
        place of a fault, TooLargeError when it takes too long, QueryCancelledError, and ConflictError when there is a
        query of that id already."""
        if not 1 <= limit <= QUERY_ROWS:
            raise InvalidInputError.at("limit", msg=f"between 1 and {QUERY_ROWS:,}", code="range")
        required_text(request.sql, QUERY_LENGTH, "sql")
        if "\x00" in request.sql:
            raise InvalidInputError.at("sql", msg="the query holds a character that cannot be in one", code="syntax")
        run = QueryRun(
            id=query_id or QueryId(uuid4()),
            project_id=request.project_id,
            owner_id=user,
            session_id=request.session_id,
            sql=request.sql,
            created_at=self._clock(),
        )
        reach = self._reach(user, request)
        with self._uow() as uow:
            uow.queries.add(run)
            uow.queries.trim(user, request.project_id, KEPT_QUERIES)
            uow.commit()
        try:
            watch = _Watch(lambda: self._is_cancelled(run.id))
            result = self._engine.query(request.sql, reach.tables, reach.this, limit, watch)
        except BaseException as error:
            message = in_words(error)
            self._end(run.id, lambda ended: ended.fail(message))
            raise
        self._end(run.id, lambda ended: ended.succeed(len(result.rows), result.elapsed_ms))
        return Answer(run, result, reach.named(result.used))

    def cancel(self, user: UserId, query_id: QueryId) -> None:
        """Ends one of the asker's queries within a second. Raises QueryStateError when it has ended already."""
        with self._uow() as uow:
            run = uow.queries.get_for_update(query_id)
            if run.owner_id != user:
                raise QueryNotFoundError(query_id)
            run.cancel()
            uow.queries.save(run)
            uow.commit()

    def history(self, user: UserId, project_id: ProjectId) -> Sequence[QueryRun]:
        """The asker's queries in the project, newest first."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            found = uow.queries.of_owner(user, project_id)
        return [run.seen_at(self._clock()) for run in found]

    def forget(self, user: UserId, project_id: ProjectId) -> None:
        """Empties the asker's history of the project."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            uow.queries.trim(user, project_id, 0)
            uow.commit()

    def save(
        self, user: UserId, request: QueryRequest, *, name: str | None = None, source_id: SourceId | None = None
    ) -> tuple[DataSource, Job]:
        """All rows of a query become a new source called `name`, else the next version of `source_id`. Raises
        SourceBusyError, and InvalidInputError when the query cannot run."""
        if (name is None) == (source_id is None):
            raise InvalidInputError.at("name", msg="give a name for a new data source, or source_id", code="required")
        now, job_id = self._clock(), JobId(uuid4())
        with self._uow() as uow:
            project_of(uow, user, request.project_id, Role.EDITOR)
        reach = self._reach(user, request)
        used = self._engine.check_query(request.sql, reach.tables, reach.this)
        step = Query(request.sql, reach.named(used))
        reads_this = reach.this is not None and THIS in used
        recipe = (*(reach.this.recipe if reads_this and reach.this is not None else ()), RecipeStep(step))
        with self._uow() as uow:
            if source_id is not None:
                source = source_of(uow, user, source_id, Role.EDITOR)
            else:
                source = DataSource(
                    id=SourceId(uuid4()),
                    name=name or "",
                    owner_id=user,
                    project_ids=frozenset({request.project_id}),
                    created_at=now,
                    updated_at=now,
                )
            source.begin_version(job_id, now)
            job = Job(
                id=job_id,
                kind=JobKind.SAVE_QUERY,
                payload={
                    "project_id": str(request.project_id),
                    "version_id": str(reach.session_version) if reads_this else None,
                    "recipe": list(write_recipe(recipe)),
                },
                requested_by=user,
                project_id=request.project_id,
                subject=Subject("source", source.id, source.name),
                created_at=now,
            )
            if source_id is None:
                uow.sources.add(source)
                tell(uow, user, "created", source, now, "from a query")
            else:
                uow.sources.save(source)
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job_id)
        return source, job

    # The handler of save_query

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        project_id = ProjectId(UUID(job.payload["project_id"]))
        parent = job.payload["version_id"]
        recipe = read_recipe(job.payload["recipe"])
        step = recipe[-1].step
        assert isinstance(step, Query)  # noqa: S101 - `save` has put it there

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            with self._uow() as uow:
                known = tables_of(uow, project_id, (entry.step for entry in recipe))
                base = None if parent is None else uow.versions.get(VersionId(UUID(parent)))
            if any(other not in known for other in step.others):
                raise ConflictError("a data source that the query reads is not in this project any more")
            tables = {table.name: known[table.version_id] for table in step.tables}
            this = None if base is None else View(Table.of(base), with_inputs(recipe[:-1], known))
            written = self._engine.write_query(step.sql, tables, this, out, monitor.part(0, 0.95))
            return written, Origin(OriginKind.QUERY, parents=_parents(parent, recipe), recipe=write_recipe(recipe))

        return self._versions.write(job, SourceId(job.subject_id), make, monitor)

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.begin_again(uow, job)

    def _reach(self, user: UserId, request: QueryRequest) -> _Reach:
        with self._uow() as uow:
            project_of(uow, user, request.project_id)
            named = _named(uow, request.project_id)
            if request.session_id is None:
                return _Reach(named, None, None)
            session = session_of(uow, user, request.session_id)
            if session.project_id != request.project_id:
                raise InvalidInputError.at("session_id", msg="the session belongs to another project", code="project")
            version, _ = version_of(uow, user, session.version_id)
            others = others_of(uow, session)
        table = Table.of(version)
        this = View(table, recipe_at(self._engine, table, session, session.cursor, others))
        return _Reach({name: one for name, one in named.items() if name.casefold() != THIS}, version.id, this)

    def _is_cancelled(self, query_id: QueryId) -> bool:
        with self._uow() as uow:
            try:
                return uow.queries.get(query_id).cancel_requested
            except QueryNotFoundError:
                return True  # the history was emptied, or the project is gone

    def _end(self, query_id: QueryId, change: Callable[[QueryRun], None]) -> None:
        with self._uow() as uow:
            try:
                run = uow.queries.get_for_update(query_id)
            except QueryNotFoundError:
                return
            change(run)
            uow.queries.save(run)
            uow.commit()


class _Watch:
    """A monitor that looks every now and then whether somebody wants an end."""

    def __init__(self, is_cancelled: Callable[[], bool]) -> None:
        self._is_cancelled = is_cancelled
        self._cancelled = False

    def report(
        self,
        progress: float | None = None,  # noqa: ARG002 - nobody is told how far it is
        phase: str | None = None,  # noqa: ARG002
        message: str = "",  # noqa: ARG002
    ) -> None:
        if self._cancelled:
            raise QueryCancelledError

    def log(self, message: str, level: str = "info") -> None: ...

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        done = threading.Event()

        def look() -> None:
            while not done.wait(_LOOKS_SECONDS):
                if self._is_cancelled():
                    self._cancelled = True
                    stop()
                    return

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def part(self, start: float, end: float) -> Monitor:  # noqa: ARG002 - nor of which part
        return self


def _named(uow: UnitOfWork, project_id: ProjectId) -> dict[str, Version]:
    """The current versions of a project's data sources by name; of several of one name, none can be meant."""
    sources: list[DataSource] = []
    cursor: str | None = None
    while True:
        part = uow.sources.of_project(project_id, Listing(MAX_LIMIT, cursor, "name"))
        sources += part.items
        cursor = part.next_cursor
        if cursor is None:
            break
    found = uow.versions.get_many([s.current_version_id for s in sources if s.current_version_id is not None])
    named: dict[str, list[Version]] = {}
    for source in sources:
        if source.current_version_id is not None and source.current_version_id in found:
            named.setdefault(source.name, []).append(found[source.current_version_id])
    return {name: versions[0] for name, versions in named.items() if len(versions) == 1}


def _parents(base: str | None, recipe: Recipe) -> tuple[VersionId, ...]:
    others = (other for entry in recipe for other in entry.step.others)
    return tuple(dict.fromkeys([*([] if base is None else [VersionId(UUID(base))]), *others]))
