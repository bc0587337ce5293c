"""How the values of columns are spread over a table and over the rows a filter keeps: what the heads of a grid show."""

import time
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import condition
from hydroml.adapters.tables.formulas import used_columns
from hydroml.adapters.tables.profiles import BINS, TOP, epoch_moment, epoch_seconds
from hydroml.adapters.tables.views import Views, shown_columns
from hydroml.application.ports.tables import MOST_DISTRIBUTIONS, Distribution, Distributions, View
from hydroml.domain.sources import Column, ColumnType

_DAY = 86_400.0
_LARGE_INTEGER = 2**62
_TRIED = 20_000
_LONGEST = 500
"""Characters of a value that is worth a bar."""

_Ask = Callable[..., list[tuple[Any, ...]]]
"""A SELECT over some columns, with whether the filter keeps a row as `kept`."""


def distributions(views: Views, view: View) -> Distributions:
    started = time.perf_counter()
    with views.opened(view.table, view.recipe) as opened, views.connection(opened) as connection:
        plan = opened.plan
        columns = shown_columns(view, plan.columns)[:MOST_DISTRIBUTIONS]
        kept, filtering = "true", set[str]()
        if view.filter is not None:
            kept = f"coalesce({condition(views.types, plan.columns, view.filter, 'filter')}, false)"
            filtering = {column.name for column in used_columns(view.filter, plan.columns)}

        def ask(select: str, *names: str, rest: str = "") -> list[tuple[Any, ...]]:
            source = opened.source(only={*names, *filtering})
            cells = "".join(f", {sql.name(name)}" for name in names)
            judged = f"(SELECT {kept} AS kept{cells} FROM {plan.last})"
            return connection.rows(plan.query(source, f"SELECT {select} FROM {judged} {rest}"))

        rows, rows_kept = ask("count(*), count(*) FILTER (kept)")[0]
        bounds = _bounds(ask, [column for column in columns if _is_ordered(column)])
        spread = tuple(
            _in_bins(ask, column, (rows, rows_kept), bounds[column.name])
            if _is_ordered(column)
            else _by_value(ask, column, (rows, rows_kept))
            for column in columns
        )
    return Distributions(rows, rows_kept, spread, (time.perf_counter() - started) * 1000)


def _is_ordered(column: Column) -> bool:
    return column.type.is_numeric or column.type.is_temporal


def _cell(column: Column) -> str:
    """What is infinite or no number is shown as missing."""
    cell = sql.name(column.name)
    return f"CASE WHEN isfinite({cell}) THEN {cell} END" if column.type is ColumnType.NUMBER else cell


def _bounds(ask: _Ask, columns: Sequence[Column]) -> dict[str, tuple[Any, Any]]:
    """Smallest and largest values. Those of bare columns stand in the file's footer; only where one is infinite, the
    rows are read."""
    found: dict[str, tuple[Any, Any]] = {}
    for cell in (lambda column: sql.name(column.name), _cell):
        left = [c for c in columns if c.name not in found or not all(map(_is_finite, found[c.name]))]
        if left:
            select = ", ".join(f"min({cell(column)}), max({cell(column)})" for column in left)
            bounds = iter(ask(select, *(column.name for column in left))[0])
            found |= {column.name: (next(bounds), next(bounds)) for column in left}
    return found


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or isfinite(value)


def _by_value(ask: _Ask, column: Column, rows: tuple[int, int]) -> Distribution:
    cell = sql.name(column.name)
    known, kept = ask(f"count({cell}), count({cell}) FILTER (kept)", column.name)[0]
    missing = Distribution(column.name, column.type.value, rows[0] - known, rows[1] - kept)
    if column.type is ColumnType.DURATION or _is_many_valued(ask, column, known):
        return missing
    rest = f"WHERE length({cell}::VARCHAR) <= {_LONGEST} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP}"
    top = ask(f"{cell}, count(*), count(*) FILTER (kept)", column.name, rest=rest)
    return Distribution(
        missing.name,
        missing.type,
        missing.missing,
        missing.kept_missing,
        top=tuple((sql.json_value(value), n, n_kept) for value, n, n_kept in top),
    )


def _is_many_valued(ask: _Ask, column: Column, known: int) -> bool:
    """Whether most of the first values differ, of a long table: to count millions of them takes seconds, and there are
    no bars to draw."""
    if column.type is ColumnType.BOOLEAN or known < 10 * _TRIED:
        return False
    cell = sql.name(column.name)
    first = ask(cell, column.name, rest=f"WHERE {cell} IS NOT NULL LIMIT {_TRIED}")
    return len(set(first)) > _TRIED // 2


def _in_bins(ask: _Ask, column: Column, rows: tuple[int, int], bounds: tuple[Any, Any]) -> Distribution:
    low, high = bounds
    if low is None:
        return Distribution(column.name, column.type.value, *rows)
    cell = _cell(column)
    number, edges = _bins(column.type, cell, low, high)
    select = f"CASE WHEN {cell} IS NOT NULL THEN {number} END, count(*), count(*) FILTER (kept)"
    found = {at: (n, kept) for at, n, kept in ask(select, column.name, rest="GROUP BY 1")}
    bins = [found.get(at, (0, 0)) for at in range(len(edges) - 1)]
    counts, kept = tuple(n for n, _ in bins), tuple(n for _, n in bins)
    missing, kept_missing = found.get(None, (0, 0))
    return Distribution(column.name, column.type.value, missing, kept_missing, edges, counts, kept)


def _bins(kind: ColumnType, cell: str, low: Any, high: Any) -> tuple[str, tuple[Any, ...]]:
    """The number of a value's bin as SQL, and the edges of all: of whole numbers, days or seconds where values are."""
    if kind in (ColumnType.NUMBER, ColumnType.DECIMAL):
        first, last = float(low), float(high)
        width = last / BINS - first / BINS
        if not 0 < width < float("inf"):
            return "0", (sql.json_value(low), sql.json_value(high))
        number = f"least(floor(({cell}::DOUBLE - '{first!r}'::DOUBLE) / '{width!r}'::DOUBLE), {BINS - 1})::INTEGER"
        return number, (sql.json_value(low), *(first + width * at for at in range(1, BINS)), sql.json_value(high))
    if kind is ColumnType.INTEGER:
        start, end = int(low), int(high)
        # Arithmetic of 128 bits is several times slower.
        whole = cell if max(abs(start), abs(end)) < _LARGE_INTEGER else f"{cell}::HUGEINT"
    else:
        unit = _DAY if kind is ColumnType.DATE else 1.0
        start, end = (int(epoch_seconds(value) // unit) for value in (low, high))
        whole = f"floor(epoch({cell}) / {unit})::BIGINT"
    width = -(-(end - start + 1) // BINS)
    inner = [start + width * at for at in range(-(-(end - start + 1) // width))]
    number = f"(({whole} - ({start})) // {width})::INTEGER"
    if kind is ColumnType.INTEGER:
        return number, (*map(sql.json_value, inner), sql.json_value(high))
    return number, (*(epoch_moment(at * unit, kind) for at in inner), sql.json_value(high))
