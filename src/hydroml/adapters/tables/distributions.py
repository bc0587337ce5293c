"""How the values of columns are spread over a table and over the rows a filter keeps: what the heads of a grid show."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import condition
from hydroml.adapters.tables.connection import Connection
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

_SAMPLED_FROM = 2_000_000
"""The bars of a longer table are of some of its rows: they are there at once, and look the same."""
_PLACES, _PLACE_ROWS = 8, 51_200
_FEW = 50_000
"""So few rows that a filter keeps are counted one by one, of however many."""
_CELLS = 10_000_000

_Ask = Callable[..., list[tuple[Any, ...]]]
"""A SELECT over the columns that are named."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """Rows in memory: all, or those of some places of the file; and those the filter keeps, where they are few."""

    connection: Connection
    rows: int
    kept: int
    read: int
    read_kept: int
    few: bool

    def ask(self, select: str, *_: str, rest: str = "") -> list[tuple[Any, ...]]:
        return self.connection.rows(f"SELECT {select} FROM counted {rest}")

    def bars(self, cell: str, rest: str = "") -> list[tuple[Any, int, int]]:
        """Each value of `cell` with its number of rows in the table, and of those that the filter keeps."""
        found = self.ask(f"{cell}, count(*), count(*) FILTER (kept)", rest=f"GROUP BY 1 {rest}")
        if self.few:
            held = dict(self.connection.rows(f"SELECT {cell}, count(*) FROM held GROUP BY 1"))
            return [(value, max(self._of_all(n), held.get(value, 0)), held.get(value, 0)) for value, n, _ in found]
        return [(value, self._of_all(n), self._of_kept(n_kept)) for value, n, n_kept in found]

    def _of_all(self, count: int) -> int:
        return count if self.read == self.rows else round(count * self.rows / self.read)

    def _of_kept(self, count: int) -> int:
        return count if self.read == self.rows else round(count * self.kept / max(self.read_kept, 1))


def distributions(views: Views, view: View) -> Distributions:
    started = time.perf_counter()
    with views.opened(view.table, view.recipe) as opened, views.connection(opened) as connection:
        plan = opened.plan
        columns = shown_columns(view, plan.columns)[:MOST_DISTRIBUTIONS]
        kept, filtering = "true", set[str]()
        if view.filter is not None:
            kept = f"coalesce({condition(views.types, plan.columns, view.filter, 'filter')}, false)"
            filtering = {column.name for column in used_columns(view.filter, plan.columns)}
        whole, narrowed = replace(view, filter=None, sort=()), replace(view, sort=())
        rows = views.count(connection, opened, whole)
        positions = None if view.filter is None else views.positions(opened, narrowed)
        rows_kept = rows if positions is None else len(positions)
        sampled = opened.rows > _SAMPLED_FROM
        few = sampled and view.filter is not None and rows_kept <= _FEW

        def put(name: str, part: Sequence[Column], where: str, wheres: Sequence[str]) -> None:
            read = {column.name for column in part} | filtering
            cells = "".join(f", {sql.name(column.name)}" for column in part)
            # One range after the other: over several at once DuckDB would read every row group.
            source = " UNION ALL ".join(opened.source(one, read) for one in wheres)
            query = plan.query(source, f"SELECT {kept} AS kept{cells} FROM {plan.last}{where}")
            connection.run(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

        def of_file(select: str, *names: str, **_: str) -> list[tuple[Any, ...]]:
            """Smallest and largest values stand in its footer."""
            return connection.rows(plan.query(opened.source(only=names), f"SELECT {select} FROM {plan.last}"))

        spread: list[Distribution] = []
        size = max(_CELLS // max(_PLACES * _PLACE_ROWS if sampled else opened.rows, 1), 1)
        for at in range(0, len(columns), size):
            part = columns[at : at + size]
            put("counted", part, "", _places(opened.rows) if sampled else ("",))
            if few:
                put("held", part, f" WHERE {kept}", ("",))
            read, read_kept = connection.row("SELECT count(*), count(*) FILTER (kept) FROM counted")
            counted = _Counted(connection, rows, rows_kept, read, read_kept, few)
            ordered = [column for column in part if _is_ordered(column)]
            bounds = _bounds(counted.ask if plan.stages or not sampled else of_file, ordered)
            spread += [
                _in_bins(counted, column, bounds[column.name]) if _is_ordered(column) else _by_value(counted, column)
                for column in part
            ]
        connection.run("DROP TABLE IF EXISTS counted")
        connection.run("DROP TABLE IF EXISTS held")
    elapsed = (time.perf_counter() - started) * 1000
    return Distributions(rows, rows_kept, tuple(spread), elapsed, estimated=sampled)


def _places(rows: int) -> list[str]:
    step = (rows - _PLACE_ROWS) // (_PLACES - 1)
    starts = [at * step // _PLACE_ROWS * _PLACE_ROWS for at in range(_PLACES - 1)]
    return [f"file_row_number BETWEEN {at} AND {at + _PLACE_ROWS - 1}" for at in [*starts, rows - _PLACE_ROWS]]


def _is_ordered(column: Column) -> bool:
    return column.type.is_numeric or column.type.is_temporal


def _cell(column: Column) -> str:
    """What is infinite or no number is shown as missing."""
    cell = sql.name(column.name)
    return f"CASE WHEN isfinite({cell}) THEN {cell} END" if column.type is ColumnType.NUMBER else cell


def _bounds(ask: _Ask, columns: Sequence[Column]) -> dict[str, tuple[Any, Any]]:
    """Smallest and largest values that are finite."""
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


def _by_value(counted: _Counted, column: Column) -> Distribution:
    cell = sql.name(column.name)
    missing, kept_missing = _missing(counted, cell)
    bare = Distribution(column.name, column.type.value, missing, kept_missing)
    if column.type is ColumnType.DURATION or _is_many_valued(counted.ask, column, counted.rows - missing):
        return bare
    value = f"CASE WHEN length({cell}::VARCHAR) <= {_LONGEST} THEN {cell} END"
    top = [one for one in counted.bars(value, f"ORDER BY 2 DESC, 1 LIMIT {TOP + 1}") if one[0] is not None][:TOP]
    return replace(bare, top=tuple((sql.json_value(value), n, n_kept) for value, n, n_kept in top))


def _missing(counted: _Counted, cell: str) -> tuple[int, int]:
    """Rows without a value, of the table and of those that the filter keeps."""
    found = {value: (n, kept) for value, n, kept in counted.bars(f"{cell} IS NULL")}
    return found.get(True, (0, 0))


def _is_many_valued(ask: _Ask, column: Column, known: int) -> bool:
    """Whether most of the first values differ, of a long table: to count millions of them takes seconds, and there are
    no bars to draw."""
    if column.type is ColumnType.BOOLEAN or known < 10 * _TRIED:
        return False
    cell = sql.name(column.name)
    first = ask(cell, column.name, rest=f"WHERE {cell} IS NOT NULL LIMIT {_TRIED}")
    return len(set(first)) > _TRIED // 2


def _in_bins(counted: _Counted, column: Column, bounds: tuple[Any, Any]) -> Distribution:
    low, high = bounds
    if low is None:
        return Distribution(column.name, column.type.value, counted.rows, counted.kept)
    cell = _cell(column)
    number, edges = _bins(column.type, cell, low, high)
    found = {at: (n, kept) for at, n, kept in counted.bars(f"CASE WHEN {cell} IS NOT NULL THEN {number} END")}
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
