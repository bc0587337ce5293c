"""Profiles of columns: exact figures of all rows, or of a sample while those are not there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import condition
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.formulas import used_columns
from hydroml.adapters.tables.views import Views, shown_columns
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import QUANTILES, ColumnProfile, Profile, View
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.sources import Column, ColumnType, Table

BINS = 24
TOP = 10
MAX_COLUMNS = 500
"""Of so many somebody may wait for the figures."""
SAMPLED = 50_000
_BLOCKS = 10
_CELLS = 10_000_000
_BATCH = 100

_NAMED = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.BOOLEAN)
_IN_FOOTER = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.TIMESTAMP)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def profile(views: Views, view: View, monitor: Monitor | None) -> Profile:
    started = time.perf_counter()
    with (
        views.opened(view.table, view.recipe) as opened,
        views.connection(opened, patient=monitor is not None) as connection,
    ):
        plan = opened.plan
        columns = shown_columns(view, plan.columns)
        if monitor is None:
            columns = columns[:MAX_COLUMNS]
        where, filtering = "", set[str]()
        if view.filter is not None:
            where = f" WHERE {condition(views.types, plan.columns, view.filter, 'filter')}"
            filtering = {column.name for column in used_columns(view.filter, plan.columns)}

        def query(names: Sequence[str]) -> str:
            cells = sql.names(names) or "count(*)"
            return plan.query(opened.source(only={*names, *filtering}), f"SELECT {cells} FROM {plan.last}{where}")

        rows = opened.rows if opened.whole and not where else int(connection.row(query(()))[0])
        profiles = _profiles(connection, query, columns, rows, monitor)
    return Profile(rows, profiles, rows, _milliseconds(started))


def sample(views: Views, view: View) -> Profile:
    started = time.perf_counter()
    table = view.table
    with views.opened(table, ()) as opened, views.connection(opened) as connection:
        columns = shown_columns(view, table.columns)[:MAX_COLUMNS]
        bounds = _footer(connection, opened.file, columns)
        source = f"read_parquet({sql.path(opened.file)}, file_row_number = true)"
        blocks, length = (_BLOCKS, SAMPLED // _BLOCKS) if table.rows > SAMPLED else (1, table.rows)
        step = (table.rows - length) // max(blocks - 1, 1)

        def query(names: Sequence[str]) -> str:
            # One range after the other: over several at once DuckDB would read every row group.
            return " UNION ALL ".join(
                f"SELECT {sql.names(names)} FROM {source}"
                f" WHERE file_row_number BETWEEN {at * step} AND {at * step + length - 1}"
                for at in range(blocks)
            )

        profiles = _profiles(connection, query, columns, blocks * length, None)
    known = tuple(replace(one, **bounds.get(one.name, {})) for one in profiles)
    return Profile(table.rows, known, blocks * length, _milliseconds(started))


def target_summary(connection: Connection, table: Table, source: str, column: str) -> TargetSummary:
    cell = sql.name(column)
    known, distinct, rarest = connection.row(
        f"SELECT coalesce(sum(n), 0)::BIGINT, count(*), coalesce(min(n), 0)"
        f" FROM (SELECT {cell}, count(*) AS n FROM {source} WHERE {cell} IS NOT NULL GROUP BY 1)"
    )
    return TargetSummary(table.rows, table.rows - known, distinct, rarest)


def _footer(connection: Connection, file: Path, columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """What the file's footer says of all rows: how many are missing, and the smallest and largest number or time."""
    found: dict[str, dict[str, Any]] = {}
    for kind in {column.type for column in columns}:
        named = [column.name for column in columns if column.type is kind]
        ordered = kind in _IN_FOOTER
        bounds = [
            f"{which}(stats_{which}_value::{sql.sql_type(kind)})" if ordered else "NULL" for which in ("min", "max")
        ]
        rows = connection.rows(
            f"SELECT path_in_schema, sum(stats_null_count)::BIGINT, {', '.join(bounds)}"
            f" FROM parquet_metadata({sql.path(file)}) WHERE list_contains($1::VARCHAR[], path_in_schema) GROUP BY 1",
            [named],
        )
        for name, missing, low, high in rows:
            found[name] = {} if missing is None else {"missing": missing}
            if low is not None:
                found[name] |= {"minimum": sql.json_value(low), "maximum": sql.json_value(high)}
    return found


