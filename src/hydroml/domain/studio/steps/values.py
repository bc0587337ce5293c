"""Steps that change the values of columns: their type, single values, classes of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.steps.base import (
    NUMERIC,
    Ask,
    ColumnName,
    ColumnNames,
    NewColumn,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_columns,
)
from hydroml.domain.studio.steps.columns import new_name

Value = str | float | int | bool
MOST_VALUES = 1_000
MOST_BINS = 100

TargetType = Literal["integer", "number", "decimal", "boolean", "text", "category", "date", "timestamp"]


class Misfit(StrEnum):
    MISSING = "missing"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class ChangeType(Plain):
    """Read the values of columns as another type.

    From text: blanks around a value and groups of digits do not count, dates and times are those of ISO 8601, true and
    false may be written true/false, t/f, yes/no or 1/0. A number with a fraction does not fit an integer, and a text
    with more than 29 digits before or nine behind the point no decimal. What does not fit becomes missing, or the step
    is refused with examples.
    """

    columns: ColumnNames
    to: Annotated[TargetType, Ask(title="To")]
    misfits: Annotated[
        Misfit,
        Ask(
            title="Values that do not fit",
            choices=(("missing", "become missing"), ("refuse", "stop the step and say which")),
        ),
    ] = Misfit.MISSING
    decimal: Annotated[
        Literal[".", ","],
        Ask(title="Decimal sign", choices=((".", "point, as in 1.5"), (",", "comma, as in 1,5")), more=True),
    ] = "."
    op: Literal["change_type"] = "change_type"
    info: ClassVar[StepInfo] = StepInfo("Change type", "Read the values of columns as another type.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))

    @property
    def type(self) -> ColumnType:
        return ColumnType(self.to)

    @property
    def learns(self) -> bool:
        """Whether all values of the table at hand fit is looked at once; new rows' misfits are missing."""
        return self.misfits is Misfit.REFUSE

    def summary(self) -> str:
        return f"{listed(self.columns)} to {self.to}"


@dataclass(frozen=True, slots=True)
class Mapping:
    value: Annotated[Value | None, Ask("value", help="Empty for missing.")] = None
    to: Annotated[Value | None, Ask("value", help="Empty for missing.")] = None


class Rest(StrEnum):
    KEEP = "keep"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class MapValues(Plain):
    """Put other values in the place of some; the others stay or become missing. The column keeps its type."""

    column: ColumnName
    values: Annotated[tuple[Mapping, ...], Ask(title="Values")]
    rest: Annotated[
        Rest, Ask(title="All others", choices=(("keep", "stay as they are"), ("missing", "become missing")))
    ] = Rest.KEEP
    op: Literal["map_values"] = "map_values"
    info: ClassVar[StepInfo] = StepInfo("Map values", "Put other values in the place of some.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= MOST_VALUES:
            raise InvalidInputError.at("values", msg=f"between 1 and {MOST_VALUES:,} values", code="length")
        if len({repr(one.value) for one in self.values}) != len(self.values):
            raise InvalidInputError.at("values", msg="each value once", code="duplicate")

    def summary(self) -> str:
        return f"{self.column}: " + listed(tuple(f"{_shown(one.value)} → {_shown(one.to)}" for one in self.values))


class Binning(StrEnum):
    WIDTH = "equal_width"
    COUNT = "equal_count"
    EDGES = "edges"


@dataclass(frozen=True, slots=True)
class Bin(Plain):
    """Put numbers into classes, counted from 1.

    A class holds its lower edge and not its upper one, the last class both. Equal width divides the range from the
    smallest to the largest value, equal count the quantiles; both are learnt. Values beyond the outer edges are
    missing.
    """

    column: Annotated[ColumnName, Ask(types=NUMERIC)]
    name: Annotated[NewColumn, Ask(title="New column", suggest="{column}_class")]
    method: Annotated[
        Binning,
        Ask(
            title="Classes of",
            choices=(
                ("equal_width", "equal width"),
                ("equal_count", "as many rows each"),
                ("edges", "edges that you give"),
            ),
        ),
    ] = Binning.WIDTH
    bins: Annotated[int, Ask(title="So many classes", when=("method", (Binning.WIDTH, Binning.COUNT)))] = 10
    edges: Annotated[tuple[float, ...], Ask(help="One in each line, rising.", when=("method", (Binning.EDGES,)))] = ()
    op: Literal["bin"] = "bin"
    info: ClassVar[StepInfo] = StepInfo("Bin numbers", "Put numbers into classes.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", new_name(self.name, "name"))
        if not 2 <= self.bins <= MOST_BINS:
            raise InvalidInputError.at("bins", msg=f"between 2 and {MOST_BINS}", code="range")
        if self.method is Binning.EDGES:
            if not 2 <= len(self.edges) <= MOST_BINS + 1:
                raise InvalidInputError.at("edges", msg=f"between 2 and {MOST_BINS + 1} edges", code="length")
            if list(self.edges) != sorted(set(self.edges)):
                raise InvalidInputError.at("edges", msg="each edge is larger than the one before", code="order")

    @property
    def learns(self) -> bool:
        return self.method is not Binning.EDGES

    def summary(self) -> str:
        how = f"{len(self.edges) - 1} classes" if self.method is Binning.EDGES else f"{self.bins} of {self.method}"
        return f"{self.name} = {self.column} in {how}".replace("_", " ")


def _shown(value: Value | None) -> str:
    return "missing" if value is None else str(value)
