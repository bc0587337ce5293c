"""Steps on series in time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.steps.base import (
    NUMERIC,
    TEMPORAL,
    Ask,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_text,
)
from hydroml.domain.studio.steps.columns import COLUMN_NAME_LENGTH
from hydroml.domain.studio.steps.statistics import Summary, check_summaries, check_whole
from hydroml.domain.studio.steps.windows import Groups, OrderColumn, each

ZONE_LENGTH = 64

TimeColumn = Annotated[str, Ask("column", TEMPORAL)]


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday on, as in ISO 8601."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    WATER_YEAR = "water_year"
    """Twelve months from the start month on."""


class StepUnit(StrEnum):
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class TimeStep:
    """How far apart the values of a regular series are."""

    every: int
    unit: StepUnit

    @property
    def months(self) -> int:
        """0 for a step that has the same length everywhere."""
        return {StepUnit.MONTHS: self.every, StepUnit.YEARS: 12 * self.every}.get(self.unit, 0)

    @property
    def seconds(self) -> int:
        """0 for a step in months or years."""
        each = {StepUnit.SECONDS: 1, StepUnit.MINUTES: 60, StepUnit.HOURS: 3_600, StepUnit.DAYS: 86_400}
        return self.every * each.get(self.unit, 0)


UsualStep = Annotated[
    TimeStep | None,
    Ask(title="Usual step", help="Found in the times when empty: in each group the most frequent, and the shortest."),
]


@dataclass(frozen=True, slots=True)
class Resample(Plain):
    """Bring the rows of each period together into figures, per group.

    Every period from a group's first to its last is there, those without rows too; rows without a time are left out.
    With a completeness of 0.9, figures of a period with known values at less than nine tenths of the expected times are
    missing; counts are always told. What is expected follows from the usual step; where a group has too few times to
    find it, figures are missing. Periods of days or longer are labelled by their first or last day, hours by their
    beginning or end.
    """

    time: TimeColumn
    period: Period
    values: Annotated[tuple[Summary, ...], Ask(title="Figures")]
    groups: Groups = ()
    start_month: Annotated[int, Ask(title="First month of the water year", when=("period", (Period.WATER_YEAR,)))] = 10
    completeness: Annotated[
        float,
        Ask(
            title="Completeness",
            help="The smallest share of expected values, from 0 to 1; of fewer a period is missing.",
        ),
    ] = 0
    step: UsualStep = None
    label: Annotated[
        Literal["start", "end"],
        Ask(title="A period is named by", choices=(("start", "its start"), ("end", "its end")), more=True),
    ] = "start"
    op: Literal["resample"] = "resample"
    info: ClassVar[StepInfo] = StepInfo("Resample", "From hours or days to longer periods.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        check_summaries(self.values, "values")
        object.__setattr__(self, "groups", tuple(dict.fromkeys(self.groups)))
        check_whole(self.start_month, 1, 12, "start_month")
        if not 0 <= self.completeness <= 1:
            raise InvalidInputError.at("completeness", msg="a share is between 0 and 1", code="range")
        _check_step(self.step)

    def summary(self) -> str:
        made = listed(tuple(value.result for value in self.values))
        rule = f", {self.completeness:.0%} complete" if self.completeness else ""
        return f"{made} per {self.period.replace('_', ' ')}{each(self.groups)}{rule}"


@dataclass(frozen=True, slots=True)
class Regularise(Plain):
    """Put in a row for every time that a regular series lacks, with everything but time and groups missing.

    Between a group's first and last time, never beyond; rows at times in between the steps stay. The rows come by
    groups, then by time, and those without a time last in their group. A time that occurs twice in a group is refused,
    or becomes one row: the first, the last, or the mean of numbers beside the first known value of everything else.
    A series of ends of months stays one.
    """

    time: TimeColumn
    groups: Groups = ()
    step: UsualStep = None
    duplicates: Annotated[
        Literal["refuse", "first", "last", "mean"],
        Ask(
            title="Times that occur twice",
            choices=(
                ("refuse", "stop the step"),
                ("first", "the first row"),
                ("last", "the last row"),
                ("mean", "the mean of the rows"),
            ),
        ),
    ] = "refuse"
    op: Literal["regularise"] = "regularise"
    info: ClassVar[StepInfo] = StepInfo("Regularise times", "Put in the rows that a regular series lacks.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(dict.fromkeys(self.groups)))
        _check_step(self.step)

    def summary(self) -> str:
        step = "the usual step" if self.step is None else f"{self.step.every} {self.step.unit}"
        return f"{self.time} every {step}{each(self.groups)}"


@dataclass(frozen=True, slots=True)
class SeasonalDecompose(Plain):
    """Split a series into trend, season and the rest, in columns such as flow_trend, flow_seasonal, flow_residual.

    Classical decomposition by moving averages (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd
    edition, 3.4), in the order column's order and for each group. The trend is a centred average over one period, and
    missing for half a period at both ends and wherever a value in it is missing; the season is the mean of what the
    trend leaves at each place in the period, and missing for a group in which a place has none (it takes two periods).
    The parts add up to the value, or give it multiplied, which needs values above 0.
    """

    column: Annotated[str, Ask("column", NUMERIC)]
    period: Annotated[int, Ask(title="Rows in a period", help="Such as 12 for months, 365 for days.", suggest=365)]
    model: Annotated[
        Literal["additive", "multiplicative"],
        Ask(choices=(("additive", "additive: parts add up"), ("multiplicative", "multiplicative: parts are factors"))),
    ] = "additive"
    order: OrderColumn = ""
    groups: Groups = ()
    op: Literal["seasonal_decompose"] = "seasonal_decompose"
    info: ClassVar[StepInfo] = StepInfo("Seasonal decomposition", "Split a series into trend, season and rest.", "time")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        check_whole(self.period, 2, 100_000, "period")

    def summary(self) -> str:
        return f"{self.column}, {self.model}, period {self.period}{each(self.groups)}"


@dataclass(frozen=True, slots=True)
class ConvertTimeZone(Plain):
    """Give times of one zone as the clock of another showed them, such as from Europe/Paris to UTC.

    Zones are those of the IANA database, with their daylight-saving time. A time that a clock showed twice, when it
    was put back, is the earlier or the later of the two, as chosen. One that it never showed, when it was put forward,
    counts as if it had not been put forward yet. The flag column says overlap or gap of such times.
    """

    column: Annotated[str, Ask("column", (ColumnType.TIMESTAMP,))]
    source: Annotated[str, Ask(title="From", help="The zone the times are in, such as Europe/Paris.")] = "UTC"
    target: Annotated[str, Ask(title="To", help="The zone to give them in, such as UTC.")] = "UTC"
    overlap: Annotated[Literal["earlier", "later"], Ask(title="Of a time shown twice take the", more=True)] = "earlier"
    into: Annotated[
        str, Ask("new_column", title="Into a new column", help="The same column when empty.", more=True)
    ] = ""
    flag: Annotated[
        str,
        Ask(
            "new_column",
            title="Column that marks",
            help="A column that says overlap or gap; none when empty.",
            more=True,
        ),
    ] = ""
    op: Literal["convert_time_zone"] = "convert_time_zone"
    info: ClassVar[StepInfo] = StepInfo("Convert time zone", "From the clock of one zone to that of another.", "time")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        for zone in ("source", "target"):
            object.__setattr__(self, zone, required_text(getattr(self, zone), ZONE_LENGTH, zone))
        for name in ("into", "flag"):
            if getattr(self, name):
                object.__setattr__(self, name, required_text(getattr(self, name), COLUMN_NAME_LENGTH, name))
        if self.into and self.into == self.flag:
            raise InvalidInputError.at("flag", msg="this is the name of the times already", code="duplicate")

    def summary(self) -> str:
        return f"{self.column} from {self.source} to {self.target}"


def _check_step(step: TimeStep | None) -> None:
    if step is not None:
        check_whole(step.every, 1, 100_000, "step", "every")
