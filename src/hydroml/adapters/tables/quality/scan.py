"""One pass over the table for the figures of every column."""

from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.source import SAMPLE, Source, batches
from hydroml.domain.quality.facts import FEW, ColumnFacts, NumberFacts, TimeFacts
from hydroml.domain.quality.words import ODD_DATES, SENTINELS
from hydroml.domain.sources import Column, ColumnType

_BATCH = 40
_EXACT_ROWS = 100_000
_EXACT_COLUMNS = 40
_NAMED = (ColumnType.TEXT, ColumnType.CATEGORY)
_QUANTILES = (5, 25, 50, 75, 95)


def scan(source: Source) -> list[ColumnFacts]:
    """Figures of every column; those of texts and of the sample are still to come."""
    found: list[ColumnFacts] = []
    for at, batch in enumerate(batches(source.columns, _BATCH)):
        source.monitor.report(0.3 * at * _BATCH / len(source.columns), "quality", "Reading the columns")
        found += _batch(source, batch)
    return [_with_values(source, column) for column in _exactly_counted(source, found)]


def _batch(source: Source, columns: Any) -> list[ColumnFacts]:
    exact = source.rows <= _EXACT_ROWS
    wanted: list[str] = []
    counts: list[int] = []
    for column in columns:
        terms = _terms(column, exact=exact)
        wanted += terms
        counts.append(len(terms))
    figures = iter(source.query(f"SELECT {', '.join(wanted)} FROM {source.relation}")[0])
    return [
        _column(column, source.rows, [next(figures) for _ in range(count)], exact=exact)
        for column, count in zip(columns, counts, strict=True)
    ]


def _terms(column: Column, *, exact: bool) -> list[str]:
    cell = sql.name(column.name)
    terms = [f"count({cell})", f"count(DISTINCT {cell})" if exact else f"approx_count_distinct({cell})"]
    if column.type.is_numeric:
        x = f"{cell}::DOUBLE"
        finite = f"CASE WHEN isfinite({x}) THEN {x} END"
        return [
            *terms,
            f"min({finite})",
            f"max({finite})",
            f"avg({finite})",
            f"stddev_samp(CASE WHEN abs({finite}) < 1e150 THEN {x} END)",
            f"count_if({x} = 0)",
            f"count_if({finite} < 0)",
            f"count_if(NOT isfinite({x}))",
            f"bool_and({finite} = trunc({finite}))",
            f"min(CASE WHEN {x} > 0 AND isfinite({x}) THEN {x} END)",
        ]
    if column.type.is_temporal:
        moment = f"CASE WHEN isfinite({cell}) THEN {cell}::TIMESTAMP END"
        odd = [f"count_if({cell}::DATE = DATE '{day}')" for day in ODD_DATES]
        first, last = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59'"
        return [*terms, f"greatest(min({moment}), {first})", f"least(max({moment}), {last})", *odd]
    return terms


def _column(column: Column, rows: int, figures: list[Any], *, exact: bool) -> ColumnFacts:
    known, distinct, *rest = figures
    facts = ColumnFacts(column.name, column.type, rows, rows - known, min(distinct, known), exact)
    if column.type.is_numeric and rest[0] is not None:
        low, high, mean, std, zeros, negatives, infinite, whole, positive = rest
        numbers = NumberFacts(
            low, high, _or_zero(mean), _or_zero(std), zeros, negatives, infinite, bool(whole), positive
        )
        return replace(facts, numbers=numbers)
    if column.type.is_temporal and rest[0] is not None:
        low, high, *odd = rest
        occurring = tuple((day, count) for day, count in zip(ODD_DATES, odd, strict=True) if count)
        return replace(facts, times=TimeFacts(_naive(low), _naive(high), occurring))
    return facts


def _or_zero(value: float | None) -> float:
    return value if value is not None and isfinite(value) else 0.0


def _naive(value: datetime) -> datetime:
    return value.replace(tzinfo=None)


