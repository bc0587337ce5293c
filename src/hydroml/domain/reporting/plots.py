"""A plot as marks on axes: what is drawn, whatever draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

Values = Sequence[float | None]
"""None where there is none: a line breaks there."""


class Role(StrEnum):
    """What a mark stands for, which has the same colour everywhere."""

    OBSERVED = "observed"
    PREDICTED = "predicted"
    BASELINE = "baseline"
    COUNT = "count"
    SERIES_1 = "series-1"
    SERIES_2 = "series-2"
    SERIES_3 = "series-3"
    SERIES_4 = "series-4"
    SERIES_5 = "series-5"
    SERIES_6 = "series-6"


SERIES = (Role.SERIES_1, Role.SERIES_2, Role.SERIES_3, Role.SERIES_4, Role.SERIES_5, Role.SERIES_6)


class Scale(StrEnum):
    LINEAR = "linear"
    LOG = "log"
    TIME = "time"
    """Seconds since 1970."""
    NAMES = "names"
    """Places 0, 1, 2 … with a name each."""


@dataclass(frozen=True, slots=True)
class Axis:
    title: str
    low: float
    high: float
    scale: Scale = Scale.LINEAR
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    x: Values
    y: Values
    role: Role
    title: str = ""
    """In the legend, where there is one."""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    x: Values
    y: Values
    role: Role
    title: str = ""
    radius: float = 1.6
    shades: Values = ()
    """Of each point from 0 (pale) to 1 (strong)."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Rectangles from (x0, y0) to (x1, y1), each with a shade from 0 to 1."""

    x0: Sequence[float]
    y0: Sequence[float]
    x1: Sequence[float]
    y1: Sequence[float]
    role: Role
    shades: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two lines."""

    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    role: Role


@dataclass(frozen=True, slots=True)
class Ranges:
    """Whiskers from (x0, y0) to (x1, y1)."""

    x0: Sequence[float]
    y0: Sequence[float]
    x1: Sequence[float]
    y1: Sequence[float]
    role: Role


Mark = Line | Points | Boxes | Band | Ranges


@dataclass(frozen=True, slots=True)
class Panel:
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """Panels beside each other, `columns` in a row, each so wide and high that `aspect` is width over height."""

    panels: tuple[Panel, ...]
    columns: int = 1
    aspect: float = 1.6
