"""Steps that bring values to a common scale, or make numbers of classes."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    NUMERIC,
    Ask,
    ColumnNames,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_columns,
)

MOST_CLASSES = 200


class Scaling(StrEnum):
    STANDARD = "standard"
    MIN_MAX = "min_max"
    ROBUST = "robust"
    LOG = "log"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Scale(Plain):
    """Bring numbers to a common scale; the figures are learnt, and the columns become numbers.

    Standard: (x - mean) / standard deviation of a sample. Min-max: (x - min) / (max - min). Robust: (x - median) /
    interquartile range. Where the divisor is 0, only the first part is done. Log: ln(x + offset), missing where that is
    not above 0. Power: Yeo and Johnson (2000, doi 10.1093/biomet/87.4.954) with the exponent of the greatest
    likelihood, then standard.
    """

    columns: Annotated[ColumnNames, Ask(types=NUMERIC)]
    method: Annotated[
        Scaling,
        Ask(
            choices=(
                ("standard", "standard: mean 0, deviation 1"),
                ("min_max", "min-max: from 0 to 1"),
                ("robust", "robust: median 0, quartiles 1 apart"),
                ("log", "natural logarithm"),
                ("power", "power (Yeo-Johnson): near to normal"),
            )
        ),
    ] = Scaling.STANDARD
    offset: Annotated[
        float, Ask(title="Added before", help="Where there are zeros, such as 1.", when=("method", (Scaling.LOG,)))
    ] = 0.0
    op: Literal["scale"] = "scale"
    info: ClassVar[StepInfo] = StepInfo("Scale numbers", "Bring numbers to a common scale.", "scale")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        if not isfinite(self.offset):
            raise InvalidInputError.at("offset", msg="a finite number", code="range")

    @property
    def learns(self) -> bool:
        return self.method is not Scaling.LOG

    def summary(self) -> str:
        return f"{listed(self.columns)}: {self.method.replace('_', '-')}"


class Encoding(StrEnum):
    ORDINAL = "ordinal"
    ONE_HOT = "one_hot"
    FREQUENCY = "frequency"
    RARE = "rare"


@dataclass(frozen=True, slots=True)
class Encode(Plain):
    """Make numbers of classes; which there are, and how frequent, is learnt.

    Ordinal: the place of the class in their order, from 0. One-hot: a column `<column>=<class>` of true and false for
    each. Frequency: the share of rows that have the class. Rare: classes that fewer than `share` of the rows have
    become one, “other”. A class that was not seen is missing, in no column, 0, or “other”. Missing stays missing, and
    is false in all columns of one-hot.
    """

    columns: ColumnNames
    method: Annotated[
        Encoding,
        Ask(
            choices=(
                ("one_hot", "one-hot: a column for each class"),
                ("ordinal", "ordinal: their place in order, from 0"),
                ("frequency", "frequency: the share of rows of the class"),
                ("rare", "rare classes become one, “other”"),
            )
        ),
    ] = Encoding.ONE_HOT
    share: Annotated[float, Ask(title="Rare below a share of", when=("method", (Encoding.RARE,)))] = 0.01
    op: Literal["encode"] = "encode"
    info: ClassVar[StepInfo] = StepInfo("Encode classes", "Make numbers of classes, or one of rare ones.", "scale")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        if not 0 < self.share < 1:
            raise InvalidInputError.at("share", msg="between 0 and 1", code="range")

    @property
    def learns(self) -> bool:
        return True

    def summary(self) -> str:
        return f"{listed(self.columns)}: {self.method.replace('_', '-')}"