def _exactly_counted(source: Source, found: list[ColumnFacts]) -> list[ColumnFacts]:
    """Where every value may be another one, estimates will not do."""
    done = 0
    result = []
    for column in found:
        nearly = not column.exact and column.distinct >= 0.9 * column.known and column.known > 0
        if nearly and column.type in (*_NAMED, ColumnType.INTEGER, ColumnType.DATE, ColumnType.TIMESTAMP):
            if done < _EXACT_COLUMNS:
                count = source.query(f"SELECT count(DISTINCT {sql.name(column.name)}) FROM {source.relation}")[0][0]
                result.append(replace(column, distinct=count, exact=True))
                done += 1
                continue
            source.bounds.append(f"Whether values are unique was checked in {_EXACT_COLUMNS} columns only.")
        result.append(column)
    source.bounds[:] = list(dict.fromkeys(source.bounds))
    return result


def _with_values(source: Source, column: ColumnFacts) -> ColumnFacts:
    """All values with their counts, where they are few; and the sentinels among the numbers."""
    cell = sql.name(column.name)
    if column.known and column.distinct <= FEW * 1.2 and column.type is not ColumnType.DURATION:
        rows = source.query(
            f"SELECT {cell}, count(*) AS n FROM {source.relation} WHERE {cell} IS NOT NULL"
            f" GROUP BY 1 ORDER BY n DESC, 1 LIMIT {FEW + 1}"
        )
        if len(rows) <= FEW:
            values = tuple((sql.json_value(value), count) for value, count in rows)
            column = replace(column, values=values, distinct=len(rows), exact=True)
    numbers = column.numbers
    if numbers is not None and (numbers.minimum in SENTINELS or numbers.maximum in SENTINELS):
        column = replace(column, numbers=_with_sentinels(source, cell, numbers))
    return column


def _with_sentinels(source: Source, cell: str, numbers: NumberFacts) -> NumberFacts:
    listed = ", ".join(f"'{value!r}'::DOUBLE" for value in SENTINELS)
    found = source.query(
        f"SELECT {cell}::DOUBLE, count(*) FROM {source.relation} WHERE {cell}::DOUBLE IN ({listed}) GROUP BY 1"
    )
    low, high = source.query(
        f"SELECT min({cell}::DOUBLE), max({cell}::DOUBLE) FROM {source.relation}"
        f" WHERE {cell}::DOUBLE NOT IN ({listed}) AND isfinite({cell}::DOUBLE)"
    )[0]
    rest = None if low is None else (low, high)
    return replace(numbers, sentinels=tuple(sorted(found)), rest=rest)


def with_quantiles(source: Source, found: list[ColumnFacts]) -> list[ColumnFacts]:
    """Quantiles and the most frequent value, of the sample."""
    numeric = [column for column in found if column.numbers is not None]
    known: dict[str, NumberFacts] = {}
    for batch in batches(numeric, 2 * _BATCH):
        terms = ", ".join(f"{sql.name(c.name)}::DOUBLE AS c{at}" for at, c in enumerate(batch))
        arrays = source.arrays(f"SELECT {terms} FROM {SAMPLE}")
        for at, column in enumerate(batch):
            assert column.numbers is not None  # noqa: S101 - chosen above
            known[column.name] = _quantiled(column.numbers, as_floats(arrays[f"c{at}"]))
    return [replace(c, numbers=known[c.name]) if c.name in known else c for c in found]


def as_floats(array: Any) -> Any:
    """NumPy's floats, NaN where there is no value."""
    return np.ma.filled(np.ma.asarray(array, dtype=np.float64), np.nan)


def _quantiled(numbers: NumberFacts, values: Any) -> NumberFacts:
    values = values[np.isfinite(values)]
    values = values[~np.isin(values, [value for value, _ in numbers.sentinels])]
    if not len(values):
        return numbers
    unique, counts = np.unique(values, return_counts=True)
    top = int(counts.argmax())
    positive = values[values > 0]
    return replace(
        numbers,
        quantiles=_five(values),
        positive_quantiles=_five(positive) if len(positive) else (),
        spike=(float(unique[top]), float(counts[top] / len(values))),
    )


def _five(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in np.percentile(values, _QUANTILES))
