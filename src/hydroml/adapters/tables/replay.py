"""A recipe's row-local steps on rows given as JSON, as a prediction needs them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Plan
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.constants import parsed
from hydroml.domain.errors import Fault, InvalidInputError, TooLargeError
from hydroml.domain.sources import Column, ColumnType

MAX_ROWS = 10_000
_MAX_FAULTS = 20


def replay(
    connection: Connection, columns: Sequence[Column], plan: Plan, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Missing keys are missing values; keys that are no columns are overlooked."""
    if len(rows) > MAX_ROWS:
        raise TooLargeError(f"at most {MAX_ROWS:,} rows at a time")
    if not rows:
        return []
    values = _values(columns, rows)
    cells = ["unnest($1::BIGINT[]) AS " + sql.name(sql.ROW)]
    parameters: list[Any] = [list(range(len(rows)))]
    for column in columns:
        found = values[column.name]
        parameters.append(found)
        cells.append(f"unnest(${len(parameters)}::{_type(column, found)}[]) AS {sql.name(column.name)}")
    select = f"SELECT {sql.names(c.name for c in plan.columns)} FROM {plan.last} ORDER BY {sql.name(sql.ROW)}"
    result = connection.rows(plan.query(f"SELECT {', '.join(cells)}", select), parameters)
    names = [column.name for column in plan.columns]
    return [dict(zip(names, row, strict=True)) for row in sql.json_rows(result)]


def _values(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    faults: list[Fault] = []
    values: dict[str, list[Any]] = {}
    for column in columns:
        found = values[column.name] = []
        for at, row in enumerate(rows):
            value = row.get(column.name)
            try:
                found.append(None if value is None else parsed(value, column.type))
            except (ValueError, TypeError, InvalidOperation, OverflowError):
                shown = str(value)[:100]
                faults.append(Fault(("rows", at, column.name), f"“{shown}” is not a valid {column.type}", "type"))
                if len(faults) >= _MAX_FAULTS:
                    raise InvalidInputError(_summary(faults), tuple(faults)) from None
    if faults:
        raise InvalidInputError(_summary(faults), tuple(faults))
    return values


def _summary(faults: Sequence[Fault]) -> str:
    _, row, column = faults[0].loc
    return f"row {int(row) + 1}, “{column}”: {faults[0].msg}"


def _type(column: Column, values: Sequence[Any]) -> str:
    if column.type is not ColumnType.DECIMAL:
        return sql.sql_type(column.type)
    # As many digits as the values have, so that none is rounded.
    whole, scale = 1, 0
    for value in values:
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            places = max(-exponent, 0) if isinstance(exponent, int) else 0
            scale = max(scale, places)
            whole = max(whole, value.adjusted() + 1)
    return f"DECIMAL({min(whole + scale, 38)}, {min(scale, 38)})"
