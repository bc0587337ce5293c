"""How the keys of a join meet: counted key by key, without making its rows."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.connection import INTERACTIVE_SECONDS, Connection, Connections
from hydroml.adapters.tables.steps.combine import OTHER, key_cells, key_name, named_keys, nearest
from hydroml.adapters.tables.steps.shapes import PLACE
from hydroml.adapters.tables.views import Views, source
from hydroml.application.ports.tables import MatchReport
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Join, JoinKind, JoinNearest

_SAMPLE = 10


def match(views: Views, connections: Connections, table: Table, recipe: Recipe, entry: RecipeStep) -> MatchReport:
    step = entry.step
    if isinstance(step, JoinNearest):
        return _match_nearest(views, connections, table, recipe, entry)
    if not isinstance(step, Join):
        raise InvalidInputError.at("op", msg="only joins are matched; preview this step", code="op")
    plan = views.plan(table.columns, (*recipe, entry))  # faults are found before anything is computed
    with views.opened(table, recipe) as opened, views.inputs(plan) as files:
        other, file = plan.inputs[-1], files[-1]
        left, right, _ = key_cells(opened.plan.columns, other, step.on, "on")
        names = [key_name(at) for at in range(len(step.on))]
        on = " AND ".join(f"l.{name} = r.{name}" for name in names)
        keys = ", ".join(f"coalesce(l.{name}, r.{name}) AS {name}" for name in names)
        met = opened.plan.query(
            opened.source(),
            f"SELECT {keys}, l.copies AS mine, r.copies AS theirs FROM ({_counted(left, opened.plan.last)}) l"
            f" FULL JOIN ({_counted(right, f'({source(file, other.columns)})')}) r ON {on}",
        )
        with connections.fresh(opened.file, file, seconds=INTERACTIVE_SECONDS) as connection:
            connection.run(f"CREATE TEMP TABLE keys AS {met}")
            return _report(connection, step.how, ", ".join(names))


def _match_nearest(
    views: Views, connections: Connections, table: Table, recipe: Recipe, entry: RecipeStep
) -> MatchReport:
    step = entry.step
    assert isinstance(step, JoinNearest)  # noqa: S101 - its caller knows
    plan = views.plan(table.columns, (*recipe, entry))
    with views.opened(table, recipe) as opened, views.inputs(plan) as files:
        other, file = plan.inputs[-1], files[-1]
        found = nearest(Builder.after(views.types, opened.plan), step, other, f"({source(file, other.columns)})")
        told = sql.names((*(key.left for key in step.keys), step.left))
        met = f"SELECT * FROM (WITH {found} SELECT {PLACE}, {told}, {OTHER} FROM mine JOIN found USING ({PLACE}))"
        with connections.fresh(opened.file, file, seconds=INTERACTIVE_SECONDS) as connection:
            connection.run(f"CREATE TEMP TABLE met AS {opened.plan.query(opened.source(), met)}")
            rows, matched, partners = connection.row(
                f"SELECT count(*), count({OTHER}), count(DISTINCT {OTHER}) FROM met"
            )
            alone = connection.rows(f"SELECT {told} FROM met WHERE {OTHER} IS NULL ORDER BY {PLACE} LIMIT {_SAMPLE}")
    return MatchReport(
        rows_left=rows,
        rows_right=other.rows,
        matched_left=matched,
        matched_right=partners,
        unmatched_left=sql.json_rows(alone),
        unmatched_right=(),
        rows_after=rows if step.keep == "all" else matched,
        most_partners=min(matched, 1),
        largest_key=None,
        largest_rows=0,
    )


def _counted(cells: Sequence[str], table: str) -> str:
    return f"SELECT {named_keys(cells)}, count(*) AS copies FROM {table} GROUP BY ALL"


def _report(connection: Connection, how: JoinKind, names: str) -> MatchReport:
    both = "mine IS NOT NULL AND theirs IS NOT NULL"
    counts = ("sum(mine)", "sum(theirs)", *(f"sum({n}) FILTER ({both})" for n in ("mine", "theirs", "mine * theirs")))
    totals = ", ".join(f"coalesce({count}, 0)::HUGEINT" for count in counts)
    most = f"coalesce(max(theirs) FILTER ({both}), 0)"
    rows_left, rows_right, left, right, pairs, partners = connection.row(f"SELECT {totals}, {most} FROM keys")
    twice_left, twice_right = connection.row(
        "SELECT count(*) FILTER (mine > 1), count(*) FILTER (theirs > 1) FROM keys"
    )
    largest = connection.rows(
        f"SELECT mine * theirs, {names} FROM keys WHERE {both} ORDER BY mine * theirs DESC, {names} LIMIT 1"
    )
    after = {
        JoinKind.INNER: pairs,
        JoinKind.LEFT: pairs + rows_left - left,
        JoinKind.RIGHT: pairs + rows_right - right,
        JoinKind.FULL: pairs + rows_left - left + rows_right - right,
        JoinKind.SEMI: left,
        JoinKind.ANTI: rows_left - left,
    }

    def alone(side: str, other: str) -> tuple[tuple[object, ...], ...]:
        where = f"{side} IS NOT NULL AND {other} IS NULL"
        return sql.json_rows(
            connection.rows(f"SELECT {names} FROM keys WHERE {where} ORDER BY {side} DESC, {names} LIMIT {_SAMPLE}")
        )

    return MatchReport(
        rows_left=rows_left,
        rows_right=rows_right,
        matched_left=left,
        matched_right=right,
        unmatched_left=alone("mine", "theirs"),
        unmatched_right=alone("theirs", "mine"),
        rows_after=after[how],
        most_partners=partners,
        largest_key=sql.json_rows(largest)[0][1:] if largest else None,
        largest_rows=largest[0][0] if largest else 0,
        repeated_left=twice_left,
        repeated_right=twice_right,
    )
