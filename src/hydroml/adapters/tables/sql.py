"""Safe pieces of SQL, and DuckDB's types as the domain sees them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from hydroml.domain.sources import Column, ColumnType

ROW = "__hydroml_row"
"""The hidden column with a row's position in the file."""

_TYPES = {
    "BOOLEAN": ColumnType.BOOLEAN,
    "TINYINT": ColumnType.INTEGER,
    "SMALLINT": ColumnType.INTEGER,
    "INTEGER": ColumnType.INTEGER,
    "BIGINT": ColumnType.INTEGER,
    "UTINYINT": ColumnType.INTEGER,
    "USMALLINT": ColumnType.INTEGER,
    "UINTEGER": ColumnType.INTEGER,
    "UBIGINT": ColumnType.DECIMAL,
    "HUGEINT": ColumnType.DECIMAL,
    "UHUGEINT": ColumnType.DECIMAL,
    "FLOAT": ColumnType.NUMBER,
    "DOUBLE": ColumnType.NUMBER,
    "DATE": ColumnType.DATE,
    "INTERVAL": ColumnType.DURATION,
}
_CANONICAL = {
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.DECIMAL: "DECIMAL(38, 9)",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.CATEGORY: "VARCHAR",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.DURATION: "INTERVAL",
}
_EXACT_INTEGER = 2**53


def name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def names(identifiers: Iterable[str]) -> str:
    return ", ".join(name(i) for i in identifiers)


def text(value: str) -> str:
    """A string literal. DuckDB reads no escapes in it; a zero byte cannot stand in SQL."""
    if "\x00" in value:
        return " || chr(0) || ".join("'" + part.replace("'", "''") + "'" for part in value.split("\x00"))
    return "'" + value.replace("'", "''") + "'"


def path(file: Path) -> str:
    """A file's name as a literal, without meaning for what looks like a pattern in it."""
    escaped = "".join(f"[{c}]" if c in "*?[" else c for c in str(file))
    return text(escaped)


def column_type(sql_type: str) -> ColumnType:
    base = sql_type.upper()
    if base.startswith("DECIMAL"):
        return ColumnType.DECIMAL
    if base.startswith("ENUM"):
        return ColumnType.CATEGORY
    if base.startswith("TIMESTAMP"):
        return ColumnType.TIMESTAMP
    return _TYPES.get(base, ColumnType.TEXT)


def sql_type(kind: ColumnType) -> str:
    """The type a column of a kind has in DuckDB; a decimal's digits differ from table to table."""
    return _CANONICAL[kind]


def blank_table(columns: Iterable[Column]) -> str:
    """A SELECT of one row without values that has these columns."""
    # By unnest: what is known to be NULL when a query is planned would never be computed with.
    cells = ", ".join(f"unnest([NULL::{sql_type(c.type)}]) AS {name(c.name)}" for c in columns)
    return f"SELECT {cells or 'NULL AS nothing'}"


def json_value(value: Any) -> Any:  # noqa: PLR0911 - one line for each type
    """A cell as JSON: integers beyond 2^53 and decimals as text, times in ISO 8601, missing and NaN as None."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -_EXACT_INTEGER <= value <= _EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def duration(value: timedelta) -> str:
    """ISO 8601, in days and seconds: P1DT3600S."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    seconds = f"{value.seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"


def json_rows(rows: Iterable[tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(json_value(cell) for cell in row) for row in rows)
