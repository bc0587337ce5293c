"""Looking at tables: pages and figures of versions and sessions."""

from dataclasses import dataclass

from hydroml.application.access import run_of, session_of, version_of
from hydroml.application.inputs import others_of, recipe_at, tables_of
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.tables import (
    ChartData,
    Distributions,
    FormulaKind,
    MatchReport,
    Profile,
    StepPreview,
    TableEngine,
    TablePage,
    TextHit,
    TextSearch,
    View,
)
from hydroml.domain.charts import Chart
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import UserId
from hydroml.domain.sources import ColumnType, Table, VersionId
from hydroml.domain.studio.conditions import Group
from hydroml.domain.studio.recipes import Recipe, RecipeStep, with_inputs
from hydroml.domain.studio.session import EntryId, SessionId
from hydroml.domain.studio.steps import SortKey, Step

MAX_PAGE = 1_000


class AtCursor:
    """Stands for the place a session is at."""


AT_CURSOR = AtCursor()


@dataclass(frozen=True, slots=True)
class FormulaCheck:
    """The type of a formula's value, or what is wrong with it."""

    type: ColumnType | None
    faults: tuple[Fault, ...]
    condition: Group | None = None
    """A condition as comparisons, if it is made of those."""


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

    def rejected_view(self, user: UserId, version_id: VersionId) -> View | None:
        """The rows of a version's files that could not be read; None when all could."""
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        rejected = version.origin.rejected
        return None if rejected is None else View(rejected)

    def run_view(
        self,
        user: UserId,
        run_id: RunId,
        *,
        filter: str | None = None,  # noqa: A002 - the API's word
        sort: tuple[SortKey, ...] = (),
        columns: tuple[str, ...] | None = None,
    ) -> View:
        """The rows a run was judged on. Raises RunStateError before it has succeeded."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
        return View(run.judged(), (), filter, sort, columns)

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
            others = others_of(uow, session)
        tip = session.cursor if isinstance(at, AtCursor) else at
        table = Table.of(version)
        return View(table, recipe_at(self._engine, table, session, tip, others), filter, sort, columns)

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage:
        """`limit` rows from `offset` on. Raises InvalidInputError when they are out of bounds."""
        if offset < 0:
            raise InvalidInputError.at("offset", msg="counts from 0", code="range")
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInputError.at("limit", msg=f"between 1 and {MAX_PAGE}", code="range")
        return self._engine.page(view, offset, limit, total=total)

    def profile(self, view: View) -> Profile:
        """Of the first 500 columns of the view."""
        return self._engine.profile(view)

    def distributions(self, view: View) -> Distributions:
        """Of the view's columns, or of the first 100 when it names none."""
        return self._engine.distributions(view)

    def find(self, view: View, search: TextSearch) -> TextHit:
        """The next cell of the view that holds a text. Raises InvalidInputError for a column that is not there."""
        return self._engine.find(view, search)

    def chart(self, view: View, chart: Chart) -> ChartData:
        """What the chart draws of the view's rows. Raises InvalidInputError for columns that do not suit."""
        return self._engine.chart(view, chart)

    def check_formula(self, view: View, formula: str, kind: FormulaKind) -> FormulaCheck:
        """Whether a formula can be worked out on the view's table; no row is read."""
        try:
            found = self._engine.check_formula(view.table, view.recipe, formula, kind)
        except InvalidInputError as error:
            return FormulaCheck(None, error.faults)
        if kind == "value":
            return FormulaCheck(found, ())
        return FormulaCheck(found, (), self._engine.read_condition(view.table, view.recipe, formula))

    def preview(
        self, user: UserId, session_id: SessionId, step: Step, at: EntryId | AtCursor | None = AT_CURSOR
    ) -> StepPreview:
        """What the step would do after the session's cursor, or after any of its steps; nothing is stored."""
        return self._engine.preview(*self._next(user, session_id, step, at))

    def match(
        self, user: UserId, session_id: SessionId, step: Step, at: EntryId | AtCursor | None = AT_CURSOR
    ) -> MatchReport:
        """How the keys of a join would meet after the session's cursor, or after any of its steps."""
        return self._engine.match(*self._next(user, session_id, step, at))

    def _next(
        self, user: UserId, session_id: SessionId, step: Step, at: EntryId | AtCursor | None
    ) -> tuple[Table, Recipe, RecipeStep]:
        view = self.session_view(user, session_id, at=at)
        with self._uow() as uow:
            tables = tables_of(uow, session_of(uow, user, session_id).project_id, (step,))
        return view.table, view.recipe, with_inputs((RecipeStep(step),), tables)[0]
