"""Sessions in the Data Studio: opened, changed step by step, never lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from hydroml.application.access import project_of, session_of, version_of
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import Column, DataSource, Table, Version, VersionId
from hydroml.domain.studio.session import EntryId, Session, SessionId
from hydroml.domain.studio.steps import Step


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session with what it stands on and the columns at its cursor.

    `broken` holds, for each step of the history that cannot run, the reason.
    """

    session: Session
    version: Version
    source: DataSource
    columns: tuple[Column, ...]
    broken: dict[EntryId, str]


class StudioService:
    """Every change takes the revision the asker last saw; None does not check it."""

    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine, clock: Clock) -> None:
        self._uow, self._engine, self._clock = uow, engine, clock

    def open(self, user: UserId, version_id: VersionId, project_id: ProjectId | None = None) -> SessionDetail:
        """A new session on the version, in the given project or the first one of the source that the asker may edit."""
        now = self._clock()
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id, Role.EDITOR)
            if project_id is None:
                mine = uow.projects.roles(user, source.project_ids)
                project_id = min(mine, default=None, key=str)
            if project_id is None or project_id not in source.project_ids:
                raise ConflictError("the data source is not in that project")
            project_of(uow, user, project_id, Role.EDITOR)
            session = Session(
                id=SessionId(uuid4()),
                version_id=version_id,
                project_id=project_id,
                owner_id=user,
                created_at=now,
                updated_at=now,
            )
            uow.sessions.add(session)
            uow.commit()
        return SessionDetail(session, version, source, version.columns, {})

    def get(self, user: UserId, session_id: SessionId) -> SessionDetail:
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, source = version_of(uow, user, session.version_id)
        return self._detail(session, version, source)

    def mine(
        self, user: UserId, *, version_id: VersionId | None = None, project_id: ProjectId | None = None
    ) -> Sequence[SessionDetail]:
        """The asker's sessions, last changed first; their columns are the version's."""
        with self._uow() as uow:
            sessions = uow.sessions.of_owner(user, version_id=version_id, project_id=project_id)
            seen = uow.projects.roles(user, {s.project_id for s in sessions})
            bases = {s.id: version_of(uow, user, s.version_id) for s in sessions if s.project_id in seen}
        return tuple(SessionDetail(s, *bases[s.id], bases[s.id][0].columns, {}) for s in sessions if s.id in bases)

    def discard(self, user: UserId, session_id: SessionId) -> None:
        with self._uow() as uow:
            session_of(uow, user, session_id)
            uow.sessions.delete(session_id)
            uow.commit()

    def add(self, user: UserId, session_id: SessionId, step: Step, revision: int | None = None) -> SessionDetail:
        """Puts a step after the cursor. Raises InvalidInputError when it cannot run there, and changes nothing then."""

        def change(session: Session, table: Table) -> None:
            recipe = session.recipe(session.cursor)
            session.add(step, self._engine.fit(table, recipe, step))
            self._engine.schema(table, session.recipe(session.cursor))

        return self._change(user, session_id, revision, change)

    def undo(self, user: UserId, session_id: SessionId, revision: int | None = None) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, _: session.undo())

    def redo(self, user: UserId, session_id: SessionId, revision: int | None = None) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, _: session.redo())

    def jump(
        self, user: UserId, session_id: SessionId, to: EntryId | None, revision: int | None = None
    ) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, _: session.jump(to))

    def change(
        self,
        user: UserId,
        session_id: SessionId,
        entry_id: EntryId,
        *,
        step: Step | None = None,
        enabled: bool | None = None,
        revision: int | None = None,
    ) -> SessionDetail:
        """Edits a step or switches it on or off; the steps after it are replayed on a new branch."""

        def change(session: Session, table: Table) -> None:
            session.change(entry_id, step=step, enabled=enabled)
            self._learn_again(session, table)

        return self._change(user, session_id, revision, change)

    def remove(
        self, user: UserId, session_id: SessionId, entry_id: EntryId, revision: int | None = None
    ) -> SessionDetail:
        """Takes a step out; the steps after it are replayed on a new branch."""

        def change(session: Session, table: Table) -> None:
            session.remove(entry_id)
            self._learn_again(session, table)

        return self._change(user, session_id, revision, change)

    def code(self, user: UserId, session_id: SessionId) -> str:
        """The applied steps as a Python program that needs DuckDB alone."""
        detail = self.get(user, session_id)
        recipe = detail.session.recipe(detail.session.cursor)
        return self._engine.python(recipe, detail.version.columns, f"{detail.version.fingerprint[:12]}.parquet")

    def _change(
        self, user: UserId, session_id: SessionId, revision: int | None, change: Callable[[Session, Table], None]
    ) -> SessionDetail:
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, source = version_of(uow, user, session.version_id)
        check_revision(session.revision, revision)
        change(session, Table.of(version))  # may ask the engine: no transaction is open meanwhile
        session.updated_at = self._clock()
        with self._uow() as uow:
            uow.sessions.save(session)
            uow.commit()
        return self._detail(session, version, source)

    def _learn_again(self, session: Session, table: Table) -> None:
        """What the steps of the branch learn from data is computed anew; a step that cannot run keeps what it knew."""
        recipe = list(session.recipe(None))
        for entry in session.history():
            if not entry.enabled:
                continue
            try:
                session.learn(entry.id, self._engine.fit(table, tuple(recipe), entry.step))
            except InvalidInputError:
                continue
            recipe = list(session.recipe(entry.id))

    def _detail(self, session: Session, version: Version, source: DataSource) -> SessionDetail:
        table = Table.of(version)
        try:
            return SessionDetail(
                session, version, source, self._engine.schema(table, session.recipe(session.cursor)), {}
            )
        except InvalidInputError:
            return SessionDetail(session, version, source, *self._first_fault(session, table))

    def _first_fault(self, session: Session, table: Table) -> tuple[tuple[Column, ...], dict[EntryId, str]]:
        """The columns before the first step that cannot run, and why it cannot."""
        columns = table.columns
        for entry in session.path(session.cursor):
            try:
                columns = self._engine.schema(table, session.recipe(entry.id))
            except InvalidInputError as error:
                return columns, {entry.id: str(error)}
        return columns, {}
