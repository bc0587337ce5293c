"""Figures of several values as SQL aggregates, over groups, filters and windows."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.steps.shapes import PLACE
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.steps.statistics import Statistic, Summary

_OF_NUMBERS = (Statistic.SUM, Statistic.MEAN, Statistic.MEDIAN, Statistic.STD, Statistic.QUANTILE)
_KEEPING = (Statistic.MIN, Statistic.MAX, Statistic.FIRST, Statistic.LAST)


def result_type(statistic: Statistic, column: Column, *loc: str | int) -> ColumnType:
    """Raises InvalidInputError at `loc` when the figure means nothing for the column's type; booleans are 0 and 1."""
    if statistic in (Statistic.COUNT, Statistic.COUNT_DISTINCT):
        return ColumnType.INTEGER
    if statistic in _KEEPING:
        return column.type
    if statistic in _OF_NUMBERS and not column.type.is_numeric and column.type is not ColumnType.BOOLEAN:
        raise InvalidInputError.at(
            *loc, msg=f"“{column.name}” is {column.type}; the {statistic} needs numbers", code="type"
        )
    if statistic is Statistic.SUM:
        return ColumnType.INTEGER if column.type is ColumnType.BOOLEAN else column.type
    return ColumnType.NUMBER


def figure(
    statistic: Statistic, column: Column | None, tail: str = "", *, quantile: float = 0.5, minimum: int = 1
) -> str:
    """The aggregate of a column's cells, or the count of rows; `tail` is a FILTER or an OVER. First and last follow
    `PLACE`."""
    if column is None:
        return f"count(*){tail}"
    cell = sql.name(column.name)
    if column.type is ColumnType.BOOLEAN and statistic in _OF_NUMBERS:
        cell = f"{cell}::BIGINT"
    found = _figure(statistic, cell, column.type, tail, quantile)
    if minimum <= 1 or statistic.counts:
        return found
    return f"CASE WHEN count({cell}){tail} >= {minimum} THEN {found} END"


def _figure(statistic: Statistic, cell: str, kind: ColumnType, tail: str, quantile: float) -> str:
    number = kind is ColumnType.NUMBER
    finite = f"CASE WHEN isfinite({cell}::DOUBLE) THEN {cell}::DOUBLE END"
    calls = {
        Statistic.COUNT: f"count({cell})",
        Statistic.COUNT_DISTINCT: f"count(DISTINCT {cell})",
        # Kahan's sum: the same for any number of threads as far as the digits go that people see.
        Statistic.SUM: f"{'fsum' if number else 'sum'}({cell})",
        Statistic.MEAN: f"{'favg' if number else 'avg'}({cell})",
        Statistic.MEDIAN: f"quantile_cont({cell}::DOUBLE, 0.5)",
        Statistic.QUANTILE: f"quantile_cont({cell}::DOUBLE, {quantile!r})",
        Statistic.STD: f"stddev_samp({finite})",
        Statistic.MIN: f"min({cell})",
        Statistic.MAX: f"max({cell})",
        Statistic.FIRST: f"arg_min({cell}, {PLACE})",
        Statistic.LAST: f"arg_max({cell}, {PLACE})",
        Statistic.SHARE_MISSING: f"avg(CASE WHEN {cell} IS NULL THEN 1.0 ELSE 0.0 END::DOUBLE)",
    }
    found = f"{calls[statistic]}{tail}"
    if statistic is Statistic.SUM and kind in (ColumnType.INTEGER, ColumnType.BOOLEAN):
        return f"CAST({found} AS BIGINT)"
    if statistic in (Statistic.SUM, Statistic.MEAN, Statistic.MEDIAN, Statistic.QUANTILE) and number:
        return f"nullif({found}, 'nan'::DOUBLE)"  # of infinities of both signs
    if statistic is Statistic.STD and number:
        return f"CASE WHEN NOT bool_or(isinf({cell})){tail} THEN {found} END"
    return found


def summaries(builder: Builder, values: Sequence[Summary], *loc: str) -> tuple[list[str], list[Column]]:
    """The aggregates, and the columns they make. Raises InvalidInputError with the place of the fault."""
    expressions, columns = [], []
    for at, value in enumerate(values):
        column = builder.column(value.column, *loc, at, "column") if value.column else None
        kind = ColumnType.INTEGER if column is None else result_type(value.statistic, column, *loc, at, "column")
        nullable = value.statistic not in (Statistic.COUNT, Statistic.COUNT_DISTINCT)
        expressions.append(figure(value.statistic, column, quantile=value.quantile, minimum=value.minimum))
        columns.append(Column(value.result, kind, nullable))
    return expressions, columns
