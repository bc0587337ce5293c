"""Steps that add or remove columns."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from hydroml.domain.studio.steps.base import RowEffect, StepInfo, listed, required_columns, required_text
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

COLUMN_NAME_LENGTH = 250


@dataclass(frozen=True, slots=True)
class Derive:
    """Compute a column by a formula from the same row; an existing column of that name is replaced in its place."""

    column: str
    formula: str
    op: Literal["derive"] = "derive"
    info: ClassVar[StepInfo] = StepInfo("Derive column", "Compute a new column by a formula.")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", required_text(self.column, COLUMN_NAME_LENGTH, "column"))
        object.__setattr__(self, "formula", required_text(self.formula, FORMULA_LENGTH, "formula"))

    def summary(self) -> str:
        return f"{self.column} = {self.formula}"


@dataclass(frozen=True, slots=True)
class DropColumns:
    """Leave columns out."""

    columns: tuple[str, ...]
    op: Literal["drop_columns"] = "drop_columns"
    info: ClassVar[StepInfo] = StepInfo("Drop columns", "Leave columns out of the table.")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))

    def summary(self) -> str:
        return listed(self.columns)
