"""What the rules of steps that make a new table need: rows in one order, names and types for its columns."""

from collections.abc import Iterable, Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.reading.names import MAX_COLUMNS, is_reserved
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType

PLACE = '"__hydroml_place"'
"""The column of `placed` with a row's place in the order of rows."""

_EXACT = 2**53


def placed(builder: Builder) -> str:
    """A SELECT of the table's columns with each row's place, which rises in the order of rows."""
    cells = sql.names(column.name for column in builder.columns)
    if len(builder.order) == 1:
        return f"SELECT {builder.order[0]} AS {PLACE}, {cells} FROM {builder.last}"
    return f"SELECT row_number() OVER (ORDER BY {', '.join(builder.order)}) AS {PLACE}, {cells} FROM {builder.last}"


def chosen(builder: Builder, names: Sequence[str], *loc: str | int) -> list[Column]:
    """Raises InvalidInputError at `loc` and the place in it for a name that no column has."""
    return [builder.column(name, *loc, at) for at, name in enumerate(names)]


def ascending(columns: Iterable[Column]) -> list[str]:
    return [f"{sql.name(column.name)} ASC NULLS LAST" for column in columns]


def must_differ(columns: Sequence[Column], *loc: str | int) -> None:
    """Raises InvalidInputError at `loc` unless a table can have columns of these names."""
    if len(columns) > MAX_COLUMNS:
        raise InvalidInputError.at(
            *loc, msg=f"the result has {len(columns):,} columns, at most {MAX_COLUMNS:,}", code="length"
        )
    seen: dict[str, str] = {}
    for column in columns:
        name = column.name
        if name.casefold() in seen:
            raise InvalidInputError.at(
                *loc, msg=f"the result would have two columns “{name[:100]}”; choose another name", code="duplicate"
            )
        seen[name.casefold()] = name
        if is_reserved(name) or "\x00" in name:
            raise InvalidInputError.at(*loc, msg=f"“{name[:100]}” cannot be the name of a column", code="reserved")


def common_type(kinds: Iterable[ColumnType]) -> ColumnType | None:
    """The type that holds values of all of these without loss; None when there is none."""
    first, *others = kinds
    common: ColumnType | None = first
    for other in others:
        common = _common(common, other)
    return common


def _common(one: ColumnType | None, other: ColumnType) -> ColumnType | None:
    both = {one, other}
    if len(both) == 1:
        return one
    for kinds, common in (
        ({ColumnType.TEXT, ColumnType.CATEGORY}, ColumnType.TEXT),
        ({ColumnType.INTEGER, ColumnType.NUMBER}, ColumnType.NUMBER),
        ({ColumnType.INTEGER, ColumnType.DECIMAL}, ColumnType.DECIMAL),
        ({ColumnType.DATE, ColumnType.TIMESTAMP}, ColumnType.TIMESTAMP),
    ):
        if both == kinds:
            return common
    return None


def as_common(cell: str, kind: ColumnType, common: ColumnType) -> str:
    """The cell in a type of `common_type`; DuckDB widens decimals itself. Fails on an integer that is not exact as a
    number."""
    if kind is ColumnType.INTEGER and common is ColumnType.NUMBER:
        told = f"error('the integer ' || {cell} || ' is not exact as a number; turn both columns into text or decimal')"
        return f"CASE WHEN abs({cell}::HUGEINT) > {_EXACT} THEN {told}::DOUBLE ELSE {cell}::DOUBLE END"
    return cell if kind is common or common is ColumnType.DECIMAL else f"{cell}::{sql.sql_type(common)}"
