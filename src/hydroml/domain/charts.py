"""Charts: what is drawn of a table, and charts that a project keeps under a name."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NewType, get_args, get_origin, get_type_hints
from uuid import UUID

from hydroml.domain.errors import Fault, InvalidInputError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId, clean_name
from hydroml.domain.sources import Column, ColumnType, VersionId
from hydroml.domain.studio.session import SessionId
from hydroml.domain.studio.steps.base import NUMERIC, TEMPORAL, Ask, required_columns
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

ChartId = NewType("ChartId", UUID)

MOST_CHARTS = 500
"""Of a project."""
MOST_MARKS = 5_000
MOST_SERIES = 8
MOST_BINS = 200
MOST_CORRELATED = 20
MOST_GAPPY = 50


class ChartNotFoundError(NotFoundError):
    def __init__(self, chart_id: ChartId) -> None:
        super().__init__(f"chart {chart_id} does not exist")


class Aggregate(StrEnum):
    """One figure for many rows."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MEDIAN = "median"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


class CorrelationMethod(StrEnum):
    PEARSON = "pearson"
    SPEARMAN = "spearman"


AnyColumn = Annotated[str, Ask("column")]
NumericColumn = Annotated[str, Ask("column", NUMERIC)]
NumericColumns = Annotated[tuple[str, ...], Ask("columns", NUMERIC)]
TimeColumn = Annotated[str, Ask("column", TEMPORAL)]
OrderedColumn = Annotated[str, Ask("column", (*NUMERIC, *TEMPORAL))]
Grouping = Annotated[str | None, Ask("column", title="For each")]
Value = Annotated[str | None, Ask("column", NUMERIC)]


def _counted(aggregate: Aggregate, value: str | None) -> None:
    if value is None and aggregate is not Aggregate.COUNT:
        raise InvalidInputError.at("value", msg=f"choose the column whose {aggregate} is drawn", code="required")


def _bounded(bins: int) -> None:
    if not 1 <= bins <= MOST_BINS:
        raise InvalidInputError.at("bins", msg=f"between 1 and {MOST_BINS}", code="range")


def _at_most(columns: tuple[str, ...], most: int) -> tuple[str, ...]:
    columns = required_columns(columns, "columns")
    if len(columns) > most:
        raise InvalidInputError.at("columns", msg=f"choose at most {most} columns", code="length")
    return columns


@dataclass(frozen=True, slots=True)
class Histogram:
    column: OrderedColumn
    bins: int = 30
    kind: Literal["histogram"] = "histogram"
    title: ClassVar[str] = "Histogram"
    help: ClassVar[str] = "How often values occur, in bins of equal width."

    def __post_init__(self) -> None:
        _bounded(self.bins)


@dataclass(frozen=True, slots=True)
class Box:
    """Whiskers reach the outermost values within 1.5 times the quartiles' distance (Tukey, 1977)."""

    column: NumericColumn
    by: Grouping = None
    kind: Literal["box"] = "box"
    title: ClassVar[str] = "Box plot"
    help: ClassVar[str] = "Median, quartiles and whiskers, for each value of another column."


@dataclass(frozen=True, slots=True)
class Scatter:
    x: OrderedColumn
    y: NumericColumn
    colour: Annotated[str | None, Ask("column")] = None
    kind: Literal["scatter"] = "scatter"
    title: ClassVar[str] = "Scatter"
    help: ClassVar[str] = "A point for each row."


