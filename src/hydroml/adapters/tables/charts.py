"""Charts of views: what is drawn is computed where the rows are, and only marks leave.

Numbers are read as DOUBLE and times as seconds since 1970; what is missing, NaN or infinite is in no mark.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import combinations
from typing import Any, Literal

import pandas as pd

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import condition
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.tables import ChartData, View
from hydroml.domain.charts import (
    MOST_MARKS,
    MOST_SERIES,
    Aggregate,
    Bar,
    Box,
    Calendar,
    Chart,
    Correlation,
    CorrelationMethod,
    DoubleMass,
    FlowDuration,
    Gaps,
    HeatMap,
    Histogram,
    Hydrograph,
    Line,
    Scatter,
    Seasons,
    SiteMap,
    TimeSeries,
    check_columns,
)
from hydroml.domain.sources import Column, ColumnType

_GROUPS = 50
"""Of more categories the largest are drawn."""
_SPANS = 400
"""Periods in a gap chart, and points of a double mass curve."""
_COMPARED = 200_000_000
"""Beyond so many pairs of cells a correlation is of a sample."""
_SORTED = 1_500_000
"""Quantiles are exact for so many rows, and beyond of a sample."""
_RANKED = 20_000
_PERIODS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_EXCEEDED = (0.0, 0.1, 0.2, 0.5, *(float(p) for p in range(1, 100)), 99.5, 99.8, 99.9, 100.0)
"""Percent of the values."""
_AGGREGATES = {
    Aggregate.COUNT: "count(*)",
    Aggregate.SUM: "sum(v)",
    Aggregate.MEAN: "avg(v)",
    Aggregate.MEDIAN: "median(v)",
    Aggregate.MINIMUM: "min(v)",
    Aggregate.MAXIMUM: "max(v)",
}
_HASHED = f"hash({sql.name(sql.ROW)})"

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Marks:
    columns: tuple[Column, ...]
    rows: Rows
    used: int
    how: Literal["all", "binned", "sampled"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A view that a chart is made of: `query` reads `drawn`, the cells that are named to it."""

    connection: Connection
    columns: dict[str, Column]
    query: Callable[[str, str], str]
    rows: int

    def ask(self, cells: dict[str, str], select: str) -> Rows:
        """`select` over `drawn`, whose columns are the expressions in `cells`."""
        return self.connection.rows(self.query(", ".join(f"{cell} AS {name}" for name, cell in cells.items()), select))

    def kind(self, name: str) -> ColumnType:
        return self.columns[name].type

    def value(self, name: str) -> str:
        cell = sql.name(name)
        if self.kind(name).is_temporal:
            return f"CASE WHEN isfinite({cell}) THEN epoch({cell}::TIMESTAMP) END"
        return f"CASE WHEN isfinite({cell}::DOUBLE) THEN {cell}::DOUBLE END"

    def values(self, names: Sequence[str], prefix: str = "v") -> dict[str, str]:
        return {f"{prefix}{at}": self.value(name) for at, name in enumerate(names)}

    def figure(self, value: str | None) -> dict[str, str]:
        """The cell that an aggregate is of; without one, rows are counted."""
        return {"v": "1" if value is None else self.value(value)}

    def shown(self, name: str, expression: str) -> str:
        """A value back in the column's own type."""
        kind = self.kind(name)
        if not kind.is_temporal:
            return expression
        moment = f"make_timestamp(CAST(round(({expression}) * 1e6) AS BIGINT))"
        return f"{moment}::DATE" if kind is ColumnType.DATE else moment

    def field(self, title: str, name: str) -> Column:
        """A field of marks with values of a column."""
        kind = self.kind(name)
        return Column(title, kind if kind.is_temporal else ColumnType.NUMBER)

    def sample(self, most: int) -> tuple[str, str]:
        """A condition that about so many rows fulfil, the same each time, for what must sort; and what is to be said.
        Nothing when there are not more."""
        every = -(-self.rows // most)
        if every <= 1:
            return "", ""
        about = f"about {self.rows // every:,} of {self.rows:,} rows"
        return f" AND {_HASHED} % {every} = 0", f"Quantiles are of {about}, the same each time; extremes are of all."

    def known(self, cells: dict[str, str]) -> str:
        return " AND ".join(f"{name} IS NOT NULL" for name in cells)


def chart(views: Views, view: View, wanted: Chart) -> ChartData:
    started = time.perf_counter()
    with views.opened(view.table, view.recipe) as opened, views.connection(opened) as connection:
        plan = opened.plan
        check_columns(wanted, plan.columns)
        where = ""
        if view.filter is not None:
            where = f" WHERE {condition(views.types, plan.columns, view.filter, 'filter')}"

        def query(cells: str, select: str) -> str:
            drawn = f"SELECT {sql.name(sql.ROW)}, {cells} FROM {plan.last}{where}"
            return plan.query(opened.source(), f", drawn AS ({drawn}) {select}")

        rows = opened.rows
        if where or not opened.whole:
            rows = connection.row(query("1 AS one", "SELECT count(*) FROM drawn"))[0]
        marks = _marks(wanted, _Asked(connection, {c.name: c for c in plan.columns}, query, rows))
    elapsed = (time.perf_counter() - started) * 1000
    return ChartData(marks.columns, sql.json_rows(marks.rows), rows, marks.used, marks.how, marks.note, elapsed)


@singledispatch
def _marks(wanted: Chart, asked: _Asked) -> _Marks:
    raise NotImplementedError(wanted.kind)


@_marks.register
def _(wanted: Histogram, asked: _Asked) -> _Marks:
    cells = {"v": asked.value(wanted.column)}
    fields = (asked.field("from", wanted.column), asked.field("to", wanted.column), _number("rows"))
    used, low, high = asked.ask(cells, "SELECT count(v), min(v), max(v) FROM drawn")[0]
    if not used:
        return _Marks(fields, [], 0, "binned")
    low, high, width, bins = _bins(asked, wanted.column, low, high, wanted.bins)
    first, last = (asked.shown(wanted.column, edge) for edge in _edges(low, high, bins, width))
    found = asked.ask(
        cells,
        f", counted AS (SELECT {_bin('v', low, width, bins)} AS spot, count(*) AS n FROM drawn WHERE v IS NOT NULL"
        f" GROUP BY 1) SELECT {first}, {last}, coalesce(n, 0) FROM range({bins}) AS every(spot)"
        " LEFT JOIN counted USING (spot) ORDER BY spot",
    )
    return _Marks(fields, found, used, "binned")


@_marks.register
def _(wanted: Box, asked: _Asked) -> _Marks:
    group = "'all'" if wanted.by is None else _category(wanted.by)
    return _boxes(asked, wanted.column, group, _text("category"))


@_marks.register
def _(wanted: Seasons, asked: _Asked) -> _Marks:
    month = f"month({sql.name(wanted.time)})"
    return _boxes(asked, wanted.column, f"CASE WHEN isfinite({sql.name(wanted.time)}) THEN {month} END", _int("month"))


def _boxes(asked: _Asked, column: str, group: str, first: Column) -> _Marks:
    cells = {"g": group, "v": asked.value(column)}
    missing = "" if first.type is ColumnType.TEXT else " AND g IS NOT NULL"
    part, sampled = asked.sample(_SORTED)
    found = asked.ask(
        cells,
        ", every AS MATERIALIZED (SELECT g, count(*) AS n, min(v) AS low, max(v) AS high, avg(v) AS mean FROM drawn"
        f" WHERE v IS NOT NULL{missing} GROUP BY g ORDER BY n DESC, g LIMIT {_GROUPS + 1}),"
        " stats AS MATERIALIZED (SELECT g, quantile_cont(v, [0.25, 0.5, 0.75]) AS q FROM drawn"
        f" WHERE v IS NOT NULL{part} GROUP BY g),"
        " fences AS MATERIALIZED (SELECT stats.g, any_value(q) AS q,"
        " min(v) FILTER (v >= q[1] - 1.5 * (q[3] - q[1])) AS lower, max(v) FILTER (v <= q[3] + 1.5 * (q[3] - q[1]))"
        " AS upper FROM stats JOIN drawn ON stats.g IS NOT DISTINCT FROM drawn.g"
        f" WHERE v IS NOT NULL{part} GROUP BY stats.g)"
        " SELECT every.g, n, low, lower, q[1], q[2], q[3], upper, high, mean FROM every LEFT JOIN fences"
        " ON every.g IS NOT DISTINCT FROM fences.g ORDER BY every.g NULLS LAST",
    )
    shown, note = _largest(found, 1)
    figures = ("minimum", "lower whisker", "quartile 1", "median", "quartile 3", "upper whisker", "maximum", "mean")
    fields = (first, _number("rows"), *(_number(name) for name in figures))
    return _Marks(fields, shown, sum(row[1] for row in shown), "binned", f"{note} {sampled}".strip())


@_marks.register
def _(wanted: Scatter, asked: _Asked) -> _Marks:
    cells = {"x": asked.value(wanted.x), "y": asked.value(wanted.y)}
    pair = asked.known(cells)
    fields = [asked.field(wanted.x, wanted.x), Column(wanted.y, ColumnType.NUMBER)]
    shown = [asked.shown(wanted.x, "x"), "y"]
    if wanted.colour is not None:
        numeric = asked.kind(wanted.colour).is_numeric
        cells["c"] = asked.value(wanted.colour) if numeric else _category(wanted.colour)
        fields.append(Column(wanted.colour, ColumnType.NUMBER if numeric else ColumnType.TEXT))
        shown.append("c")
    known = asked.ask(cells, f"SELECT count(*) FROM drawn WHERE {pair}")[0][0]
    order = f"{_HASHED} LIMIT {MOST_MARKS}" if known > MOST_MARKS else sql.name(sql.ROW)
    found = asked.ask(cells, f"SELECT {', '.join(shown)} FROM drawn WHERE {pair} ORDER BY {order}")
    used, how = len(found), _how(len(found), known)
    return _Marks(_distinct(fields), found, used, how, _sampled(used, known))


@_marks.register
def _(wanted: TimeSeries, asked: _Asked) -> _Marks:
    return _series(asked, wanted.time, wanted.columns, wanted.by)


@_marks.register
def _(wanted: Line, asked: _Asked) -> _Marks:
    return _series(asked, wanted.x, wanted.columns, wanted.by)


@_marks.register
def _(wanted: Hydrograph, asked: _Asked) -> _Marks:
    return _series(asked, wanted.time, (wanted.flow, wanted.rain), None)


def _series(asked: _Asked, x: str, columns: tuple[str, ...], by: str | None) -> _Marks:
    """Each x, or each span of it, with the smallest, mean and largest value of each line: no extreme is lost."""
    values = asked.values(columns)
    cells = {"x": asked.value(x), "g": "NULL" if by is None else _category(by), **values}
    some = f"x IS NOT NULL AND coalesce({', '.join(values)}) IS NOT NULL"
    note, kept = "", ""
    lines: list[str | None] = list(columns)
    if by is not None:
        groups = asked.ask(
            cells, f"SELECT g FROM drawn WHERE {some} GROUP BY 1 ORDER BY count(*) DESC, g LIMIT {MOST_SERIES + 1}"
        )
        if len(groups) > MOST_SERIES:
            note = f"Only the {MOST_SERIES} values of “{by}” with the most rows are drawn. "
        lines = [group for (group,) in groups[:MOST_SERIES]]
        names = [sql.text(g) for g in lines if g is not None]
        kept = f" AND (g IN ({', '.join([*names, 'NULL'])}){' OR g IS NULL' if None in lines else ''})"
    points = MOST_MARKS // max(len(lines), 1)
    used, low, high, distinct = asked.ask(
        cells, f"SELECT count(*), min(x), max(x), approx_count_distinct(x) FROM drawn WHERE {some}{kept}"
    )[0]
    spans = used > points and distinct > points * 0.8
    width = _period(asked, x, low, high, points) if spans else 0.0
    at = f"floor(x / {width!r}) * {width!r}" if spans else "x"
    if spans:
        note += f"A point for each {_words(width, asked.kind(x))}: smallest, mean and largest value."
    elif used > distinct * 1.2 * max(len(lines) if by else 1, 1):
        note += f"Several rows share a value of “{x}”: smallest, mean and largest are drawn."
    figures = ", ".join(f"count({v}), min({v}), avg({v}), max({v}), sum({v})" for v in values)
    found = asked.ask(
        cells, f"SELECT {asked.shown(x, 'spot')}, * EXCLUDE (spot) FROM (SELECT {at} AS spot, g, {figures} FROM drawn"
        f" WHERE {some}{kept} GROUP BY 1, 2) ORDER BY spot, g NULLS LAST",
    )  # fmt: skip
    rows = [
        (row[0], columns[n] if by is None else row[1], *row[2 + n * 5 : 7 + n * 5])
        for row in found
        for n in range(len(columns))
    ]
    fields = [asked.field("at", x), _text("line"), _number("rows")]
    fields += [_number(name) for name in ("minimum", "mean", "maximum", "sum")]
    return _Marks(tuple(fields), rows, used, "binned" if spans or used > len(found) else "all", note.strip())


@_marks.register
def _(wanted: Bar, asked: _Asked) -> _Marks:
    cells = {"g": _category(wanted.category), **asked.figure(wanted.value)}
    found = asked.ask(
        cells, f"SELECT g, {_AGGREGATES[wanted.aggregate]} AS figure, count(*) AS n FROM drawn WHERE v IS NOT NULL"
        f" GROUP BY 1 ORDER BY n DESC, g LIMIT {_GROUPS + 1}",
    )  # fmt: skip
    shown, note = _largest(found, 2)
    fields = (_text("category"), _number("value"), _number("rows"))
    return _Marks(fields, shown, sum(row[2] for row in shown), "binned", note)


@_marks.register
def _(wanted: HeatMap, asked: _Asked) -> _Marks:
    cells = {**asked.figure(wanted.value), "x": _axis_cell(asked, wanted.x), "y": _axis_cell(asked, wanted.y)}
    sides = [_axis(asked, cells, place, name, wanted.bins) for place, name in (("x", wanted.x), ("y", wanted.y))]
    (x_from, x_to, x_kept, x_note), (y_from, y_to, y_kept, y_note) = sides
    found = asked.ask(
        cells, f"SELECT {x_from}, {x_to}, {y_from}, {y_to}, {_AGGREGATES[wanted.aggregate]}, count(*) AS n FROM drawn"
        f" WHERE v IS NOT NULL AND {x_kept} AND {y_kept} GROUP BY 1, 2, 3, 4 ORDER BY 1, 3",
    )  # fmt: skip
    fields = [_side(asked, place, name) for place, name in (
        ("x from", wanted.x), ("x to", wanted.x), ("y from", wanted.y), ("y to", wanted.y),
    )]  # fmt: skip
    used = sum(row[5] for row in found)
    return _Marks((*fields, _number("value"), _number("rows")), found, used, "binned", f"{x_note} {y_note}".strip())


@_marks.register
def _(wanted: Calendar, asked: _Asked) -> _Marks:
    cell = sql.name(wanted.time)
    cells = {"year": f"year({cell})", "month": f"month({cell})", **asked.figure(wanted.value)}
    found = asked.ask(
        cells, f"SELECT year, month, {_AGGREGATES[wanted.aggregate]}, count(*) FROM drawn WHERE v IS NOT NULL"
        f" AND year IS NOT NULL GROUP BY 1, 2 ORDER BY year DESC, month DESC LIMIT {MOST_MARKS}",
    )  # fmt: skip
    fields = (_int("year"), _int("month"), _number("value"), _number("rows"))
    return _Marks(fields, found[::-1], sum(row[3] for row in found), "binned")


@_marks.register
def _(wanted: Correlation, asked: _Asked) -> _Marks:
    cells = asked.values(wanted.columns)
    pairs = list(combinations(range(len(cells)), 2))
    fields = (_text("column"), _text("other"), _number("correlation"), _number("rows"))
    most = _RANKED if wanted.method is CorrelationMethod.SPEARMAN else _COMPARED // len(pairs)
    used = min(asked.rows, most)
    part = f" (SELECT * FROM drawn ORDER BY {_HASHED} LIMIT {most})" if asked.rows > most else " drawn"
    if wanted.method is CorrelationMethod.SPEARMAN:
        frame = pd.DataFrame(
            asked.ask(cells, f"SELECT {', '.join(cells)} FROM{part}"), columns=list(cells), dtype=float
        )
        known = frame.notna().astype(int)
        both, ranked = (known.T @ known).to_numpy(), frame.corr(method="spearman").to_numpy()
        figures = [(float(ranked[a, b]), int(both[a, b])) for a, b in pairs]
    else:
        of_pairs = ", ".join(
            # A column that is the same everywhere goes with nothing.
            f"CASE WHEN regr_sxx(v{a}, v{b}) > 0 AND regr_syy(v{a}, v{b}) > 0 THEN corr(v{a}, v{b}) END,"
            f" regr_count(v{a}, v{b})"
            for a, b in pairs
        )
        row = asked.ask(cells, f"SELECT {of_pairs} FROM{part}")[0]
        figures = [(row[at * 2], row[at * 2 + 1]) for at in range(len(pairs))]
    rows = [
        (wanted.columns[a], wanted.columns[b], r, n) for (a, b), (r, n) in zip(pairs, figures, strict=True)
    ]  # fmt: skip
    return _Marks(fields, rows, used, "sampled" if used < asked.rows else "binned", _sampled(used, asked.rows))


@_marks.register
def _(wanted: SiteMap, asked: _Asked) -> _Marks:
    cells = {"x": asked.value(wanted.longitude), "y": asked.value(wanted.latitude), **asked.figure(wanted.value)}
    found = asked.ask(
        cells, f"SELECT x, y, {_AGGREGATES[wanted.aggregate]}, count(*) AS n FROM drawn WHERE {asked.known(cells)}"
        f" GROUP BY 1, 2 ORDER BY n DESC, x, y LIMIT {MOST_MARKS + 1}",
    )  # fmt: skip
    more = len(found) > MOST_MARKS
    shown = found[:MOST_MARKS]
    note = f"Only the {MOST_MARKS:,} places with the most rows are drawn." if more else ""
    fields = (_number("longitude"), _number("latitude"), _number("value"), _number("rows"))
    return _Marks(fields, shown, sum(row[3] for row in shown), "binned", note)


@_marks.register
def _(wanted: FlowDuration, asked: _Asked) -> _Marks:
    cells = asked.values(wanted.columns)
    places = [1 - p / 100 for p in _EXCEEDED]
    part, sampled = asked.sample(_SORTED)
    figures = ", ".join(f"count({v}), quantile_cont({v}, {places!r})" for v in cells)
    ends = ", ".join(f"max({v}), min({v})" for v in cells)
    row = asked.ask(cells, f"SELECT {figures} FROM drawn WHERE true{part}")[0]
    extremes = asked.ask(cells, f"SELECT {ends} FROM drawn")[0]
    rows = [
        (exceeded, name, value)
        for n, name in enumerate(wanted.columns)
        if row[n * 2]
        for exceeded, value in zip(
            _EXCEEDED, [extremes[n * 2], *row[n * 2 + 1][1:-1], extremes[n * 2 + 1]], strict=True
        )
    ]
    fields = (_number("exceeded in percent"), _text("line"), _number("value"))
    return _Marks(fields, rows, max(row[::2]), "binned", sampled)


@_marks.register
def _(wanted: DoubleMass, asked: _Asked) -> _Marks:
    cells = {"t": asked.value(wanted.time), "x": asked.value(wanted.x), "y": asked.value(wanted.y)}
    used, low, high = asked.ask(cells, f"SELECT count(*), min(t), max(t) FROM drawn WHERE {asked.known(cells)}")[0]
    fields = (asked.field("at", wanted.time), _number(wanted.x), _number(wanted.y))
    spans = used > _SPANS
    width = _period(asked, wanted.time, low, high, _SPANS) if spans else 0.0
    span = f"floor(t / {width!r})" if width else "t"
    found = asked.ask(
        cells, f"SELECT {asked.shown(wanted.time, 'last')}, sum(x) OVER sofar, sum(y) OVER sofar FROM (SELECT"
        f" max(t) AS last, sum(x) AS x, sum(y) AS y FROM drawn WHERE {asked.known(cells)} GROUP BY {span})"
        " WINDOW sofar AS (ORDER BY last) ORDER BY last",
    )  # fmt: skip
    note = f"A point for each {_words(width, asked.kind(wanted.time))}." if width else ""
    return _Marks(_distinct(list(fields)), found, used, "binned" if used > len(found) else "all", note)


@_marks.register
def _(wanted: Gaps, asked: _Asked) -> _Marks:
    present = {f"c{at}": f"{sql.name(name)} IS NOT NULL" for at, name in enumerate(wanted.columns)}
    cells = {"t": asked.value(wanted.time), **present}
    used, low, high, distinct = asked.ask(
        cells, "SELECT count(t), min(t), max(t), approx_count_distinct(t) FROM drawn"
    )[0]  # fmt: skip
    span = (asked.field("from", wanted.time), asked.field("to", wanted.time))
    fields = (*span, _text("column"), _number("present"), _number("rows"))
    if not used:
        return _Marks(fields, [], 0, "binned")
    spans = min(_SPANS, MOST_MARKS // len(wanted.columns), max(distinct, 1))
    width = _period(asked, wanted.time, low, high, spans)
    known = ", ".join(f"count(*) FILTER ({cell})" for cell in present)
    first, last = asked.shown(wanted.time, "spot"), asked.shown(wanted.time, f"spot + {width!r}")
    found = asked.ask(
        cells, f"SELECT {first}, {last}, n, * EXCLUDE (spot, n) FROM (SELECT floor(t / {width!r}) * {width!r} AS spot,"
        f" count(*) AS n, {known} FROM drawn WHERE t IS NOT NULL GROUP BY 1) ORDER BY spot",
    )  # fmt: skip
    rows = [(row[0], row[1], name, row[3 + n], row[2]) for row in found for n, name in enumerate(wanted.columns)]
    return _Marks(fields, rows, used, "binned", f"One mark is {_words(width, asked.kind(wanted.time))}.")


def _category(name: str) -> str:
    return f"left({sql.name(name)}::VARCHAR, 200)"


def _axis_cell(asked: _Asked, name: str) -> str:
    return asked.value(name) if _measured(asked, name) else _category(name)


def _measured(asked: _Asked, name: str) -> bool:
    return asked.kind(name).is_numeric or asked.kind(name).is_temporal


def _axis(asked: _Asked, cells: dict[str, str], place: str, name: str, bins: int) -> tuple[str, str, str, str]:
    """Where a cell of a heat map begins and ends along an axis, which rows are on it, and what is to be said."""
    if not _measured(asked, name):
        found = asked.ask(
            cells, f"SELECT {place} FROM drawn WHERE v IS NOT NULL AND {place} IS NOT NULL GROUP BY 1"
            f" ORDER BY count(*) DESC, 1 LIMIT {_GROUPS + 1}",
        )  # fmt: skip
        names = ", ".join(sql.text(category) for (category,) in found[:_GROUPS]) or "NULL"
        note = f"Only the {_GROUPS} values of “{name}” with the most rows are drawn." if len(found) > _GROUPS else ""
        return place, place, f"{place} IN ({names})", note
    low, high = asked.ask(cells, f"SELECT min({place}), max({place}) FROM drawn WHERE v IS NOT NULL")[0]
    low, high, width, bins = _bins(asked, name, low or 0.0, high or 0.0, bins)
    at = _bin(place, low, width, bins)
    first, last = _edges(low, high, bins, width, at)
    return asked.shown(name, first), asked.shown(name, last), f"{place} IS NOT NULL", ""


def _side(asked: _Asked, title: str, name: str) -> Column:
    return asked.field(title, name) if _measured(asked, name) else _text(title)


def _bins(asked: _Asked, name: str, low: float, high: float, bins: int) -> tuple[float, float, float, int]:
    """From where to where, how wide and how many: whole numbers and times have round edges."""
    if asked.kind(name).is_temporal:
        width = _period(asked, name, low, high, bins)
        low = low // width * width
        bins = int((high - low) // width) + 1
        return low, low + bins * width, width, bins
    if asked.kind(name) is ColumnType.INTEGER and high - low < bins:
        bins = int(high - low) + 1
        return low, high + 1, 1.0, bins
    width = high / bins - low / bins
    return (low, high, width, bins) if 0 < width < float("inf") else (low, high, 1.0, 1)


def _bin(value: str, low: float, width: float, bins: int) -> str:
    return f"least(floor(({value} - {_literal(low)}) / {_literal(width)}), {bins - 1})::BIGINT"


def _edges(low: float, high: float, bins: int, width: float, at: str = "spot") -> tuple[str, str]:
    first = f"{_literal(low)} + ({at}) * {_literal(width)}"
    return first, f"CASE WHEN ({at}) = {bins - 1} THEN {_literal(high)} ELSE {first} + {_literal(width)} END"


def _literal(value: float) -> str:
    return f"'{float(value)!r}'::DOUBLE"


def _period(asked: _Asked, name: str, low: float, high: float, most: int) -> float:
    """The width of at most so many spans: for times a round one, whole days when it is a day or more."""
    width = (high - low) / max(most - 1, 1)
    if not asked.kind(name).is_temporal:
        return width if width > 0 else 1.0
    smallest = 86400 if asked.kind(name) is ColumnType.DATE else 1
    days = -(-width // 86400) * 86400.0
    return float(next((p for p in _PERIODS if p >= max(width, smallest)), days))


def _words(width: float, kind: ColumnType) -> str:
    if not kind.is_temporal:
        return f"span of {width:.4g}"
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if width >= size and width % size == 0:
            count = int(width // size)
            return word if count == 1 else f"{count:,} {word}s"
    return f"{width:,} seconds"


def _largest(found: Rows, count: int) -> tuple[Rows, str]:
    """At most so many groups, those with the most rows; `count` is where the number of rows stands."""
    if len(found) <= _GROUPS:
        return found, ""
    smallest = min(range(len(found)), key=lambda at: (found[at][count], -at))
    return [*found[:smallest], *found[smallest + 1 :]], f"Only the {_GROUPS} groups with the most rows are drawn."


def _how(used: int, known: int) -> Literal["all", "sampled"]:
    return "sampled" if used < known else "all"


def _sampled(used: int, known: int) -> str:
    return f"{used:,} of {known:,} rows, the same each time." if used < known else ""


def _distinct(fields: list[Column]) -> tuple[Column, ...]:
    """A column may be drawn against itself."""
    names = [column.name for column in fields]
    return tuple(
        Column(f"{c.name} ({at + 1})", c.type) if names.count(c.name) > 1 else c for at, c in enumerate(fields)
    )


def _number(name: str) -> Column:
    return Column(name, ColumnType.NUMBER)


def _int(name: str) -> Column:
    return Column(name, ColumnType.INTEGER)


def _text(name: str) -> Column:
    return Column(name, ColumnType.TEXT)
