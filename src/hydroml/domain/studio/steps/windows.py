"""Steps that look at the rows around a row, and keep every row in its place."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    NUMERIC,
    Ask,
    ColumnNames,
    NewColumn,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_columns,
    required_text,
)
from hydroml.domain.studio.steps.columns import COLUMN_NAME_LENGTH
from hydroml.domain.studio.steps.rows import SortKey
from hydroml.domain.studio.steps.statistics import Statistic, check_quantile, check_whole

MAX_NEW_COLUMNS = 500
MAX_ROWS_AROUND = 1_000_000

NumericColumns = Annotated[tuple[str, ...], Ask("columns", NUMERIC)]
Groups = Annotated[tuple[str, ...], Ask("columns", title="For each", help="Every group on its own, such as a site.")]
OrderColumn = Annotated[str, Ask("column", title="In the order of", help="The order of the rows when empty.")]


class WindowFunction(StrEnum):
    ROW_NUMBER = "row_number"
    RANK = "rank"
    """Equal rows share the smallest of their numbers: 1, 2, 2, 4."""
    DENSE_RANK = "dense_rank"
    """Without gaps after equal rows: 1, 2, 2, 3."""
    CUMULATIVE_SUM = "cumulative_sum"
    CUMULATIVE_MEAN = "cumulative_mean"
    CUMULATIVE_MIN = "cumulative_min"
    CUMULATIVE_MAX = "cumulative_max"
    SHARE = "share"
    """Of the sum of the group."""
    DEVIATION = "deviation"
    """From the mean of the group."""

    @property
    def ranks(self) -> bool:
        return self in (WindowFunction.ROW_NUMBER, WindowFunction.RANK, WindowFunction.DENSE_RANK)


_OF_COLUMN = tuple(function for function in WindowFunction if not function.ranks)


@dataclass(frozen=True, slots=True)
class Window(Plain):
    """Number, rank or add up the rows of each group, in a column of its own.

    Ranks and totals follow the order columns, in which missing comes last, then the order of the rows. A cumulative
    figure passes missing values over, and shows the figure so far beside them; before the first value it is missing.
    A share of a total of 0 is missing. Missing is a group of its own.
    """

    function: WindowFunction
    name: Annotated[NewColumn, Ask(title="New column", suggest="{column}_{function}")]
    column: Annotated[str, Ask("column", NUMERIC, when=("function", _OF_COLUMN))] = ""
    groups: Groups = ()
    order: tuple[SortKey, ...] = ()
    op: Literal["window"] = "window"
    info: ClassVar[StepInfo] = StepInfo("Window function", "Rank, running total or share within each group.", "reshape")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", required_text(self.name, COLUMN_NAME_LENGTH, "name"))
        if self.function.ranks == bool(self.column):
            needed = "takes no column: it follows the order" if self.function.ranks else "needs a column"
            raise InvalidInputError.at("column", msg=f"{self.function} {needed}", code="required")
        if self.function in (WindowFunction.RANK, WindowFunction.DENSE_RANK) and not self.order:
            raise InvalidInputError.at("order", msg="choose at least one column to rank by", code="required")
        if len({key.column for key in self.order}) != len(self.order):
            raise InvalidInputError.at("order", msg="a column can be sorted by only once", code="duplicate")

    def summary(self) -> str:
        return f"{self.name} = {self.function}{f' of {self.column}' if self.column else ''}{each(self.groups)}"


class SpanUnit(StrEnum):
    """What an offset or a window is counted in; days and weeks have 24 hours a day."""

    ROWS = "rows"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"

    @property
    def seconds(self) -> int:
        """Raises KeyError for rows."""
        return {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}[self]


@dataclass(frozen=True, slots=True)
class LagLead(Plain):
    """Bring values of earlier (lag) or later (lead) rows beside each row, in columns such as flow_lag_1.

    By rows it is the row so many places away in the order column's order; by time, the value at exactly that time
    before or after, of several rows at that time the last that has one. Where there is no such row in the group the
    value is missing. Rows without a time have none by time, and come last by rows.
    """

    columns: ColumnNames
    offsets: Annotated[tuple[int, ...], Ask(help="How far, such as 1, 2 and 7; a column for each.")] = (1,)
    direction: Annotated[
        Literal["lag", "lead"], Ask(choices=(("lag", "earlier rows (lag)"), ("lead", "later rows (lead)")))
    ] = "lag"
    unit: SpanUnit = SpanUnit.ROWS
    order: OrderColumn = ""
    groups: Groups = ()
    op: Literal["lag_lead"] = "lag_lead"
    info: ClassVar[StepInfo] = StepInfo("Lag and lead", "Values of earlier or later rows beside each row.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        if not self.offsets:
            raise InvalidInputError.at("offsets", msg="choose at least one offset", code="required")
        object.__setattr__(self, "offsets", tuple(dict.fromkeys(self.offsets)))
        for at, offset in enumerate(self.offsets):
            check_whole(offset, 1, MAX_ROWS_AROUND, "offsets", at)
        if len(self.columns) * len(self.offsets) > MAX_NEW_COLUMNS:
            raise InvalidInputError.at("offsets", msg=f"at most {MAX_NEW_COLUMNS} new columns", code="length")
        _check_time(self.unit, self.order)

    def new_column(self, column: str, offset: int) -> str:
        unit = "" if self.unit is SpanUnit.ROWS else f"_{self.unit}"
        return f"{column}_{self.direction}_{offset}{unit}"

    def summary(self) -> str:
        far = listed(tuple(str(offset) for offset in self.offsets))
        return f"{self.direction} of {listed(self.columns)} by {far} {self.unit}{each(self.groups)}"


@dataclass(frozen=True, slots=True)
class Difference(Plain):
    """How much a value differs from that of an earlier row, in columns such as flow_change or flow_change_percent.

    The earlier row is so many rows before in the order column's order, within the group; where there is none, or one
    of the two is missing, the change is missing. A percentage is of the earlier value, and missing when that is 0.
    """

    columns: NumericColumns
    offset: Annotated[int, Ask(title="Since so many rows before")] = 1
    percentage: Annotated[bool, Ask(title="In percent of the earlier value")] = False
    order: OrderColumn = ""
    groups: Groups = ()
    op: Literal["difference"] = "difference"
    info: ClassVar[StepInfo] = StepInfo("Difference", "The change since an earlier row.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        check_whole(self.offset, 1, MAX_ROWS_AROUND, "offset")

    def new_column(self, column: str) -> str:
        return f"{column}_change{'_percent' if self.percentage else ''}"

    def summary(self) -> str:
        kind = "change in percent" if self.percentage else "change"
        return f"{kind} of {listed(self.columns)} over {self.offset} rows{each(self.groups)}"


RollingStatistic = Literal[
    Statistic.MEAN,
    Statistic.SUM,
    Statistic.MIN,
    Statistic.MAX,
    Statistic.MEDIAN,
    Statistic.STD,
    Statistic.QUANTILE,
    Statistic.COUNT,
]


@dataclass(frozen=True, slots=True)
class Rolling(Plain):
    """A figure of the values in a window that moves along the rows, in columns such as flow_mean_7_days.

    The window ends with the row itself, so that nothing of the future is in it, unless it is centred (an even number
    of rows then has one more before than after). A window of time holds what is later than its beginning, and every
    row of the same time. Missing values are passed over; a figure of fewer known values than the minimum is missing,
    a count never. Rows without a time have no window of time.
    """

    columns: NumericColumns
    window: Annotated[int, Ask(title="Length of the window", suggest=7)]
    statistic: RollingStatistic = Statistic.MEAN
    quantile: Annotated[float, Ask(when=("statistic", (Statistic.QUANTILE,)))] = 0.5
    unit: SpanUnit = SpanUnit.ROWS
    centred: Annotated[
        bool, Ask(title="Centred", help="As many rows after as before: this looks into the future.", more=True)
    ] = False
    minimum: Annotated[
        int, Ask(title="Fewest values", help="Of fewer known values the figure is missing.", more=True)
    ] = 1
    order: OrderColumn = ""
    groups: Groups = ()
    op: Literal["rolling"] = "rolling"
    info: ClassVar[StepInfo] = StepInfo("Rolling statistic", "A figure of a window that moves along.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        check_whole(self.window, 1, MAX_ROWS_AROUND, "window")
        check_whole(self.minimum, 1, self.window if self.unit is SpanUnit.ROWS else MAX_ROWS_AROUND, "minimum")
        check_quantile(self.quantile, "quantile")
        _check_time(self.unit, self.order)

    def new_column(self, column: str) -> str:
        unit = "" if self.unit is SpanUnit.ROWS else f"_{self.unit}"
        return f"{column}_{self.statistic}_{self.window}{unit}"

    def summary(self) -> str:
        place = "centred, " if self.centred else ""
        return f"{self.statistic} of {listed(self.columns)} over {self.window} {self.unit}, {place}".rstrip(
            ", "
        ) + each(self.groups)


@dataclass(frozen=True, slots=True)
class Expanding(Plain):
    """A figure of all values up to the row itself, in columns such as flow_mean_so_far.

    Missing values are passed over; a figure of fewer known values than the minimum is missing, a count never.
    """

    columns: NumericColumns
    statistic: RollingStatistic = Statistic.MEAN
    quantile: Annotated[float, Ask(when=("statistic", (Statistic.QUANTILE,)))] = 0.5
    minimum: Annotated[
        int, Ask(title="Fewest values", help="Of fewer known values the figure is missing.", more=True)
    ] = 1
    order: OrderColumn = ""
    groups: Groups = ()
    op: Literal["expanding"] = "expanding"
    info: ClassVar[StepInfo] = StepInfo("Expanding statistic", "A figure of everything up to each row.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        check_whole(self.minimum, 1, MAX_ROWS_AROUND, "minimum")
        check_quantile(self.quantile, "quantile")

    def new_column(self, column: str) -> str:
        return f"{column}_{self.statistic}_so_far"

    def summary(self) -> str:
        return f"{self.statistic} of {listed(self.columns)} so far{each(self.groups)}"


def _check_time(unit: SpanUnit, order: str) -> None:
    if unit is not SpanUnit.ROWS and not order:
        raise InvalidInputError.at("order", msg=f"choose a column of times to count in {unit}", code="required")


def each(groups: tuple[str, ...]) -> str:
    """The groups for a summary."""
    return f" for each {listed(groups)}" if groups else ""