@dataclass(frozen=True, slots=True)
class _Lines:
    """`by` draws a line for each value of a column, and then of one column only."""

    columns: NumericColumns
    by: Grouping = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _at_most(self.columns, MOST_SERIES))
        if self.by is not None and len(self.columns) > 1:
            raise InvalidInputError.at("by", msg="lines for each value are drawn of one column", code="length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(_Lines):
    x: OrderedColumn
    kind: Literal["line"] = "line"
    title: ClassVar[str] = "Line"
    help: ClassVar[str] = "Columns over another one that gives the order."


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(_Lines):
    time: TimeColumn
    kind: Literal["time_series"] = "time_series"
    title: ClassVar[str] = "Time series"
    help: ClassVar[str] = "Columns over time; of long series smallest, mean and largest of each short period."


@dataclass(frozen=True, slots=True)
class Bar:
    category: AnyColumn
    value: Value = None
    aggregate: Aggregate = Aggregate.COUNT
    kind: Literal["bar"] = "bar"
    title: ClassVar[str] = "Bars"
    help: ClassVar[str] = "A figure for each value of a column."

    def __post_init__(self) -> None:
        _counted(self.aggregate, self.value)


@dataclass(frozen=True, slots=True)
class HeatMap:
    x: AnyColumn
    y: AnyColumn
    value: Value = None
    aggregate: Aggregate = Aggregate.COUNT
    bins: int = 24
    kind: Literal["heat_map"] = "heat_map"
    title: ClassVar[str] = "Heat map"
    help: ClassVar[str] = "A figure for each meeting of two columns; numbers and times in bins."

    def __post_init__(self) -> None:
        _counted(self.aggregate, self.value)
        if not 1 <= self.bins <= 50:
            raise InvalidInputError.at("bins", msg="between 1 and 50", code="range")


@dataclass(frozen=True, slots=True)
class Calendar:
    time: TimeColumn
    value: Value = None
    aggregate: Aggregate = Aggregate.COUNT
    kind: Literal["calendar"] = "calendar"
    title: ClassVar[str] = "Calendar"
    help: ClassVar[str] = "A figure for each month of each year."

    def __post_init__(self) -> None:
        _counted(self.aggregate, self.value)


@dataclass(frozen=True, slots=True)
class Correlation:
    """Of the rows in which both columns have a value."""

    columns: NumericColumns
    method: Annotated[CorrelationMethod, Ask(title="Method")] = CorrelationMethod.PEARSON
    kind: Literal["correlation"] = "correlation"
    title: ClassVar[str] = "Correlation"
    help: ClassVar[str] = "How far columns rise and fall together, from −1 to 1."

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _at_most(self.columns, MOST_CORRELATED))
        if len(self.columns) < 2:
            raise InvalidInputError.at("columns", msg="choose two columns or more", code="length")


@dataclass(frozen=True, slots=True)
class SiteMap:
    """Rows at the same place are one mark. Coordinates may be of any system: nothing is projected."""

    longitude: NumericColumn
    latitude: NumericColumn
    value: Value = None
    aggregate: Aggregate = Aggregate.COUNT
    kind: Literal["site_map"] = "site_map"
    title: ClassVar[str] = "Map of sites"
    help: ClassVar[str] = "Places by their coordinates, larger where there are more rows, coloured by a figure."

    def __post_init__(self) -> None:
        _counted(self.aggregate, self.value)


@dataclass(frozen=True, slots=True)
class Hydrograph:
    time: TimeColumn
    flow: NumericColumn
    rain: NumericColumn
    kind: Literal["hydrograph"] = "hydrograph"
    title: ClassVar[str] = "Hydrograph"
    help: ClassVar[str] = "Flow over time, with rainfall hanging from above."


@dataclass(frozen=True, slots=True)
class FlowDuration:
    """The share of values that reach or exceed a value (Vogel and Fennessey, 1994)."""

    columns: NumericColumns
    kind: Literal["flow_duration"] = "flow_duration"
    title: ClassVar[str] = "Flow duration"
    help: ClassVar[str] = "For what share of the time a value is reached or exceeded."

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _at_most(self.columns, MOST_SERIES))


@dataclass(frozen=True, slots=True)
class Seasons:
    time: TimeColumn
    column: NumericColumn
    kind: Literal["seasons"] = "seasons"
    title: ClassVar[str] = "Seasons"
    help: ClassVar[str] = "A box plot for each month of the year."


