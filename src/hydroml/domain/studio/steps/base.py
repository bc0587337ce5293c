"""What all steps have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, VersionId

Fitted = Mapping[str, Any]
"""What a step learnt from the data it was added on, as plain JSON; empty for most steps."""


class RowEffect(StrEnum):
    """What a step does to the rows, which decides how a page of the result is found."""

    LOCAL = "local"
    """Each row of the result depends on the same row only: it can run on a page, or on one row in a prediction."""
    SELECTS = "selects"
    """Keeps some of the rows, each unchanged."""
    ORDERS = "orders"
    """Changes the order of the rows only."""
    PLACED = "placed"
    """Each row depends on the same row and its number: it runs on a page, but says nothing of new rows."""
    RELATES = "relates"
    """A row of the result depends on other rows: the whole table has to be read."""


StepGroup = Literal["rows", "columns", "missing", "outliers", "scale", "reshape", "combine", "time"]


@dataclass(frozen=True, slots=True)
class StepInfo:
    """How a kind of step is introduced to people."""

    title: str
    help: str
    group: StepGroup


class Plain:
    """What holds for a step unless it says otherwise."""

    __slots__ = ()

    @property
    def learns(self) -> bool:
        """Whether it learns from the rows at hand; what it learnt is kept for a replay on new rows."""
        return False

    @property
    def others(self) -> tuple[VersionId, ...]:
        """The versions it brings together with the table."""
        return ()


@dataclass(frozen=True, slots=True)
class Ask:
    """How a form asks for a parameter, beside what its type tells."""

    role: str = ""
    """What a text stands for: column, columns, new_column, formula, condition, sql, version, value, or other_column,
    which is one of the version."""
    types: tuple[ColumnType, ...] = ()
    """The columns that suit; all when empty."""
    title: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """What each value that may be chosen means, in words."""
    suggest: str | float = ""
    """What a form begins with where there is no default; {column} and {function} stand for what is chosen there."""
    more: bool = False
    """Whether most people leave it as it is, so that a form folds it away."""
    when: tuple[str, tuple[Any, ...]] | None = None
    """It is asked only while another parameter has one of these values."""


NUMERIC = tuple(kind for kind in ColumnType if kind.is_numeric)
TEMPORAL = tuple(kind for kind in ColumnType if kind.is_temporal)
TEXTUAL = (ColumnType.TEXT, ColumnType.CATEGORY)

ColumnName = Annotated[str, Ask("column")]
ColumnNames = Annotated[tuple[str, ...], Ask("columns")]
NewColumn = Annotated[str, Ask("new_column")]
Formula = Annotated[str, Ask("formula")]
Condition = Annotated[str, Ask("condition")]


def required_text(value: str, limit: int, *loc: str) -> str:
    """`value` stripped; raises InvalidInputError when it is empty or longer than `limit` characters."""
    stripped = value.strip()
    if not stripped:
        raise InvalidInputError.at(*loc, msg=f"{loc[-1]} is empty", code="required")
    if len(stripped) > limit:
        raise InvalidInputError.at(
            *loc, msg=f"{loc[-1]} has {len(stripped)} characters, at most {limit}", code="length"
        )
    return stripped


def required_columns(columns: tuple[str, ...], *loc: str) -> tuple[str, ...]:
    """`columns` without repetitions; raises InvalidInputError when there are none."""
    if not columns:
        raise InvalidInputError.at(*loc, msg="choose at least one column", code="required")
    return tuple(dict.fromkeys(columns))


def distinct_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """`columns` without repetitions."""
    return tuple(dict.fromkeys(columns))


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """The names for a summary: the first few, and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
