"""Steps about missing values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    Ask,
    ColumnName,
    ColumnNames,
    Plain,
    RowEffect,
    StepInfo,
    distinct_columns,
    listed,
    required_columns,
)

MOST_MARKERS = 100


class FillMethod(StrEnum):
    CONSTANT = "constant"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    PREVIOUS = "previous"
    NEXT = "next"
    LINEAR = "linear"

    @property
    def learns(self) -> bool:
        """Whether the filling value is computed from the data, and kept for a replay on new rows."""
        return self in (FillMethod.MEAN, FillMethod.MEDIAN, FillMethod.MODE)

    @property
    def follows(self) -> bool:
        """Whether it depends on the rows around."""
        return self in (FillMethod.PREVIOUS, FillMethod.NEXT, FillMethod.LINEAR)


_AROUND = (FillMethod.PREVIOUS, FillMethod.NEXT, FillMethod.LINEAR)


@dataclass(frozen=True, slots=True)
class FillMissing(Plain):
    """Put a value where there is none.

    Mean, median and mode are learnt from the rows at hand when the step is added and stay the same on a replay.
    Previous and next take the nearest value in the order of `order_by`, a date, time or number, else in row order;
    linear draws a line between the two, over `order_by` if given, else over the rows. None of the three reaches beyond
    the first or last value, nor from one group to another. A gap of more than `max_gap` rows stays as it is. With
    `flag`, a boolean column `<column>_filled` says which cells were filled.
    """

    columns: ColumnNames
    method: Annotated[
        FillMethod,
        Ask(
            title="Fill by",
            choices=(
                ("constant", "a value you give"),
                ("mean", "the mean of the column"),
                ("median", "the median of the column"),
                ("mode", "the most frequent value"),
                ("previous", "the value before"),
                ("next", "the value after"),
                ("linear", "a straight line between both"),
            ),
        ),
    ] = FillMethod.CONSTANT
    value: Annotated[str | float | int | bool | None, Ask("value", when=("method", (FillMethod.CONSTANT,)))] = None
    order_by: Annotated[
        ColumnName | None,
        Ask(title="In the order of", help="The order of the rows when none is chosen.", when=("method", _AROUND)),
    ] = None
    groups: Annotated[
        ColumnNames, Ask(title="For each", help="Every group on its own, such as a site.", when=("method", _AROUND))
    ] = ()
    max_gap: Annotated[
        int | None, Ask(title="Longest gap", help="In rows; any when empty.", when=("method", _AROUND))
    ] = None
    flag: Annotated[bool, Ask(title="Add a column that marks filled rows")] = False
    op: Literal["fill_missing"] = "fill_missing"
    info: ClassVar[StepInfo] = StepInfo("Fill missing values", "Put a value where there is none.", "missing")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        object.__setattr__(self, "groups", distinct_columns(self.groups))
        if (self.method is FillMethod.CONSTANT) != (self.value is not None):
            needed = "needs a value" if self.method is FillMethod.CONSTANT else "takes no value"
            raise InvalidInputError.at("value", msg=f"the method {self.method} {needed}", code="value")
        if self.max_gap is not None and not 1 <= self.max_gap <= 10**9:
            raise InvalidInputError.at("max_gap", msg="at least one row", code="range")
        for name in ("order_by", "groups", "max_gap"):
            if getattr(self, name) and not self.method.follows:
                raise InvalidInputError.at(
                    name, msg=f"the method {self.method} does not look at the rows around", code="value"
                )

    @property
    def learns(self) -> bool:
        return self.method.learns

    @property
    def effect(self) -> RowEffect:
        return RowEffect.RELATES if self.method.follows else RowEffect.LOCAL

    @staticmethod
    def flag_column(column: str) -> str:
        return f"{column}_filled"

    def summary(self) -> str:
        how = repr(self.value) if self.method is FillMethod.CONSTANT else f"the {self.method}"
        if self.method in (FillMethod.PREVIOUS, FillMethod.NEXT):
            how += " value"
        if self.method is FillMethod.LINEAR:
            how = "a line"
        gap = f", gaps of at most {self.max_gap:,}" if self.max_gap else ""
        return f"{listed(self.columns)} with {how}{gap}"


@dataclass(frozen=True, slots=True)
class MarkMissing(Plain):
    """Take placeholders, such as -9999 or “unknown”, as missing values. Texts are compared without blanks around."""

    columns: Annotated[ColumnNames, Ask(help="All columns when none is chosen.")]
    markers: Annotated[tuple[str, ...], Ask(title="Placeholders", help="One in each line, such as -9999 or n/a.")]
    op: Literal["mark_missing"] = "mark_missing"
    info: ClassVar[StepInfo] = StepInfo("Mark missing", "Take placeholders as missing values.", "missing")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", distinct_columns(self.columns))
        if not 1 <= len(self.markers) <= MOST_MARKERS or any(len(one) > 100 for one in self.markers):
            raise InvalidInputError.at(
                "markers", msg=f"between 1 and {MOST_MARKERS} placeholders of at most 100 characters", code="length"
            )

    def summary(self) -> str:
        return f"{listed(self.markers)} in {listed(self.columns) if self.columns else 'all columns'}"