@dataclass(frozen=True, slots=True)
class DoubleMass:
    """Running sums of the rows in which both have a value (Searcy and Hardison, 1960)."""

    time: TimeColumn
    x: NumericColumn
    y: NumericColumn
    kind: Literal["double_mass"] = "double_mass"
    title: ClassVar[str] = "Double mass"
    help: ClassVar[str] = "Running sums of two columns against each other: a bend tells of a change at one of them."


@dataclass(frozen=True, slots=True)
class Gaps:
    time: TimeColumn
    columns: Annotated[tuple[str, ...], Ask("columns")]
    kind: Literal["gaps"] = "gaps"
    title: ClassVar[str] = "Gaps"
    help: ClassVar[str] = "When each column has values."

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _at_most(self.columns, MOST_GAPPY))


Chart = (
    TimeSeries
    | Histogram
    | Box
    | Scatter
    | Line
    | Bar
    | HeatMap
    | Calendar
    | Correlation
    | SiteMap
    | Hydrograph
    | FlowDuration
    | Seasons
    | DoubleMass
    | Gaps
)

CHARTS: tuple[type[Chart], ...] = get_args(Chart)


def check_columns(chart: Chart, columns: Sequence[Column]) -> None:
    """Raises InvalidInputError that names every column which is not there, or whose type does not suit."""
    known = {column.name: column.type for column in columns}
    faults = [fault for place, name, ask in _asked(chart) for fault in _faults(place, name, known, ask)]
    if faults:
        raise InvalidInputError(faults[0].msg, tuple(faults))


def _asked(chart: Chart) -> list[tuple[str, str, Ask]]:
    """The columns a chart names: where, which, and what suits there."""
    hints = get_type_hints(type(chart), include_extras=True)
    found = []
    for field in fields(chart):
        ask = next((n for n in get_args(hints[field.name])[1:] if isinstance(n, Ask) and n.role), None)
        if get_origin(hints[field.name]) is not Annotated or ask is None:
            continue
        value: Any = getattr(chart, field.name)
        names = value if isinstance(value, tuple) else () if value is None else (value,)
        found += [(field.name, name, ask) for name in names]
    return found


def _faults(place: str, name: str, known: dict[str, ColumnType], ask: Ask) -> list[Fault]:
    if name not in known:
        return [Fault((place,), f"there is no column “{name[:100]}”", "unknown_column")]
    if ask.types and known[name] not in ask.types:
        wanted = "a date or a time" if ask.types == TEMPORAL else "a number"
        wanted = "a number, a date or a time" if set(ask.types) > set(NUMERIC) else wanted
        return [Fault((place,), f"“{name[:100]}” is of type {known[name]}; choose {wanted} here", "type")]
    return []


@dataclass(slots=True, kw_only=True)
class SavedChart:
    """A chart under a name, on a version or on a session as it stands."""

    id: ChartId
    project_id: ProjectId
    name: str
    version_id: VersionId | None = None
    session_id: SessionId | None = None
    chart: Chart
    filter: str | None = None
    created_by: UserId
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self._tidy()

    def change(self, *, name: str | None = None, chart: Chart | None = None, filter: str | None = None) -> None:  # noqa: A002 - the API's word
        """What is None stays; an empty filter is none. Raises InvalidInputError."""
        self.name = self.name if name is None else name
        self.chart = self.chart if chart is None else chart
        self.filter = self.filter if filter is None else filter
        self._tidy()

    def seen_by(self, user: UserId) -> bool:
        """A session is its owner's alone, and so is what is drawn of it."""
        return self.session_id is None or self.created_by == user

    def _tidy(self) -> None:
        self.name = clean_name(self.name)
        self.filter = (self.filter or "").strip() or None
        if (self.version_id is None) is (self.session_id is None):
            raise InvalidInputError.at("version_id", msg="name a version or a session", code="required")
        if len(self.filter or "") > FORMULA_LENGTH:
            raise InvalidInputError.at("filter", msg=f"at most {FORMULA_LENGTH:,} characters", code="length")
