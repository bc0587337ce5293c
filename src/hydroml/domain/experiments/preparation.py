"""What happens to the columns before an algorithm sees them.

What learns from data (filling, encoding, scaling) is fitted on each training part alone and travels with the model.
What does not learn (parts of a date, values of earlier rows) is derived by rules that are the same when predicting.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.sources import Column, ColumnType

MOST_DERIVED = 500
"""So many columns may be derived: each is kept for all rows while training and while a file is predicted."""
_TEXT = (ColumnType.TEXT, ColumnType.CATEGORY)


class Imputation(StrEnum):
    MEDIAN = "median"
    MEAN = "mean"
    MOST_FREQUENT = "most_frequent"
    CONSTANT = "constant"
    NONE = "none"


class Transform(StrEnum):
    NONE = "none"
    LOG1P = "log1p"
    POWER = "power"
    QUANTILE = "quantile"


class Scaling(StrEnum):
    NONE = "none"
    STANDARD = "standard"
    ROBUST = "robust"
    MIN_MAX = "min_max"


class Encoding(StrEnum):
    ONE_HOT = "one_hot"
    ORDINAL = "ordinal"
    TARGET = "target"
    FREQUENCY = "frequency"
    HASHING = "hashing"


class DatePart(StrEnum):
    YEAR = "year"
    MONTH = "month"
    DAY_OF_YEAR = "day_of_year"
    WEEK_DAY = "week_day"
    HOUR = "hour"


class Wave(StrEnum):
    """Two numbers that tell a place on a circle, so that December is beside January."""

    SIN = "sin"
    COS = "cos"


class Statistic(StrEnum):
    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


def _within(low: float, value: float, high: float, *place: str | int) -> None:
    if not low <= value <= high:
        raise InvalidInputError.at("preparation", *place, msg=f"between {low:g} and {high:g}", code="range")


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers are prepared, in this order. Booleans are filled as numbers are, and stay 0 and 1."""

    impute: Imputation | None = None
    """None: left to an algorithm that takes missing values; else numbers get the median, booleans the most frequent."""
    fill: float = 0.0
    """What a constant imputation fills in."""
    indicator: bool = True
    """Where values are filled in: a column says which were missing, for those with gaps in training."""
    transform: Transform = Transform.NONE
    scale: Scaling | None = None
    """None: standard where the algorithm needs it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """How texts and categories become numbers."""

    impute: Imputation = Imputation.NONE
    """None: missing is a category of its own; else the most frequent one or a constant."""
    fill: str = "missing"
    indicator: bool = True
    """Where values are filled in: a column says which were missing."""
    encode: Encoding = Encoding.ONE_HOT
    max_categories: int = 30
    """Of one-hot and ordinal: so many are told apart; rarer ones share one."""
    rare: float = 0.0
    """Of one-hot and ordinal: categories with a smaller share of the training rows share one."""
    folds: int = 5
    """Of target encoding: training rows are encoded by means of other folds, so that none sees its own target."""
    hash_columns: int = 64
    """Of hashing: how many columns the words of a text are spread over."""

    def __post_init__(self) -> None:
        if self.impute in (Imputation.MEDIAN, Imputation.MEAN):
            words = f"texts have no {self.impute}: take most_frequent, constant or none"
            raise InvalidInputError.at("preparation", "texts", "impute", msg=words, code="wrong_type")
        _within(2, self.max_categories, 1_000, "texts", "max_categories")
        _within(0.0, self.rare, 0.5, "texts", "rare")
        _within(2, self.folds, 20, "texts", "folds")
        _within(2, self.hash_columns, 4_096, "texts", "hash_columns")


@dataclass(frozen=True, slots=True)
class Dates:
    """Which parts of a date are features; without any, a date is none."""

    parts: tuple[DatePart, ...] = ()
    cyclic: bool = False
    """Parts that come round again are a sine and a cosine rather than a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    """Columns that are prepared in their own way; what is None is as for all."""

    columns: tuple[str, ...]
    name: str = ""
    numbers: Numbers | None = None
    texts: Texts | None = None
    dates: Dates | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A statistic over `rows` rows, of which the latest is `lag` rows before."""

    statistic: Statistic
    rows: int
    lag: int = 1

    def __post_init__(self) -> None:
        _within(2, self.rows, 10_000, "past", "rows")
        _within(0, self.lag, 10_000, "past", "lag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Earlier values of columns as features: those of single rows, and statistics of windows."""

    columns: tuple[str, ...]
    lags: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        for lag in self.lags:
            _within(1, lag, 10_000, "past", "lags")


