"""Values of people as SQL literals of a column's type: exact, or refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType

_LIMIT = 2**63


def constant(value: Any, column: Column, *loc: str | int) -> str:
    """Raises InvalidInputError at `loc` when the value does not fit the column's type as it is."""
    try:
        return _RENDER[column.type](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise InvalidInputError.at(
            *loc, msg=f"“{str(value)[:100]}” does not fit “{column.name}”, which is {column.type}", code="type"
        ) from None


def parsed(value: Any, kind: ColumnType) -> Any:
    """A JSON value as Python's value of a column's type. Raises ValueError, TypeError or InvalidOperation."""
    return _PARSE[kind](value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    number = int(value)
    if not -_LIMIT <= number < _LIMIT:
        raise OverflowError
    return number


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    number = float(value)
    if not isfinite(number):
        raise ValueError
    if isinstance(value, int) and int(number) != value:
        raise OverflowError
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    number = Decimal(str(value).strip())
    digits, exponent = number.as_tuple().digits, number.as_tuple().exponent
    if not isinstance(exponent, int) or max(len(digits), -exponent) + max(exponent, 0) > 38:
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise TypeError


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _date(value: Any) -> date:
    return date.fromisoformat(_text(value).strip())


def _timestamp(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value).strip())
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _decimal_literal(value: Any) -> str:
    number = _decimal(value)
    exponent = number.as_tuple().exponent
    scale = max(-exponent, 0) if isinstance(exponent, int) else 0
    whole = max(len(number.as_tuple().digits) - scale, 1)
    return f"'{format(number, 'f')}'::DECIMAL({whole + scale}, {scale})"


_PARSE: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.DECIMAL: _decimal,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.TEXT: _text,
    ColumnType.CATEGORY: _text,
    ColumnType.DATE: _date,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.DURATION: _text,
}
_RENDER: dict[ColumnType, Callable[[Any], str]] = {
    ColumnType.INTEGER: lambda value: f"'{_integer(value)}'::BIGINT",
    ColumnType.NUMBER: lambda value: f"'{_number(value)!r}'::DOUBLE",
    ColumnType.DECIMAL: _decimal_literal,
    ColumnType.BOOLEAN: lambda value: str(_boolean(value)).lower(),
    ColumnType.TEXT: lambda value: sql.text(_text(value)),
    ColumnType.CATEGORY: lambda value: sql.text(_text(value)),
    ColumnType.DATE: lambda value: f"'{_date(value).isoformat()}'::DATE",
    ColumnType.TIMESTAMP: lambda value: f"'{_timestamp(value).isoformat(sep=' ')}'::TIMESTAMP",
    ColumnType.DURATION: lambda value: f"{sql.text(_text(value))}::INTERVAL",
}