def _profiles(
    connection: Connection,
    query: Callable[[Sequence[str]], str],
    columns: Sequence[Column],
    rows: int,
    monitor: Monitor | None,
) -> tuple[ColumnProfile, ...]:
    """`query` gives the columns that are named to it. Some at a time are brought to memory, each of them once."""
    found: list[ColumnProfile] = []
    size = min(max(_CELLS // max(rows, 1), 1), _BATCH)
    for at in range(0, len(columns), size):
        part = columns[at : at + size]
        if monitor is not None:
            monitor.report(at / len(columns), "profile", f"Reading “{part[0].name}”")
        connection.run(f"CREATE OR REPLACE TEMP TABLE profiled AS {query([c.name for c in part])}")
        figures = iter(connection.row(f"SELECT {', '.join(f for c in part for f in _figures(c))} FROM profiled"))
        found += [_profile(connection, column, rows, [next(figures) for _ in range(_FIGURES)]) for column in part]
    connection.run("DROP TABLE IF EXISTS profiled")
    return tuple(found)


_FIGURES = 8


def _figures(column: Column) -> tuple[str, ...]:
    """Count, smallest and largest, mean, standard deviation, zeros, and the shortest and longest text."""
    cell = sql.name(column.name)
    ordered = (f"min({cell})", f"max({cell})") if column.type not in _NAMED else ("NULL", "NULL")
    # Far numbers overflow the variance: then there is none.
    near = f"CASE WHEN abs({cell}) < 1e150 THEN {cell}::DOUBLE END"
    numbers = (
        (f"avg({cell}::DOUBLE)", f"stddev_samp({near})", f"count(*) FILTER ({cell} = 0)")
        if column.type.is_numeric
        else ("NULL", "NULL", "NULL")
    )
    is_text = column.type in (ColumnType.TEXT, ColumnType.CATEGORY)
    lengths = (f"min(length({cell}))", f"max(length({cell}))") if is_text else ("NULL", "NULL")
    return (f"count({cell})", *ordered, *numbers, *lengths)


def _profile(connection: Connection, column: Column, rows: int, figures: list[Any]) -> ColumnProfile:
    known, low, high, mean, std, zeros, shortest, longest = figures
    cell = sql.name(column.name)
    # The most frequent, and of those as frequent the smallest, in one pass without sorting all.
    distinct, top = connection.row(
        f"SELECT count(*), min({{'n': -n, 'value': value}}, {TOP})"
        f" FROM (SELECT {cell} AS value, count(*) AS n FROM profiled WHERE {cell} IS NOT NULL GROUP BY 1)"
    )
    quantiles = None
    if column.type.is_numeric and known:
        quantiles = connection.row(f"SELECT quantile_cont({cell}::DOUBLE, {list(QUANTILES)}) FROM profiled")[0]
    return ColumnProfile(
        name=column.name,
        type=column.type.value,
        missing=rows - known,
        distinct=distinct,
        minimum=sql.json_value(low),
        maximum=sql.json_value(high),
        mean=sql.json_value(mean),
        std=sql.json_value(std),
        quantiles=None if quantiles is None else tuple(map(sql.json_value, quantiles)),
        zeros=zeros,
        lengths=None if shortest is None else (shortest, longest),
        histogram=None if low is None else _histogram(connection, column, low, high),
        top=tuple((sql.json_value(one["value"]), -one["n"]) for one in top or ()),
    )


def _histogram(
    connection: Connection, column: Column, low: Any, high: Any
) -> tuple[tuple[Any, ...], tuple[int, ...]] | None:
    cell = sql.name(column.name)
    if column.type.is_numeric:
        value, first, last = f"{cell}::DOUBLE", float(low), float(high)
    elif column.type.is_temporal:
        value, first, last = f"epoch({cell})", epoch_seconds(low), epoch_seconds(high)
    else:
        return None
    width = last / BINS - first / BINS
    if first == last or not 0 < width < float("inf"):
        edges: tuple[float, ...] = (first, last)
        counts = (connection.row(f"SELECT count({cell}) FROM profiled")[0],)
    else:
        found = dict(
            connection.rows(
                f"SELECT least(floor(({value} - '{first!r}'::DOUBLE) / '{width!r}'::DOUBLE), {BINS - 1})::INTEGER,"
                f" count(*) FROM profiled WHERE {cell} IS NOT NULL GROUP BY 1"
            )
        )
        edges = (*(first + width * at for at in range(BINS)), last)
        counts = tuple(found.get(at, 0) for at in range(BINS))
    if column.type.is_temporal:
        return tuple(epoch_moment(edge, column.type) for edge in edges), counts
    return tuple(map(sql.json_value, edges)), counts


def _milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def epoch_seconds(value: date | datetime) -> float:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds()


def epoch_moment(seconds: float, kind: ColumnType) -> str:
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    return moment.date().isoformat() if kind is ColumnType.DATE else moment.isoformat(timespec="seconds")
