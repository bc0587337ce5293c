"""What an engine measures of a table. No judgement: that is the business of the modules beside this one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydroml.domain.sources import ColumnType

FEW = 50
"""Up to so many different values are counted one by one."""


@dataclass(frozen=True, slots=True)
class Hits:
    """How many rows meet a condition, and the numbers of the first of them, counted from 1."""

    rows: int
    first: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """Of a numeric column. Extremes and counts are of all rows; quantiles and `spike` of the sample."""

    minimum: float
    maximum: float
    mean: float
    std: float
    zeros: int = 0
    negatives: int = 0
    infinite: int = 0
    whole: bool = False
    smallest_positive: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 5, 25, 50, 75 and 95 %."""
    positive_quantiles: tuple[float, ...] = ()
    """The same of the values above zero."""
    spike: tuple[float, float] | None = None
    """The most frequent value and its share."""
    sentinels: tuple[tuple[float, int], ...] = ()
    """Values such as -9999 that occur, with their counts."""
    rest: tuple[float, float] | None = None
    """Minimum and maximum without the sentinels."""


@dataclass(frozen=True, slots=True)
class TextFacts:
    """Of a text column; counts are of rows."""

    shortest: int = 0
    longest: int = 0
    numbers: int = 0
    """Texts that are numbers once stripped."""
    padded: int = 0
    """Numbers that begin with a zero that a number would lose."""
    spaced: int = 0
    variants: tuple[tuple[str, ...], ...] = ()
    """Spellings that differ in case or spaces only, the most frequent one first."""
    variant_rows: int = 0
    words: tuple[tuple[str, int], ...] = ()
    """Words such as “unknown” that occur, as written, with their counts."""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeFacts:
    """Of a column of dates or times."""

    minimum: datetime
    maximum: datetime
    odd: tuple[tuple[str, int], ...] = ()
    """Dates such as 1900-01-01 that occur, with their counts."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    name: str
    type: ColumnType
    rows: int
    missing: int
    distinct: int
    """Exact where it decides (keys, few values), else an estimate."""
    exact: bool = True
    values: tuple[tuple[Any, int], ...] = ()
    """The most frequent values; all of them when there are at most `FEW`."""
    numbers: NumberFacts | None = None
    texts: TextFacts | None = None
    times: TimeFacts | None = None

    @property
    def known(self) -> int:
        return self.rows - self.missing

    @property
    def share_missing(self) -> float:
        return self.missing / self.rows if self.rows else 0.0

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice."""
        return self.exact and self.known > 0 and self.distinct == self.known


@dataclass(frozen=True, slots=True)
class Relation:
    """A column that others determine: found on a sample, and held against the whole table."""

    kind: str
    """identical, near_identical, linear, combination, one_to_one, determines"""
    columns: tuple[str, ...]
    """The determined column first."""
    expression: str
    """In words, such as “cnt = casual + registered”."""
    exceptions: int = 0
    """Rows of the whole table for which it does not hold."""
    formula: str | None = None
    """The condition of the exceptions."""


@dataclass(frozen=True, slots=True)
class Association:
    a: str
    b: str
    measure: str
    """pearson, spearman, cramers_v, correlation_ratio"""
    value: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two times that are there, `missing` steps are not; `group` is where, if there are groups."""

    start: str
    end: str
    missing: int
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of rows in a series, with the value it stays at (None where it is missing)."""

    start: str
    end: str
    length: int
    row: int
    """The number of its first row."""
    value: float | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A numeric column in the order of time."""

    column: str
    missing_runs: int = 0
    longest_missing: Run | None = None
    spacing: float | None = None
    """Median count of steps between values that are there."""
    repeats: float = 0.0
    """Share of neighbours, both there and not zero, that are equal."""
    flat: tuple[Run, ...] = ()
    """The longest runs of a value other than zero, longest first."""


@dataclass(frozen=True, slots=True)
class TimeIndex:
    """The table as a time series, or as one for each group."""

    column: str
    group: str | None
    start: str
    end: str
    step: str | None
    """In words, such as “1 day”; None when no step is the usual one."""
    seconds: float | None
    """The usual step; of months and years their mean length."""
    regular: float
    """Share of steps that are the usual one."""
    groups: int = 1
    gaps: tuple[Gap, ...] = ()
    gap_count: int = 0
    missing_steps: int = 0
    duplicates: Hits = Hits(0)
    out_of_order: Hits = Hits(0)
    clock_changes: int = 0
    """Hours that are left out or doubled where clocks are changed."""
    series: tuple[SeriesFacts, ...] = ()
    parts: tuple[str, ...] = ()
    """The columns the time is made of, when there are several, such as year and month."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What orders the rows: the group, if any, and the columns of the time."""
        times = self.parts or (self.column,)
        return times if self.group is None else (self.group, *times)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything measured. `bounds` says in words where not all was looked at."""

    rows: int
    columns: tuple[ColumnFacts, ...]
    duplicates: Hits = Hits(0)
    relations: tuple[Relation, ...] = ()
    associations: tuple[Association, ...] = ()
    time: TimeIndex | None = None
    bounds: tuple[str, ...] = ()
    compact_dates: Mapping[str, str] = field(default_factory=dict)
    """Whole numbers that are dates such as 19580329, and the formula that makes dates of them."""

    def column(self, name: str) -> ColumnFacts:
        return next(c for c in self.columns if c.name == name)
