"""The columns of the sample as numbers, for what is searched and associated in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.scan import as_floats
from hydroml.adapters.tables.quality.source import SAMPLE, Source
from hydroml.domain.quality.facts import FEW, ColumnFacts
from hydroml.domain.sources import ColumnType

MOST_COLUMNS = 60

_NAMED = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.BOOLEAN)


@dataclass(frozen=True)
class Sampled:
    """`values` are the numeric columns (NaN where missing); `codes` those of few values (-1 where missing)."""

    rows: int
    numeric: tuple[ColumnFacts, ...]
    values: Any
    named: tuple[ColumnFacts, ...]
    codes: Any


def read_sample(source: Source, columns: Sequence[ColumnFacts]) -> Sampled:
    """Of the first `MOST_COLUMNS` columns that are neither empty nor constant nor a key."""
    wanted = [column for column in columns if _is_wanted(column)]
    if len(wanted) > MOST_COLUMNS:
        source.bounds.append(
            f"Associations, and columns that others determine, were looked for in {MOST_COLUMNS} of"
            f" {len(wanted)} columns."
        )
        wanted = wanted[:MOST_COLUMNS]
    numeric = tuple(column for column in wanted if column.numbers is not None)
    named = tuple(column for column in wanted if _has_classes(column))
    values = source.arrays(_select([f"{sql.name(c.name)}::DOUBLE" for c in numeric]))
    codes = source.arrays(
        _select([f"CASE WHEN {sql.name(c.name)} IS NOT NULL THEN hash({sql.name(c.name)}) END" for c in named])
    )
    rows = source.query(f"SELECT count(*) FROM {SAMPLE}")[0][0]
    matrix = [np.where(np.isfinite(v := as_floats(values[f"c{at}"])), v, np.nan) for at in range(len(numeric))]
    coded = [_coded(codes[f"c{at}"]) for at in range(len(named))]
    return Sampled(
        rows,
        numeric,
        np.column_stack(matrix) if matrix else np.empty((rows, 0)),
        named,
        np.column_stack(coded) if coded else np.empty((rows, 0), dtype=np.int64),
    )


def _is_wanted(column: ColumnFacts) -> bool:
    if column.known < 3 or column.distinct < 2:
        return False
    return column.numbers is not None or _has_classes(column)


def _has_classes(column: ColumnFacts) -> bool:
    """Whether its values come again and again, so that they are classes of rows."""
    if column.type in _NAMED:
        return 2 <= column.distinct <= 0.2 * column.known
    return column.type is ColumnType.INTEGER and 2 <= column.distinct <= min(FEW, 0.2 * column.known)


def _select(terms: Sequence[str]) -> str:
    listed = ", ".join(f"{term} AS c{at}" for at, term in enumerate(terms)) or "1 AS nothing"
    return f"SELECT {listed} FROM {SAMPLE}"


def _coded(hashes: Any) -> Any:
    missing = np.ma.getmaskarray(hashes)
    _, codes = np.unique(np.ma.getdata(hashes), return_inverse=True)
    return np.where(missing, -1, codes.reshape(-1))
