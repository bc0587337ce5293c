"""What the texts of a column can be: each kind says by SQL which texts it holds without loss, and how it reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hydroml.adapters.tables import sql
from hydroml.domain.sources import ColumnType, DateOrder

_INTEGER = r"-?(0|[1-9][0-9]*)"
_MANTISSA = r"((0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)"
_NUMBER = rf"({_INTEGER}|[+-]?{_MANTISSA}|[+-]?((0|[1-9][0-9]*)|{_MANTISSA})[eE][+-]?[0-9]+)"
_DECIMAL = rf"({_INTEGER}|[+-]?{_MANTISSA})"
_ISO_TIME = r"[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6}0*)?)?"
_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_CLOCK = r" +[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
DIGITS = 38

MARKERS = (
    "", "na", "n/a", "n.a.", "#n/a", "nan", "-nan", "null", "none", "nil", "missing", "nd", "n.d.", "-", "--", "—", "?",
    ".", "..", "...", "#value!", "#div/0!", "#ref!", "#num!", "#name?", "#null!",
)  # fmt: skip
"""What stands for a missing value beside an empty cell, where a column otherwise holds no text; in any case."""
_MARKERS = "|".join(re.escape(marker) for marker in MARKERS)
_GUARD = r"^'+[=+\-@\t\r]"
"""How exports guard a text that a spreadsheet would run."""
_DATE_NAME = re.compile(r"date|datum|fecha|\bdt\b|_dt$|^dt_|\bday\b|\bjour\b|\btag\b", re.IGNORECASE)
_COMPACT_DATE = r"[12][0-9]{3}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"


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


def _short(separator: str) -> str:
    return rf"[0-9]{{1,2}}{separator}[0-9]{{1,2}}{separator}[0-9]{{2}}"


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
    Kind(
        ColumnType.BOOLEAN,
        "(lower({t}) IN ('true', 'false'))",
        "(lower({t}) = 'true')",
        plain="({t} = 'true' OR {t} = 'false')",
    ),
    Kind(
        ColumnType.INTEGER,
        f"({_matches(_INTEGER)} AND (length({{t}}) < 19 OR TRY_CAST({{t}} AS BIGINT) IS NOT NULL))",
        "CAST({t} AS BIGINT)",
        plain="TRY_CAST({t} AS BIGINT)::VARCHAR = {t}",
    ),
    Kind(
        ColumnType.DECIMAL,
        f"({_matches(_INTEGER)} AND length(ltrim({{t}}, '-')) <= {DIGITS})",
        f"CAST({{t}} AS DECIMAL({DIGITS}, 0))",
    ),
    Kind(
        ColumnType.NUMBER,
        f"({_INFINITE} OR ({_matches(_NUMBER)} AND {_EXACT_DOUBLE}))",
        "CAST({t} AS DOUBLE)",
        plain="((length({t}) <= 15 AND "
        + _matches(r"-?(0|[1-9][0-9]*)[.][0-9]+")
        + ") OR (isfinite(TRY_CAST({t} AS DOUBLE)) AND TRY_CAST({t} AS DOUBLE)::VARCHAR = {t}))",
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
    _date("", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "%Y-%m-%d"),
    _date("year/month/day", r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    _date("day/month/year", _day_first("/"), "%d/%m/%Y"),
    _date("month/day/year", _day_first("/"), "%m/%d/%Y"),
    _date("day/month/two digits of the year", _short("/"), "%d/%m/%y"),
    _date("month/day/two digits of the year", _short("/"), "%m/%d/%y"),
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
    _moment("", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "%Y-%m-%d"),
    _moment("year/month/day", r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    _moment("day/month/year", _day_first("/"), "%d/%m/%Y"),
    _moment("month/day/year", _day_first("/"), "%m/%d/%Y"),
    _moment("day/month/two digits of the year", _short("/"), "%d/%m/%y"),
    _moment("month/day/two digits of the year", _short("/"), "%m/%d/%y"),
    _moment("day.month.year", _day_first(r"\."), "%d.%m.%Y"),
    _moment("day-month-year", _day_first("-"), "%d-%m-%Y"),
    Kind(
        ColumnType.DATE,
        f"({_matches(_COMPACT_DATE)} AND try_strptime({{t}}, '%Y%m%d') IS NOT NULL)",
        "try_strptime({t}, '%Y%m%d')::DATE",
        note="its numbers were read as dates, as 19580329 is 1958-03-29",
    ),
)
COMPACT_DATE = len(KINDS) - 1
ALL = (1 << len(KINDS)) - 1
CONTRADICTING = (
    ("day/month/year", "month/day/year"),
    ("day/month/two digits of the year", "month/day/two digits of the year"),
    ("day-month-year", "month-day-year"),
)
NUMERIC = frozenset(at for at, kind in enumerate(KINDS) if kind.type.is_numeric)


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
    ambiguous: bool = False
    """Its dates have two readings, so that somebody has to say which."""


def unguarded(text: str) -> str:
    """A text without its guard, if it has one."""
    return text[1:] if re.match(_GUARD, text) else text


@dataclass(frozen=True, slots=True)
class Raw:
    """A text table as DuckDB reads it, every column as text, and how its cells are meant."""

    source: str
    columns: tuple[str, ...]
    names: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    missing: tuple[str, ...] | None = None
    """Exactly these texts are missing values; None: words for them are, in columns that hold no text otherwise."""
    date_order: DateOrder | None = None
    guards: bool = False
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    """Types by column that somebody has chosen."""

    def cell(self, column: str) -> str:
        """The text of a cell, or NULL for the markers the person named."""
        if not self.missing:
            return column
        markers = ", ".join(sql.text(marker) for marker in self.missing)
        return f"CASE WHEN NOT list_contains([{markers}], trim({column})) THEN {column} END"

    def text(self, column: str) -> str:
        """A cell of a column that stays text."""
        cell = self.cell(column)
        if not self.guards:
            return cell
        guarded = f"starts_with({column}, '''') AND regexp_matches({column}, {sql.text(_GUARD)})"
        return f"CASE WHEN {guarded} THEN substr({column}, 2) ELSE {cell} END"

    def is_guarded(self, column: str) -> str:
        return f"starts_with({column}, '''') AND regexp_matches({column}, {sql.text(_GUARD)})"

    def is_marker(self, text: str) -> str:
        """Whether a text without blanks around it stands for a missing value in a column of no text."""
        # Not by IN: DuckDB makes a join of a long one, and a hundred joins of a hundred columns.
        return f"regexp_full_match(lower({text}), {sql.text(_MARKERS if self.missing is None else '')})"

    def number(self, text: str) -> str:
        """`text` with a decimal point and without groups, or something that is no number when its signs mean another
        thing."""
        if self.decimal != ".":
            number = f"CASE WHEN contains({text}, '.') THEN 'x' ELSE replace({text}, {sql.text(self.decimal)}, '.') END"
        else:
            number = text
        if not self.thousands:
            return number
        sign, point = re.escape(self.thousands), re.escape(self.decimal)
        grouped = sql.text(rf"[+-]?[0-9]{{1,3}}({sign}[0-9]{{3}})+({point}[0-9]*)?")
        bare = f"replace(replace({text}, {sql.text(self.thousands)}, ''), {sql.text(self.decimal)}, '.')"
        return (
            f"CASE WHEN {text} IS NULL THEN NULL WHEN NOT contains({text}, {sql.text(self.thousands)}) THEN {number}"
            f" WHEN regexp_full_match({text}, {grouped}) THEN {bare} ELSE 'x' END"
        )

    def test(self, template: str, at: int, text: str) -> str:
        return template.format(t=self.number(text) if at in NUMERIC else text)

    def is_dated(self, column: str) -> bool:
        """Whether the column's name says that it holds dates."""
        return bool(self.names) and _DATE_NAME.search(self.names[int(column[1:])]) is not None