@dataclass(frozen=True, slots=True)
class Derived:
    """A number made from one column: a part of its date, or its value in earlier rows.

    Row `k` before is the `k`-th earlier moment of the same group, so that rows of one moment never see each other; a
    window needs one known value in its `rows` moments, the latest of them `lag` before.
    """

    column: str
    part: DatePart | None = None
    wave: Wave | None = None
    lag: int = 0
    rows: int = 1
    statistic: Statistic | None = None

    @property
    def name(self) -> str:
        if self.part is not None:
            wave = "" if self.wave is None else f" ({self.wave})"
            return f"{self.column}, {self.part.replace('_', ' ')}{wave}"
        if self.statistic is None:
            return f"{self.column}, {self.lag} before"
        since = {0: "up to now", 1: "before"}.get(self.lag, f"up to {self.lag} before")
        return f"{self.column}, {self.statistic} of {self.rows} {since}"

    @property
    def is_past(self) -> bool:
        return self.part is None


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings for each kind of column, for groups of columns that differ, and what is taken from earlier rows."""

    numbers: Numbers = Numbers()
    texts: Texts = Texts()
    dates: Dates = Dates()
    groups: tuple[ColumnGroup, ...] = ()
    past: tuple[Past, ...] = ()

    def numbers_of(self, column: str) -> Numbers:
        return next((g.numbers for g in self.groups if column in g.columns and g.numbers is not None), self.numbers)

    def texts_of(self, column: str) -> Texts:
        return next((g.texts for g in self.groups if column in g.columns and g.texts is not None), self.texts)

    def dates_of(self, column: str) -> Dates:
        return next((g.dates for g in self.groups if column in g.columns and g.dates is not None), self.dates)

    def numbers_of_derived(self, derived: Derived) -> Numbers:
        """As the column it is made from; the shape of a date's part is no question."""
        numbers = self.numbers_of(derived.column)
        return numbers if derived.is_past else replace(numbers, transform=Transform.NONE)

    def derived(self, dates: Sequence[str]) -> tuple[Derived, ...]:
        """What is made from dates that are features, and from earlier rows."""
        found = [one for name in dates for one in _parts(name, self.dates_of(name))]
        for past in self.past:
            for name in past.columns:
                found += [Derived(name, lag=lag) for lag in past.lags]
                found += [Derived(name, lag=w.lag, rows=w.rows, statistic=w.statistic) for w in past.windows]
        return tuple(dict.fromkeys(found))

    def reach(self, column: str) -> int | None:
        """How many rows back the nearest past value of a column is that a row sees; None when it sees none."""
        lags = [one.lag for one in self.derived(()) if one.column == column]
        return min(lags, default=None)

    def faults(self, columns: Sequence[Column], *, target: str, timed: bool) -> Iterator[Fault]:
        """What is wrong with it for a table of these columns; `timed` where there is a time column."""
        by_name = {column.name: column for column in columns}
        yield from self._group_faults(by_name)
        for index, past in enumerate(self.past):
            place = ("preparation", "past", index)
            if not timed:
                yield Fault(place, "earlier rows are known by a time column: choose one", "required")
            if not past.columns or not (past.lags or past.windows):
                yield Fault(place, "name columns, and which earlier rows of them", "required")
            for name in past.columns:
                yield from _past_faults(by_name, place, past, name, target)
        temporal = [c.name for c in columns if c.type.is_temporal]
        derived = self.derived(temporal)
        if len(derived) > MOST_DERIVED:
            words = f"{len(derived):,} columns would be derived; at most {MOST_DERIVED}"
            yield Fault(("preparation", "past"), words, "too_many")
        for one in derived:
            if one.name in by_name:
                yield Fault(("preparation",), f"the table has a column “{one.name}” already", "taken")

    def _group_faults(self, by_name: Mapping[str, Column]) -> Iterator[Fault]:
        taken = set[str]()
        for index, group in enumerate(self.groups):
            place: tuple[str | int, ...] = ("preparation", "groups", index)
            if not group.columns:
                yield Fault((*place, "columns"), "a group of columns names at least one", "required")
            for name in group.columns:
                if name not in by_name:
                    yield Fault((*place, "columns"), f"there is no column “{name}”", "unknown_column")
                elif name in taken:
                    yield Fault((*place, "columns"), f"“{name}” is in two groups", "taken")
                taken.add(name)
            types = {by_name[name].type for name in group.columns if name in by_name}
            if not any((group.numbers, group.texts, group.dates)):
                yield Fault(place, "a group of columns says what differs for them", "required")
            if group.numbers is not None and types and all(kind in _TEXT or kind.is_temporal for kind in types):
                yield Fault((*place, "numbers"), "there is no number in this group", "wrong_type")
            if group.texts is not None and types and not types & set(_TEXT):
                yield Fault((*place, "texts"), "there is no text in this group", "wrong_type")
            if group.dates is not None and types and not any(kind.is_temporal for kind in types):
                yield Fault((*place, "dates"), "there is no date in this group", "wrong_type")


def _parts(name: str, dates: Dates) -> Iterator[Derived]:
    for part in dates.parts:
        if dates.cyclic and part is not DatePart.YEAR:
            yield from (Derived(name, part, wave) for wave in Wave)
        else:
            yield Derived(name, part)


def _past_faults(
    by_name: Mapping[str, Column], place: tuple[str | int, ...], past: Past, name: str, target: str
) -> Iterator[Fault]:
    column = by_name.get(name)
    if column is None:
        yield Fault((*place, "columns"), f"there is no column “{name}”", "unknown_column")
    elif column.type in _TEXT or column.type.is_temporal:
        yield Fault((*place, "columns"), f"“{name}” is {column.type}: only numbers have a past here", "wrong_type")
    if name == target and any(window.lag < 1 for window in past.windows):
        words = f"a window over “{name}” would see the value that is to be predicted: begin at least one row before"
        yield Fault((*place, "windows"), words, "leakage")
