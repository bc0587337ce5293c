"""Which types a column of texts has room in: a type counts only if every value of the whole file fits it.

Each kind says by SQL which texts it holds without loss, and how it reads them. The beginning of a file rules out most
kinds; over the whole file only the narrowest that is left is tested, and the others where it fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.domain.sources import ColumnType

_INTEGER = r"-?(0|[1-9][0-9]*)"
_MANTISSA = r"((0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)"
_NUMBER = rf"({_INTEGER}|[+-]?{_MANTISSA}|[+-]?((0|[1-9][0-9]*)|{_MANTISSA})[eE][+-]?[0-9]+)"
_DECIMAL = rf"({_INTEGER}|[+-]?{_MANTISSA})"
_ISO_TIME = r"[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6}0*)?)?"
_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_CLOCK = r" +[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
_DIGITS = 38
_AT_ONCE = 100
_BATCH = 500
"""Columns tested by one query: what DuckDB needs for a CASE grows with the number of columns around it."""

UNEXPECTED = "a cell unlike those above it"

MARKERS = ("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none")
"""What stands for a missing value beside an empty cell, where a column otherwise holds no text; in any case."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`fits` and `read` are SQL templates over `{t}`, the text without spaces around it; `plain` is a quick test for
    the most common way to write such a value, and need not hold for others."""

    type: ColumnType
    fits: str
    read: str
    plain: str = ""
    note: str = ""
    order: str = ""
    """The order of day, month and year, for kinds that another one of the same type contradicts."""


def _matches(pattern: str) -> str:
    return f"regexp_full_match({{t}}, {sql.text(pattern.replace('{', '{{').replace('}', '}}'))})"


def _date(order: str, pattern: str, code: str) -> Kind:
    read = f"try_strptime({{t}}, {sql.text(code)})::DATE"
    return Kind(ColumnType.DATE, f"({_matches(pattern)} AND {read} IS NOT NULL)", read, order=order)


def _moment(order: str, pattern: str, code: str) -> Kind:
    codes = f"[{sql.text(code + ' %H:%M:%S')}, {sql.text(code + ' %H:%M')}]"
    read = f"try_strptime({{t}}, {codes})"
    return Kind(ColumnType.TIMESTAMP, f"({_matches(pattern + _CLOCK)} AND {read} IS NOT NULL)", read, order=order)


def _day_first(separator: str) -> str:
    return rf"[0-9]{{1,2}}{separator}[0-9]{{1,2}}{separator}[0-9]{{4}}"


# The digits of the mantissa, and the number printed with as many digits: equal texts mean that nothing is lost.
_TYPED_DIGITS = "ltrim(regexp_replace(regexp_replace({t}, '[eE].*', ''), '[^0-9]', '', 'g'), '0')"
_PRINTED_DIGITS = (
    "regexp_replace(regexp_replace(printf('%.' || greatest(length(" + _TYPED_DIGITS + ") - 1, 0) || 'e', "
    "abs(TRY_CAST({t} AS DOUBLE))), 'e.*', ''), '[^0-9]', '', 'g')"
)
_EXACT_DOUBLE = (
    "(CASE WHEN length({t}) <= 15 AND NOT regexp_matches({t}, '[eE]') THEN true"
    " WHEN NOT isfinite(TRY_CAST({t} AS DOUBLE)) OR length({t}) > 60 THEN false"
    " WHEN TRY_CAST({t} AS DOUBLE)::VARCHAR = {t} THEN true"
    f" ELSE {_TYPED_DIGITS} = '' OR {_PRINTED_DIGITS} = {_TYPED_DIGITS} END)"
)
_INFINITE = "regexp_full_match(lower({t}), '[+-]?(inf|infinity)')"

KINDS: tuple[Kind, ...] = (
    Kind(ColumnType.BOOLEAN, "(lower({t}) IN ('true', 'false'))", "(lower({t}) = 'true')"),
    Kind(
        ColumnType.INTEGER,
        f"({_matches(_INTEGER)} AND (length({{t}}) < 19 OR TRY_CAST({{t}} AS BIGINT) IS NOT NULL))",
        "CAST({t} AS BIGINT)",
        plain="TRY_CAST({t} AS BIGINT)::VARCHAR = {t}",
    ),
    Kind(
        ColumnType.DECIMAL,
        f"({_matches(_INTEGER)} AND length(ltrim({{t}}, '-')) <= {_DIGITS})",
        f"CAST({{t}} AS DECIMAL({_DIGITS}, 0))",
    ),
    Kind(
        ColumnType.NUMBER,
        f"({_INFINITE} OR ({_matches(_NUMBER)} AND {_EXACT_DOUBLE}))",
        "CAST({t} AS DOUBLE)",
        plain="length({t}) <= 15 AND " + _matches(r"-?(0|[1-9][0-9]*)[.][0-9]+"),
    ),
    Kind(
        ColumnType.DECIMAL, f"({_matches(_DECIMAL)} AND length({{t}}) <= 60)", "CAST({t} AS DECIMAL({digits}, {scale}))"
    ),
    Kind(
        ColumnType.DATE,
        f"({_matches(_ISO_DATE)} AND TRY_CAST({{t}} AS DATE) IS NOT NULL)",
        "CAST({t} AS DATE)",
        plain="TRY_CAST({t} AS DATE)::VARCHAR = {t} AND length({t}) = 10",
    ),
    _date("year/month/day", r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    _date("day/month/year", _day_first("/"), "%d/%m/%Y"),
    _date("month/day/year", _day_first("/"), "%m/%d/%Y"),
    _date("day.month.year", _day_first(r"\."), "%d.%m.%Y"),
    _date("day-month-year", _day_first("-"), "%d-%m-%Y"),
    _date("month-day-year", _day_first("-"), "%m-%d-%Y"),
    _date("day-name of month-year", r"[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}", "%d-%b-%Y"),
    Kind(
        ColumnType.TIMESTAMP,
        f"({_matches(f'{_ISO_DATE}({_ISO_TIME})?')} AND TRY_CAST({{t}} AS TIMESTAMP) IS NOT NULL)",
        "CAST({t} AS TIMESTAMP)",
        plain="TRY_CAST({t} AS TIMESTAMP)::VARCHAR = {t} AND length({t}) BETWEEN 19 AND 26",
    ),
    Kind(
        ColumnType.TIMESTAMP,
        f"({_matches(f'{_ISO_DATE}{_ISO_TIME}{_ZONE}')} AND TRY_CAST({{t}} AS TIMESTAMPTZ) IS NOT NULL)",
        "(CAST({t} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')",
        note="times with an offset were turned into UTC",
    ),
    _moment("year/month/day", r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    _moment("day/month/year", _day_first("/"), "%d/%m/%Y"),
    _moment("month/day/year", _day_first("/"), "%m/%d/%Y"),
    _moment("day.month.year", _day_first(r"\."), "%d.%m.%Y"),
    _moment("day-month-year", _day_first("-"), "%d-%m-%Y"),
)
ALL = (1 << len(KINDS)) - 1
_CONTRADICTING = (
    ("day/month/year", "month/day/year"),
    ("day-month-year", "month-day-year"),
)
_NUMERIC = frozenset(at for at, kind in enumerate(KINDS) if kind.type.is_numeric)


@dataclass(frozen=True, slots=True)
class Finding:
    """The kinds that all values of a column fit, as bits; how many values there are, and how many are markers."""

    kinds: int
    values: int
    markers: int


@dataclass(frozen=True, slots=True)
class Decision:
    """How a column is read: `read` is SQL over the raw column, `type` what comes out."""

    type: ColumnType
    read: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """A text table as DuckDB reads it, every column as text, and how its cells are meant."""

    source: str
    columns: tuple[str, ...]
    decimal: str
    missing: tuple[str, ...]

    def cell(self, column: str) -> str:
        """The text of a cell, or NULL for the markers the person named."""
        if not self.missing:
            return column
        markers = ", ".join(sql.text(marker) for marker in self.missing)
        return f"CASE WHEN NOT list_contains([{markers}], {column}) THEN {column} END"

    def number(self, text: str) -> str:
        """`text` with a decimal point, or something that is no number when it has a point of another meaning."""
        if self.decimal == ".":
            return text
        return f"CASE WHEN contains({text}, '.') THEN 'x' ELSE replace({text}, {sql.text(self.decimal)}, '.') END"

    def test(self, template: str, at: int, text: str) -> str:
        return template.format(t=self.number(text) if at in _NUMERIC else text)


def _count_if(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _is_marker(text: str) -> str:
    # Not by IN: DuckDB makes a join of a long one, and a hundred joins of a hundred columns.
    return f"regexp_full_match(lower({text}), {sql.text('|'.join(MARKERS))})"


def _mask(raw: Raw, alive: int, text: str) -> str:
    tests = (
        f"CASE WHEN {raw.test(kind.fits, at, text)} THEN {1 << at} ELSE 0 END"
        for at, kind in enumerate(KINDS)
        if alive >> at & 1
    )
    return f"CASE WHEN {text} IS NULL OR {_is_marker(text)} THEN {ALL} ELSE {' + '.join(tests)} END"


def first_findings(connection: Connection, raw: Raw) -> list[Finding]:
    """What the values of a small table fit: all its cells in one column, so that wide tables cost no more than long."""
    cells = ", ".join(f"trim({raw.cell(column)})" for column in raw.columns)
    count = len(raw.columns)
    rows = connection.rows(
        f"SELECT nth, bit_and({_mask(raw, ALL, 't')}), count(t), {_count_if(_is_marker('t'))}"
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
    tests = [_tested(finding.kinds) for finding in first]
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


def _tested(kinds: int) -> tuple[int, ...]:
    """The narrowest kind, and the one whose order of day and month contradicts it; none for text or no value at all."""
    narrowest = _narrowest(kinds)
    if narrowest is None:
        return ()
    if kinds == ALL:  # no value at the beginning: an integer is as good a guess as any
        return (1,)
    order = KINDS[narrowest].order
    partner = next((late for early, late in _CONTRADICTING if early == order), None)
    others = (
        at
        for at, kind in enumerate(KINDS)
        if partner and kinds >> at & 1 and kind.order == partner and kind.type is KINDS[narrowest].type
    )
    return (narrowest, *others)


def _code(raw: Raw, at: int, cell: str) -> str:
    """1 where the cell fits the kind, 2 where it is a marker, 4 where it is something else, NULL where it is empty."""
    kind = KINDS[at]
    plain = f" WHEN {raw.test(kind.plain, at, cell)} THEN 1" if kind.plain else ""
    fits = raw.test(kind.fits, at, f"trim({cell})")
    marker = _is_marker(f"trim({cell})")
    return f"CASE WHEN {cell} IS NULL THEN NULL{plain} WHEN {fits} THEN 1 WHEN {marker} THEN 2 ELSE 4 END"


def _full_findings(connection: Connection, raw: Raw, alive: dict[int, int]) -> dict[int, Finding]:
    """What all values of some columns fit, tested for every kind that is left."""
    inner, wanted = [], []
    for position, kinds in alive.items():
        inner.append(f"trim({raw.cell(raw.columns[position])}) AS t{position}")
        text = f"t{position}"
        mask = _mask(raw, kinds, text) if kinds else "0"
        wanted += [f"bit_and({mask})", f"count({text})", _count_if(_is_marker(text))]
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
        tests = _tested(finding.kinds)
        if finding.kinds == ALL or len(tests) > 1 or finding.markers or (tests and _scaled(tests[0])):
            return None
        cell = raw.cell(column)
        if not tests:
            decisions.append(Decision(ColumnType.TEXT, cell))
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
    chosen = [_narrowest(finding.kinds) if finding.values > finding.markers else None for finding in found]
    digits = _decimal_digits(connection, raw, [c for c, k in zip(raw.columns, chosen, strict=True) if _scaled(k)])
    decisions = []
    for column, finding, at in zip(raw.columns, found, chosen, strict=True):
        clash = next((pair for pair in _CONTRADICTING if at is not None and _fits_both(finding.kinds, pair)), None)
        if clash is not None:
            note = f"its dates can be {clash[0]} or {clash[1]}, so they stay text"
            decisions.append(Decision(ColumnType.TEXT, raw.cell(column), note))
        elif at is None or (column in digits and sum(digits[column]) > _DIGITS):
            decisions.append(Decision(ColumnType.TEXT, raw.cell(column)))
        else:
            decisions.append(_decision(raw, at, column, finding, digits.get(column)))
    return decisions


def _decision(raw: Raw, at: int, column: str, finding: Finding, digits: tuple[int, int] | None) -> Decision:
    kind = KINDS[at]
    text = raw.cell(column)
    if not kind.read.startswith("CAST("):  # a cast overlooks spaces around a value by itself
        text = f"trim({text})"
    if finding.markers:
        text = f"CASE WHEN NOT {_is_marker(f'trim({text})')} THEN {text} END"
    whole, scale = digits or (0, 0)
    number = raw.number(text) if at in _NUMERIC else text
    read = kind.read.format(t=number, digits=max(whole + scale, 1), scale=scale)
    notes = [kind.note] if kind.note else []
    if kind.order:
        notes.append(f"its dates were read as {kind.order}")
    if finding.markers:
        cells = "1 cell" if finding.markers == 1 else f"{finding.markers:,} cells"
        notes.append(f"{cells} with a word for a missing value (such as NA) became empty")
    return Decision(kind.type, read, "; ".join(notes))


@lru_cache(maxsize=4096)
def _narrowest(kinds: int) -> int | None:
    return next((at for at in range(len(KINDS)) if kinds >> at & 1), None)


def _scaled(at: int | None) -> bool:
    return at is not None and "{scale}" in KINDS[at].read


def _fits_both(kinds: int, orders: tuple[str, str]) -> bool:
    fitting = {kind.order for at, kind in enumerate(KINDS) if kinds >> at & 1}
    return set(orders) <= fitting


def _decimal_digits(connection: Connection, raw: Raw, columns: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The most digits before and after the point."""
    if not columns:
        return {}
    wanted = []
    for column in columns:
        text = f"CASE WHEN regexp_matches({column}, '[0-9]') THEN {raw.number(f'trim({raw.cell(column)})')} END"
        wanted.append(f"max(length(regexp_replace(split_part({text}, '.', 1), '[^0-9]', '', 'g')))")
        wanted.append(f"max(length(split_part({text}, '.', 2)))")
    row = connection.row(f"SELECT {', '.join(wanted)} FROM {raw.source}")
    return {column: (row[2 * at] or 0, row[2 * at + 1] or 0) for at, column in enumerate(columns)}
