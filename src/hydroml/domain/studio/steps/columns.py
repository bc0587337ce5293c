"""Steps that add, remove, name and order columns."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    Ask,
    ColumnName,
    ColumnNames,
    Formula,
    NewColumn,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_columns,
    required_text,
)
from hydroml.domain.studio.steps.formulas import looks_at_other_rows
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

COLUMN_NAME_LENGTH = 250


def new_name(value: str, *loc: str) -> str:
    return required_text(value, COLUMN_NAME_LENGTH, *loc)


@dataclass(frozen=True, slots=True)
class Derive(Plain):
    """Compute a column by a formula; an existing column of that name is replaced in its place.

    A formula with OVER looks at other rows, in their order; any other one at its own row only.
    """

    column: NewColumn
    formula: Formula
    op: Literal["derive"] = "derive"
    info: ClassVar[StepInfo] = StepInfo("Derive column", "Compute a new column by a formula.", "columns")

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", new_name(self.column, "column"))
        object.__setattr__(self, "formula", required_text(self.formula, FORMULA_LENGTH, "formula"))

    @property
    def effect(self) -> RowEffect:
        return RowEffect.RELATES if looks_at_other_rows(self.formula) else RowEffect.LOCAL

    def summary(self) -> str:
        return f"{self.column} = {self.formula}"


@dataclass(frozen=True, slots=True)
class DropColumns(Plain):
    """Leave columns out."""

    columns: ColumnNames
    op: Literal["drop_columns"] = "drop_columns"
    info: ClassVar[StepInfo] = StepInfo("Drop columns", "Leave columns out of the table.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))

    def summary(self) -> str:
        return listed(self.columns)


@dataclass(frozen=True, slots=True)
class SelectColumns(Plain):
    """Keep these columns, in this order, and leave all others out."""

    columns: ColumnNames
    op: Literal["select_columns"] = "select_columns"
    info: ClassVar[StepInfo] = StepInfo("Select columns", "Keep some columns and leave the others out.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))

    def summary(self) -> str:
        return f"only {listed(self.columns)}"


@dataclass(frozen=True, slots=True)
class Renaming:
    column: ColumnName
    name: NewColumn

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", new_name(self.name, "name"))


@dataclass(frozen=True, slots=True)
class RenameColumns(Plain):
    """Give columns other names; all at once, so that two can change their names with each other."""

    names: Annotated[tuple[Renaming, ...], Ask(title="New names")]
    op: Literal["rename_columns"] = "rename_columns"
    info: ClassVar[StepInfo] = StepInfo("Rename columns", "Give columns other names.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        if not self.names:
            raise InvalidInputError.at("names", msg="choose at least one column", code="required")
        if len({one.column for one in self.names}) != len(self.names):
            raise InvalidInputError.at("names", msg="a column gets one name only", code="duplicate")

    def summary(self) -> str:
        return listed(tuple(f"{one.column} → {one.name}" for one in self.names))


@dataclass(frozen=True, slots=True)
class MoveColumn(Plain):
    """Put a column behind another one, or to the front."""

    column: ColumnName
    after: Annotated[ColumnName | None, Ask(title="Behind", help="To the front when none is chosen.")] = None
    op: Literal["move_column"] = "move_column"
    info: ClassVar[StepInfo] = StepInfo("Move column", "Put a column somewhere else.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        if self.column == self.after:
            raise InvalidInputError.at("after", msg="a column cannot stand behind itself", code="value")

    def summary(self) -> str:
        return f"{self.column} behind {self.after}" if self.after else f"{self.column} to the front"


@dataclass(frozen=True, slots=True)
class DuplicateColumn(Plain):
    """Copy a column under another name, beside it."""

    column: ColumnName
    name: Annotated[NewColumn, Ask(title="New column", suggest="{column}_copy")]
    op: Literal["duplicate_column"] = "duplicate_column"
    info: ClassVar[StepInfo] = StepInfo("Duplicate column", "Copy a column under another name.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", new_name(self.name, "name"))

    def summary(self) -> str:
        return f"{self.column} as {self.name}"
