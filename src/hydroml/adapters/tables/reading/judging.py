"""Which type a column of texts gets: one counts only if every value of the whole file fits it.

The beginning of a file rules out most kinds; over the whole file only the narrowest that is left is tested, and the
others where it fails.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.reading.kinds import (
    ALL,
    COMPACT_DATE,
    CONTRADICTING,
    DIGITS,
    KINDS,
    NUMERIC,
    Decision,
    Finding,
    Raw,
)
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, DateOrder

_AT_ONCE = 100
_BATCH = 500
"""Columns tested by one query: what DuckDB needs for a CASE grows with the number of columns around it."""

UNEXPECTED = "a cell unlike those above it"


def _count_if(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _mask(raw: Raw, alive: int, text: str) -> str:
    tests = (
        f"CASE WHEN {raw.test(kind.fits, at, text)} THEN {1 << at} ELSE 0 END"
        for at, kind in enumerate(KINDS)
        if alive >> at & 1
    )
    return f"CASE WHEN {text} IS NULL OR {raw.is_marker(text)} THEN {ALL} ELSE {' + '.join(tests)} END"


def first_findings(connection: Connection, raw: Raw) -> list[Finding]:
    """What the values of a small table fit: all its cells in one column, so that wide tables cost no more than long."""
    cells = ", ".join(f"trim({raw.cell(column)})" for column in raw.columns)
    count = len(raw.columns)
    rows = connection.rows(
        f"SELECT nth, bit_and({_mask(raw, ALL, 't')}), count(t), {_count_if(raw.is_marker('t'))}"
        f" FROM (SELECT unnest([{cells}]) AS t, unnest(range({count})) AS nth FROM {raw.source}) GROUP BY nth"
    )
    found = {at: Finding(common if values > marked else ALL, values, marked) for at, common, values, marked in rows}
    return [found.get(at, Finding(ALL, 0, 0)) for at in range(count)]


def findings(connection: Connection, raw: Raw, first: Sequence[Finding]) -> tuple[int, list[Finding]]:
    """The row count, and what the values of all rows fit; `first` is what the beginning of them does.

    A wide table is read in parts: to plan a query over all of its columns takes time and memory with their square, and
    so far more than to read the file again.
    """
    rows, found = 0, []
    for start in range(0, len(raw.columns), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows, some = _findings(connection, replace(raw, columns=raw.columns[part]), first[part])
        found += some
    return rows, found


def _findings(connection: Connection, raw: Raw, first: Sequence[Finding]) -> tuple[int, list[Finding]]:
    """As `findings`, for columns that one query can hold."""
    tests = [_tested(raw, c, finding.kinds) for c, finding in zip(raw.columns, first, strict=True)]
    rows = 0
    found: list[Finding] = []
    for at in range(0, len(raw.columns), _BATCH):
        rows, part = _tested_findings(connection, raw, raw.columns[at : at + _BATCH], tests[at : at + _BATCH])
        found += part
    failed = [p for p, f in enumerate(found) if not f.kinds and tests[p] and f.values > f.markers]
    for at in range(0, len(failed), _BATCH):
        remaining = {p: first[p].kinds & ~sum(1 << kind for kind in tests[p]) for p in failed[at : at + _BATCH]}
        for position, finding in _full_findings(connection, raw, remaining).items():
            found[position] = finding
    return rows, found


def _tested_findings(
    connection: Connection, raw: Raw, columns: Sequence[str], tests: Sequence[tuple[int, ...]]
) -> tuple[int, list[Finding]]:
    """The row count, and which of the tested kinds all values of some columns fit."""
    wanted, inner = ["count(*)"], list(columns)
    for column, kinds in zip(columns, tests, strict=True):
        cell = raw.cell(column)
        for at in kinds:
            name = f"k{len(inner)}"
            inner.append(f"{_code(raw, at, cell)} AS {name}")
            wanted += [f"bit_or({name})", _count_if(f"{name} = 2")]
        wanted.append(f"count({cell})")
    row = iter(connection.row(f"SELECT {', '.join(wanted)} FROM (SELECT {', '.join(inner)} FROM {raw.source})"))
    rows = next(row)
    found = []
    for kinds in tests:
        fitting = markers = 0
        for at in kinds:
            codes, markers = next(row) or 0, next(row)
            fitting |= (codes == codes & 3 and codes & 1) << at
        found.append(Finding(fitting, next(row), markers))
    return rows, found


def _tested(raw: Raw, column: str, kinds: int) -> tuple[int, ...]:
    """The narrowest kind, and the one whose order of day and month contradicts it; none for text or no value at all."""
    if column in raw.types:
        return ()
    narrowest = _narrowest(raw, column, kinds)
    if narrowest is None:
        return ()
    if kinds == ALL:  # no value at the beginning: an integer is as good a guess as any
        return (1,)
    return (narrowest, *_rivals(narrowest, kinds)) if raw.date_order is None else (narrowest,)


def _rivals(at: int, kinds: int) -> tuple[int, ...]:
    """The kinds that read the same texts as dates of another order."""
    others = {b if a == KINDS[at].order else a for a, b in CONTRADICTING if KINDS[at].order in (a, b)}
    return tuple(
        other
        for other, kind in enumerate(KINDS)
        if kinds >> other & 1 and kind.order in others and kind.type is KINDS[at].type
    )


def _code(raw: Raw, at: int, cell: str) -> str:
    """1 where the cell fits the kind, 2 where it is a marker, 4 where it is something else, NULL where it is empty."""
    kind = KINDS[at]
    plain = f" WHEN {raw.test(kind.plain, at, cell)} THEN 1" if kind.plain else ""
    fits = raw.test(kind.fits, at, f"trim({cell})")
    marker = raw.is_marker(f"trim({cell})")
    return f"CASE WHEN {cell} IS NULL THEN NULL{plain} WHEN {fits} THEN 1 WHEN {marker} THEN 2 ELSE 4 END"


def _full_findings(connection: Connection, raw: Raw, alive: dict[int, int]) -> dict[int, Finding]:
    """What all values of some columns fit, tested for every kind that is left."""
    inner, wanted = [], []
    for position, kinds in alive.items():
        inner.append(f"trim({raw.cell(raw.columns[position])}) AS t{position}")
        text = f"t{position}"
        mask = _mask(raw, kinds, text) if kinds else "0"
        wanted += [f"bit_and({mask})", f"count({text})", _count_if(raw.is_marker(text))]
    row = iter(connection.row(f"SELECT {', '.join(wanted)} FROM (SELECT {', '.join(inner)} FROM {raw.source})"))
    found = {}
    for position, kinds in alive.items():
        common, values, markers = next(row) or 0, next(row), next(row)
        found[position] = Finding(common & kinds if values > markers else 0, values, markers)
    return found


def expected(raw: Raw, first: Sequence[Finding]) -> list[Decision] | None:
    """How the columns are read if all rows are like the first ones; `read` ends the query at a cell that is not.

    None where the first rows leave something open: no value, words for missing ones, two orders of day and month.
    """
    decisions = []
    for column, finding in zip(raw.columns, first, strict=True):
        if column in raw.types:
            if raw.types[column] is ColumnType.DECIMAL:
                return None
            decisions.append(_forced(raw, column, None))
            continue
        tests = _tested(raw, column, finding.kinds)
        if finding.kinds == ALL or len(tests) > 1 or finding.markers or (tests and _scaled(tests[0])):
            return None
        cell = raw.cell(column)
        if not tests:
            decisions.append(Decision(ColumnType.TEXT, raw.text(column)))
            continue
        at = tests[0]
        decision = _decision(raw, at, column, finding, None)
        plain = f" WHEN {raw.test(KINDS[at].plain, at, cell)} THEN {decision.read}" if KINDS[at].plain else ""
        fits = raw.test(KINDS[at].fits, at, f"trim({cell})")
        guarded = (
            f"CASE WHEN {cell} IS NULL THEN NULL{plain} WHEN {fits} THEN {decision.read}"
            f" ELSE error({sql.text(UNEXPECTED)}) END"
        )
        decisions.append(Decision(decision.type, guarded, decision.note))
    return decisions


def decide(connection: Connection, raw: Raw, found: Sequence[Finding]) -> list[Decision]:
    """The narrowest type for each column; reads the file once more if there are decimals, for their digits."""
    chosen = [
        _narrowest(raw, column, finding.kinds) if finding.values > finding.markers else None
        for column, finding in zip(raw.columns, found, strict=True)
    ]
    scaled = [
        column
        for column, at in zip(raw.columns, chosen, strict=True)
        if (raw.types[column] is ColumnType.DECIMAL if column in raw.types else _scaled(at))
    ]
    digits = _decimal_digits(connection, raw, scaled)
    decisions = []
    for column, finding, at in zip(raw.columns, found, chosen, strict=True):
        if column in raw.types:
            decisions.append(_forced(raw, column, digits.get(column)))
        elif raw.date_order is None and at is not None and _rivals(at, finding.kinds):
            note = f"its dates can be {_orders(at, finding.kinds)}, so they stay text"
            decisions.append(Decision(ColumnType.TEXT, raw.text(column), note, ambiguous=True))
        elif at is None or (column in digits and sum(digits[column]) > DIGITS):
            decisions.append(Decision(ColumnType.TEXT, raw.text(column)))
        else:
            decisions.append(_decision(raw, at, column, finding, digits.get(column)))
    return decisions


def _orders(at: int, kinds: int) -> str:
    return " or ".join(KINDS[kind].order for kind in (at, *_rivals(at, kinds)))


def _decision(raw: Raw, at: int, column: str, finding: Finding, digits: tuple[int, int] | None) -> Decision:
    kind = KINDS[at]
    text = raw.cell(column)
    if not kind.read.startswith("CAST("):  # a cast overlooks spaces around a value by itself
        text = f"trim({text})"
    if finding.markers:
        text = f"CASE WHEN NOT {raw.is_marker(f'trim({text})')} THEN {text} END"
    notes = [kind.note] if kind.note else []
    if kind.order:
        notes.append(f"its dates were read as {kind.order}")
    if finding.markers:
        cells = "1 cell" if finding.markers == 1 else f"{finding.markers:,} cells"
        notes.append(f"{cells} with a word for a missing value (such as NA) became empty")
    return Decision(kind.type, _read(raw, at, text, digits), "; ".join(notes))


def _read(raw: Raw, at: int, text: str, digits: tuple[int, int] | None) -> str:
    whole, scale = digits or (0, 0)
    number = raw.number(text) if at in NUMERIC else text
    return KINDS[at].read.format(t=number, digits=max(whole + scale, 1), scale=scale)


def chosen(connection: Connection, raw: Raw, column: str) -> Decision:
    """How one column is read that somebody has chosen a type for."""
    digits = _decimal_digits(connection, raw, [column]) if raw.types[column] is ColumnType.DECIMAL else {}
    return _forced(raw, column, digits.get(column))


def _forced(raw: Raw, column: str, digits: tuple[int, int] | None) -> Decision:
    """A column of a type that somebody has chosen: what does not fit becomes missing."""
    wanted = raw.types[column]
    cell = f"trim({raw.cell(column)})"
    if wanted is ColumnType.TEXT:
        return Decision(wanted, raw.text(column))
    if wanted is ColumnType.NUMBER:
        return Decision(wanted, f"nullif(TRY_CAST({raw.number(cell)} AS DOUBLE), 'nan'::DOUBLE)")
    if wanted is ColumnType.DURATION:
        return Decision(wanted, f"TRY_CAST({cell} AS INTERVAL)")
    kinds = [at for at, kind in enumerate(KINDS) if kind.type is wanted and not _is_other_order(raw, at)]
    if wanted is ColumnType.DECIMAL:
        kinds = [at for at in kinds if _scaled(at)]
    if not kinds:
        raise InvalidInputError.at(
            "options", "types", column, msg=f"a column of a file cannot be read as {wanted}", code="type"
        )
    if digits is not None and sum(digits) > DIGITS:
        digits = (DIGITS - min(digits[1], 18), min(digits[1], 18))
    cases = " ".join(f"WHEN {raw.test(KINDS[at].fits, at, cell)} THEN {_read(raw, at, cell, digits)}" for at in kinds)
    return Decision(wanted, f"CASE {cases} END".replace("CAST(", "TRY_CAST(").replace("TRY_TRY_", "TRY_"))


def _is_other_order(raw: Raw, at: int) -> bool:
    order = KINDS[at].order
    return (raw.date_order is DateOrder.DAY_FIRST and order.startswith("month")) or (
        raw.date_order is DateOrder.MONTH_FIRST and order.startswith("day") and "name" not in order
    )


def _narrowest(raw: Raw, column: str, kinds: int) -> int | None:
    if kinds != ALL and kinds >> COMPACT_DATE & 1 and raw.is_dated(column):
        return COMPACT_DATE
    at = _first(kinds)
    if at is None or raw.date_order is None or not _is_other_order(raw, at):
        return at
    return next((rival for rival in _rivals(at, kinds) if not _is_other_order(raw, rival)), at)


@lru_cache(maxsize=4096)
def _first(kinds: int) -> int | None:
    return next((at for at in range(len(KINDS)) if kinds >> at & 1), None)


def _scaled(at: int | None) -> bool:
    return at is not None and "{scale}" in KINDS[at].read


def _decimal_digits(connection: Connection, raw: Raw, columns: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The most digits before and after the point."""
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, len(columns), _AT_ONCE):
        found |= _digits(connection, raw, columns[at : at + _AT_ONCE])
    return found


def _digits(connection: Connection, raw: Raw, columns: Sequence[str]) -> dict[str, tuple[int, int]]:
    wanted = []
    for column in columns:
        text = f"CASE WHEN regexp_matches({column}, '[0-9]') THEN {raw.number(f'trim({raw.cell(column)})')} END"
        wanted.append(f"max(length(regexp_replace(split_part({text}, '.', 1), '[^0-9]', '', 'g')))")
        wanted.append(f"max(length(split_part({text}, '.', 2)))")
    row = connection.row(f"SELECT {', '.join(wanted)} FROM {raw.source}")
    return {column: (row[2 * at] or 0, row[2 * at + 1] or 0) for at, column in enumerate(columns)}
