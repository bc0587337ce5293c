"""Looking at tables: pages and figures of versions and sessions."""

from hydroml.application.access import session_of, version_of
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.tables import Profile, StepPreview, TableEngine, TablePage, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import UserId
from hydroml.domain.sources import Table, VersionId
from hydroml.domain.studio.session import EntryId, SessionId
from hydroml.domain.studio.steps import SortKey, Step

MAX_PAGE = 1_000


class AtCursor:
    """Stands for the place a session is at."""


AT_CURSOR = AtCursor()


class TableService:
    """A view's filter, order and columns narrow what is shown; they are never part of the table."""

    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine) -> None:
        self._uow, self._engine = uow, engine

    def version_view(
        self,
        user: UserId,
        version_id: VersionId,
        *,
        filter: str | None = None,  # noqa: A002 - the API's word
        sort: tuple[SortKey, ...] = (),
        columns: tuple[str, ...] | None = None,
    ) -> View:
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        return View(Table.of(version), (), filter, sort, columns)

    def session_view(
        self,
        user: UserId,
        session_id: SessionId,
        *,
        at: EntryId | AtCursor | None = AT_CURSOR,
        filter: str | None = None,  # noqa: A002 - the API's word
        sort: tuple[SortKey, ...] = (),
        columns: tuple[str, ...] | None = None,
    ) -> View:
        """The table of a session as of any of its steps; None is the version as it is."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, _ = version_of(uow, user, session.version_id)
        tip = session.cursor if isinstance(at, AtCursor) else at
        return View(Table.of(version), session.recipe(tip), filter, sort, columns)

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage:
        """`limit` rows from `offset` on. Raises InvalidInputError when they are out of bounds."""
        if offset < 0:
            raise InvalidInputError.at("offset", msg="counts from 0", code="range")
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInputError.at("limit", msg=f"between 1 and {MAX_PAGE}", code="range")
        return self._engine.page(view, offset, limit, total=total)

    def profile(self, view: View) -> Profile:
        return self._engine.profile(view)

    def preview(
        self, user: UserId, session_id: SessionId, step: Step, at: EntryId | AtCursor | None = AT_CURSOR
    ) -> StepPreview:
        """What the step would do after the session's cursor, or after any of its steps; nothing is stored."""
        view = self.session_view(user, session_id, at=at)
        return self._engine.preview(view.table, view.recipe, step)
