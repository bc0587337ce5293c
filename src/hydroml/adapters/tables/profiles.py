"""Profiles of columns: one pass for the figures, one a column for its distribution."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.compiler import condition
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.views import Views, shown_columns
from hydroml.application.ports.tables import ColumnProfile, Profile, View
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.sources import Column, ColumnType, Table

BINS = 24
TOP = 10
MAX_COLUMNS = 500
_BATCH = 50
_TOP_DISTINCT = 200_000
_TOP_ROWS = 500_000
_EXACT_ROWS = 50_000
"""Up to so many rows, distinct values are counted and not estimated."""

_NAMED = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.BOOLEAN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def profile(views: Views, view: View) -> Profile:
    """Of the first 500 columns. Raises TooLargeError when it takes too long."""
    started = time.perf_counter()
    with views.opened(view.table, view.recipe) as opened, views.connection(opened) as connection:
        plan = opened.plan
        columns = shown_columns(view, plan.columns)
        part = columns[:MAX_COLUMNS]
        where = (
            f" WHERE {condition(views.types, plan.columns, view.filter, 'filter')}" if view.filter is not None else ""
        )
        reader = _Reader(connection, lambda select: plan.query(opened.source(), select), f"FROM {plan.last}{where}")
        rows = reader.count()
        profiles: list[ColumnProfile] = []
        for at in range(0, len(part), _BATCH):
            profiles += reader.profiles(part[at : at + _BATCH], rows)
    approximate = reader.approximate or len(part) < len(columns)
    return Profile(rows, tuple(profiles), approximate, (time.perf_counter() - started) * 1000)


def target_summary(connection: Connection, table: Table, source: str, column: str) -> TargetSummary:
    cell = sql.name(column)
    known, distinct, rarest = connection.row(
        f"SELECT coalesce(sum(n), 0)::BIGINT, count(*), coalesce(min(n), 0)"
        f" FROM (SELECT {cell}, count(*) AS n FROM {source} WHERE {cell} IS NOT NULL GROUP BY 1)"
    )
    return TargetSummary(table.rows, table.rows - known, distinct, rarest)


class _Reader:
    def __init__(self, connection: Connection, query: Any, source: str) -> None:
        self._connection = connection
        self._query = query
        self._source = source
        self.approximate = False

    def count(self) -> int:
        return int(self._rows(f"SELECT count(*) {self._source}")[0][0])

    def profiles(self, columns: Sequence[Column], rows: int) -> list[ColumnProfile]:
        exact = rows <= _EXACT_ROWS
        self.approximate |= not exact
        wanted = []
        for column in columns:
            cell = sql.name(column.name)
            counted = f"count(DISTINCT {cell})" if exact else f"least(approx_count_distinct({cell}), count({cell}))"
            wanted += [f"count({cell})", counted]
            ordered = column.type not in _NAMED
            wanted += [f"min({cell})", f"max({cell})"] if ordered else ["NULL", "NULL"]
            # Far numbers overflow the variance: then there is none.
            numbers = f"CASE WHEN abs({cell}) < 1e150 THEN {cell}::DOUBLE END"
            wanted += (
                [f"avg({cell}::DOUBLE)", f"stddev_samp({numbers})"] if column.type.is_numeric else ["NULL", "NULL"]
            )
        figures = iter(self._rows(f"SELECT {', '.join(wanted)} {self._source}")[0])
        return [self._profile(column, rows, [next(figures) for _ in range(6)]) for column in columns]

    def _profile(self, column: Column, rows: int, figures: list[Any]) -> ColumnProfile:
        known, distinct, low, high, mean, std = figures
        histogram = top = None
        if column.type in _NAMED:
            top = self._top(column, distinct, rows)
        elif low is not None:
            histogram = self._histogram(column, low, high)
        return ColumnProfile(
            column.name, column.type.value, rows - known, distinct, sql.json_value(low), sql.json_value(high),
            sql.json_value(mean), sql.json_value(std), histogram, top,
        )  # fmt: skip

    def _top(self, column: Column, distinct: int, rows: int) -> tuple[tuple[Any, int], ...]:
        cell = sql.name(column.name)
        source = f"SELECT {cell} AS value {self._source}"
        if distinct > _TOP_DISTINCT and rows > _TOP_ROWS:
            self.approximate = True
            source += f" LIMIT {_TOP_ROWS}"
        found = self._rows(
            f"SELECT value, count(*) AS n FROM ({source}) WHERE value IS NOT NULL"
            f" GROUP BY 1 ORDER BY n DESC, value LIMIT {TOP}"
        )
        return tuple((sql.json_value(value), count) for value, count in found)

    def _histogram(self, column: Column, low: Any, high: Any) -> tuple[tuple[Any, ...], tuple[int, ...]] | None:
        cell = sql.name(column.name)
        if column.type.is_numeric:
            value, first, last = f"{cell}::DOUBLE", float(low), float(high)
        elif column.type.is_temporal:
            value, first, last = f"epoch({cell})", _seconds(low), _seconds(high)
        else:
            return None
        width = last / BINS - first / BINS
        if first == last or not 0 < width < float("inf"):
            edges: tuple[float, ...] = (first, last)
            counts = (self._rows(f"SELECT count({cell}) {self._source}")[0][0],)
        else:
            found = dict(
                self._rows(
                    f"SELECT least(floor(({value} - '{first!r}'::DOUBLE) / '{width!r}'::DOUBLE), {BINS - 1})::INTEGER,"
                    f" count(*) {self._source} GROUP BY 1"
                )
            )
            edges = (*(first + width * at for at in range(BINS)), last)
            counts = tuple(found.get(at, 0) for at in range(BINS))
        if column.type.is_temporal:
            return tuple(_moment(edge, column.type) for edge in edges), counts
        return edges, counts

    def _rows(self, select: str) -> list[tuple[Any, ...]]:
        return self._connection.rows(self._query(select))


def _seconds(value: date | datetime) -> float:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds()


def _moment(seconds: float, kind: ColumnType) -> str:
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    return moment.date().isoformat() if kind is ColumnType.DATE else moment.isoformat(timespec="seconds")
