"""Steps that choose or order rows."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import RowEffect, StepInfo, required_text

FORMULA_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep the rows for which the condition, a formula, is true; false and missing leave."""

    condition: str
    op: Literal["filter"] = "filter"
    info: ClassVar[StepInfo] = StepInfo("Filter rows", "Keep the rows for which a condition is true.")
    effect: ClassVar[RowEffect] = RowEffect.SELECTS

    def __post_init__(self) -> None:
        object.__setattr__(self, "condition", required_text(self.condition, FORMULA_LENGTH, "condition"))

    def summary(self) -> str:
        return f"keep rows where {self.condition}"


@dataclass(frozen=True, slots=True)
class SortKey:
    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """Order the rows by columns; missing values come last, ties keep the order they had."""

    by: tuple[SortKey, ...]
    op: Literal["sort"] = "sort"
    info: ClassVar[StepInfo] = StepInfo("Sort rows", "Order the rows by one or more columns.")
    effect: ClassVar[RowEffect] = RowEffect.ORDERS

    def __post_init__(self) -> None:
        if not self.by:
            raise InvalidInputError.at("by", msg="choose at least one column", code="required")
        if len({key.column for key in self.by}) != len(self.by):
            raise InvalidInputError.at("by", msg="a column can be sorted by only once", code="duplicate")

    def summary(self) -> str:
        return "by " + ", ".join(f"{key.column} {'↓' if key.descending else '↑'}" for key in self.by)
