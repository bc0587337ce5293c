"""Steps about missing values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import RowEffect, StepInfo, listed, required_columns


class FillMethod(StrEnum):
    CONSTANT = "constant"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    PREVIOUS = "previous"
    NEXT = "next"

    @property
    def learns(self) -> bool:
        """Whether the filling value is computed from the data, and kept for a replay on new rows."""
        return self in (FillMethod.MEAN, FillMethod.MEDIAN, FillMethod.MODE)


@dataclass(frozen=True, slots=True)
class FillMissing:
    """Put a value where there is none.

    Mean, median and mode are learnt from the rows at hand when the step is added and stay the same on a replay;
    previous and next take the nearest value in row order and leave the ends missing. With `flag`, a boolean column
    `<column>_filled` says which cells were filled.
    """

    columns: tuple[str, ...]
    method: FillMethod = FillMethod.CONSTANT
    value: str | float | int | bool | None = None
    flag: bool = False
    op: Literal["fill_missing"] = "fill_missing"
    info: ClassVar[StepInfo] = StepInfo("Fill missing values", "Put a value where there is none.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        if (self.method is FillMethod.CONSTANT) != (self.value is not None):
            needed = "needs a value" if self.method is FillMethod.CONSTANT else "takes no value"
            raise InvalidInputError.at("value", msg=f"the method {self.method} {needed}", code="value")

    @property
    def effect(self) -> RowEffect:
        return RowEffect.RELATES if self.method in (FillMethod.PREVIOUS, FillMethod.NEXT) else RowEffect.LOCAL

    @staticmethod
    def flag_column(column: str) -> str:
        return f"{column}_filled"

    def summary(self) -> str:
        how = repr(self.value) if self.method is FillMethod.CONSTANT else f"the {self.method}"
        if self.method in (FillMethod.PREVIOUS, FillMethod.NEXT):
            how += " value"
        return f"{listed(self.columns)} with {how}"
