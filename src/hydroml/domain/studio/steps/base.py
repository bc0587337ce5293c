"""What all steps have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hydroml.domain.errors import InvalidInputError

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
    RELATES = "relates"
    """A row of the result depends on other rows: the whole table has to be read."""


@dataclass(frozen=True, slots=True)
class StepInfo:
    """How a kind of step is introduced to people."""

    title: str
    help: str


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


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """The names for a summary: the first few, and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
