"""Which column is the time of the rows, and which one tells the series apart."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.source import Source
from hydroml.domain.quality.facts import ColumnFacts
from hydroml.domain.quality.findings import named
from hydroml.domain.quality.words import looks_like_group, looks_like_year, words_of
from hydroml.domain.sources import ColumnType

UNIQUE = 0.95
"""The share of rows with a time of their own, from which a column is the time of the rows."""
_MOST_TRIED = 8
_FEWEST_ROWS = 10
_DIGITS = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Time:
    """An expression that gives the time of a row; it is called by its first column."""

    columns: tuple[str, ...]
    expression: str


def compact_dates(source: Source, columns: Sequence[ColumnFacts]) -> dict[str, str]:
    """Whole numbers such as 19580329 that are dates in every row, with the formula that makes dates of them."""
    found = {}
    for column in columns:
        numbers = column.numbers
        if numbers is None or not numbers.whole or column.distinct < 10:
            continue
        if numbers.minimum < 15_000_101 or numbers.maximum > 22_001_231:
            continue
        cell = sql.name(column.name)
        wrong = source.query(
            f"SELECT count(*) FROM {source.relation} WHERE {cell} IS NOT NULL AND {_compact(cell)} IS NULL"
        )[0][0]
        if not wrong:
            found[column.name] = f"date(strptime(text(integer({named(column.name)})), '%Y%m%d'))"
    return found


def _compact(cell: str) -> str:
    return f"try_strptime({cell}::BIGINT::VARCHAR, '%Y%m%d')"


def time_of(source: Source, columns: Sequence[ColumnFacts], compact: Sequence[str]) -> tuple[Time, str | None] | None:
    """The time, and the column of the groups if the times of single groups are unique only."""
    times = list(_times(columns, compact))[:_MOST_TRIED]
    for time in times:
        if _share(source, time.expression) >= UNIQUE:
            return time, None
    for time in times[:2]:
        for group in list(_groups(columns, time))[:_MOST_TRIED]:
            if _share(source, f"({sql.name(group)}, {time.expression})") >= UNIQUE:
                return time, group
    return None


def _times(columns: Sequence[ColumnFacts], compact: Sequence[str]) -> Iterator[Time]:
    for column in columns:
        if column.type.is_temporal and column.share_missing <= 0.1 and column.distinct >= _FEWEST_ROWS:
            cell = sql.name(column.name)
            yield Time((column.name,), f"CASE WHEN isfinite({cell}) THEN {cell}::TIMESTAMP END")
    for name in compact:
        yield Time((name,), _compact(sql.name(name)))
    yield from _parts(columns)


def _parts(columns: Sequence[ColumnFacts]) -> Iterator[Time]:
    """Year, month and day in columns of their own, by their names."""
    whole = [c for c in columns if c.missing == 0 and _range(c) is not None]
    year = next((c for c in whole if looks_like_year(c.name) and _within(c, 1000, 2300) and c.distinct > 1), None)
    if year is None:
        return

    def part(names: str, low: int, high: int) -> ColumnFacts | None:
        wanted = frozenset(names.split())
        return next((c for c in whole if words_of(c.name) & wanted and _within(c, low, high)), None)

    month, quarter = part("month mnth mon mo mm monat mois", 1, 12), part("quarter qtr", 1, 4)
    day = part("day dy dd tag jour", 1, 31)
    hour = part("hour hr hh stunde heure", 0, 23)
    y = f"{sql.name(year.name)}::BIGINT"
    if month is None and quarter is not None:
        m = f"(3 * {sql.name(quarter.name)} - 2)::BIGINT"
        yield Time((year.name, quarter.name), f"try(make_timestamp({y}, {m}, 1, 0, 0, 0.0))")
    elif month is not None:
        given = [p for p in (month, day, hour if day else None) if p is not None]
        m, d, h = (f"{sql.name(p.name)}::BIGINT" for p in (month, day or month, hour or month))
        d, h = d if day else "1", h if hour and day else "0"
        yield Time((year.name, *(p.name for p in given)), f"try(make_timestamp({y}, {m}, {d}, {h}, 0, 0.0))")
    else:
        yield Time((year.name,), f"try(make_timestamp({y}, 1, 1, 0, 0, 0.0))")


def _within(column: ColumnFacts, low: int, high: int) -> bool:
    found = _range(column)
    return found is not None and low <= found[0] and found[1] <= high


def _range(column: ColumnFacts) -> tuple[float, float] | None:
    """The smallest and largest of whole numbers; also of text such as 01 to 12, whose leading zeros kept it text."""
    if column.numbers is not None:
        return (column.numbers.minimum, column.numbers.maximum) if column.numbers.whole else None
    known = [value for value, _ in column.values]
    if column.distinct > len(known) or not known or not all(isinstance(v, str) and _DIGITS.fullmatch(v) for v in known):
        return None
    return min(map(int, known)), max(map(int, known))


def _groups(columns: Sequence[ColumnFacts], time: Time) -> Iterator[str]:
    """Columns whose values come again with other times, the likeliest first."""
    possible = [
        column
        for column in columns
        if column.name not in time.columns
        and column.missing == 0
        and 2 <= column.distinct <= min(10_000, column.rows / 5)
        and (
            column.type in (ColumnType.TEXT, ColumnType.CATEGORY)
            or (column.type is ColumnType.INTEGER and looks_like_group(column.name))
        )
    ]
    possible.sort(key=lambda c: (not looks_like_group(c.name), c.type is ColumnType.INTEGER, c.distinct))
    return (column.name for column in possible)


def _share(source: Source, expression: str) -> float:
    known, distinct = source.query(
        f"SELECT count(x), count(DISTINCT x) FROM (SELECT {expression} AS x FROM {source.relation})"
    )[0]
    return distinct / known if known >= _FEWEST_ROWS else 0.0
