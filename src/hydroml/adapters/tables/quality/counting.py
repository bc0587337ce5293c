"""Rows that meet conditions, in one pass over the table for many of them."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.source import Source, batches
from hydroml.domain.quality.facts import Hits
from hydroml.domain.quality.findings import MOST_ROW_NUMBERS
from hydroml.domain.sources import Table

_BATCH = 40


def hits(source: Source, conditions: Sequence[str]) -> list[Hits]:
    """For each condition, in SQL, the rows for which it is true."""
    found: list[Hits] = []
    row = sql.name(sql.ROW)
    for batch in batches(conditions, _BATCH):
        terms = ", ".join(
            f"count(*) FILTER ({term}), min({row} + 1, {MOST_ROW_NUMBERS}) FILTER ({term})" for term in batch
        )
        figures = source.query(f"SELECT {terms} FROM {source.relation}")[0]
        found += [Hits(count, tuple(first or ())) for count, first in zip(figures[::2], figures[1::2], strict=True)]
    return found


def duplicates(source: Source, columns: Sequence[str], *, complete: bool) -> Hits:
    """Rows that are equal, by a hash of 64 bits, to one before them in `columns`; with `complete` only where no value
    is missing. Two different rows have the same hash once in a million tables of ten million rows."""
    if not columns:
        return Hits(0)
    row = sql.name(sql.ROW)
    where = " WHERE " + " AND ".join(f"{sql.name(c)} IS NOT NULL" for c in columns) if complete else ""
    digest = f"hash({', '.join(sql.name(c) for c in columns)})"
    count = source.query(
        f"SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {source.relation}{where}"
        f" GROUP BY {digest} HAVING count(*) > 1)"
    )[0][0]
    if not count:
        return Hits(0)
    first = source.query(
        f"WITH again AS (SELECT {digest} AS h, min({row}) AS r FROM {source.relation}{where} GROUP BY 1"
        f" HAVING count(*) > 1) SELECT min({row} + 1, {MOST_ROW_NUMBERS}) FROM {source.relation} AS t"
        f" JOIN again ON {digest} = again.h{where or ' WHERE true'} AND {row} <> again.r"
    )[0][0]
    return Hits(count, tuple(first or ()))


def disordered(source: Source, column: str, group: str | None, *, descending: bool, strict: bool) -> Hits:
    cell, row = sql.name(column), sql.name(sql.ROW)
    sign = ("<=" if strict else "<") if not descending else (">=" if strict else ">")
    parted = f"PARTITION BY {sql.name(group)} " if group is not None else ""
    count, first = source.query(
        f"SELECT count(*), min(r, {MOST_ROW_NUMBERS}) FROM (SELECT {row} + 1 AS r, {cell} AS x,"
        f" lag({cell}) OVER ({parted}ORDER BY {row}) AS before FROM {source.relation} WHERE {cell} IS NOT NULL)"
        f" WHERE x {sign} before"
    )[0]
    return Hits(count, tuple(first or ()))


def orphans(source: Source, columns: Sequence[str], other: Table, file: str, other_columns: Sequence[str]) -> Hits:
    """`file` is the other table's, as a literal. Values are compared as text unless both columns have the same type."""
    kinds = {c.name: c.type for c in source.columns}, {c.name: c.type for c in other.columns}
    pairs = []
    for mine, theirs in zip(columns, other_columns, strict=True):
        both = kinds[0][mine].is_numeric and kinds[1][theirs].is_numeric
        cast = "" if both or kinds[0][mine] is kinds[1][theirs] else "::VARCHAR"
        pairs.append(f"t.{sql.name(mine)}{cast} = o.{sql.name(theirs)}{cast}")
    known = " AND ".join(f"t.{sql.name(c)} IS NOT NULL" for c in columns)
    count, first = source.query(
        f"SELECT count(*), min({sql.name(sql.ROW)} + 1, {MOST_ROW_NUMBERS}) FROM {source.relation} AS t WHERE {known}"
        f" AND NOT EXISTS (SELECT 1 FROM read_parquet({file}) AS o WHERE {' AND '.join(pairs)})"
    )[0]
    return Hits(count, tuple(first or ()))
