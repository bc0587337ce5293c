"""Steps about values far from the others."""

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


class Bounds(StrEnum):
    IQR = "iqr"
    Z_SCORE = "z_score"
    QUANTILES = "quantiles"
    GIVEN = "given"


class Treatment(StrEnum):
    CLIP = "clip"
    MISSING = "missing"
    FLAG = "flag"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Outliers(Plain):
    """Treat values beyond bounds: clip them to the bound, make them missing, flag them in `<column>_outlier`, or remove
    their rows.

    The bounds are learnt: `factor` interquartile ranges beyond the quartiles (Tukey's fences, 1.5), `factor` sample
    standard deviations from the mean, or the quantiles at `low` and `high`; or they are given. Missing values are no
    outliers. Clipped integers become numbers when a bound has a fraction.
    """

    columns: Annotated[ColumnNames, Ask(types=NUMERIC)]
    bounds: Annotated[
        Bounds,
        Ask(
            choices=(
                ("iqr", "so many interquartile ranges beyond the quartiles"),
                ("z_score", "so many standard deviations from the mean"),
                ("quantiles", "quantiles of the column"),
                ("given", "values that you give"),
            )
        ),
    ] = Bounds.IQR
    factor: Annotated[float, Ask(title="So many", when=("bounds", (Bounds.IQR, Bounds.Z_SCORE)))] = 1.5
    low: Annotated[
        float | None,
        Ask(
            title="Lower bound",
            help="A share for quantiles, such as 0.01.",
            when=("bounds", (Bounds.QUANTILES, Bounds.GIVEN)),
        ),
    ] = None
    high: Annotated[
        float | None,
        Ask(
            title="Upper bound",
            help="A share for quantiles, such as 0.99.",
            when=("bounds", (Bounds.QUANTILES, Bounds.GIVEN)),
        ),
    ] = None
    treatment: Annotated[
        Treatment,
        Ask(
            title="Values beyond them",
            choices=(
                ("clip", "become the bound"),
                ("missing", "become missing"),
                ("flag", "are marked in a column of their own"),
                ("remove", "leave with their rows"),
            ),
        ),
    ] = Treatment.CLIP
    op: Literal["outliers"] = "outliers"
    info: ClassVar[StepInfo] = StepInfo("Treat outliers", "Clip, flag or remove values beyond bounds.", "outliers")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        if not (isfinite(self.factor) and self.factor > 0):
            raise InvalidInputError.at("factor", msg="a factor above 0", code="range")
        limits = {"low": self.low, "high": self.high}
        given = {name: value for name, value in limits.items() if value is not None}
        for name, value in given.items():
            if not isfinite(value):
                raise InvalidInputError.at(name, msg="a finite number", code="range")
            if self.bounds is Bounds.QUANTILES and not 0 <= value <= 1:
                raise InvalidInputError.at(name, msg="a share between 0 and 1", code="range")
        if self.bounds in (Bounds.QUANTILES, Bounds.GIVEN):
            if not given:
                raise InvalidInputError.at("low", msg="give a bound at least on one side", code="required")
            if self.low is not None and self.high is not None and self.low >= self.high:
                raise InvalidInputError.at("high", msg="more than the lower bound", code="range")

    @property
    def learns(self) -> bool:
        return self.bounds is not Bounds.GIVEN

    @property
    def effect(self) -> RowEffect:
        return RowEffect.SELECTS if self.treatment is Treatment.REMOVE else RowEffect.LOCAL

    @staticmethod
    def flag_column(column: str) -> str:
        return f"{column}_outlier"

    def summary(self) -> str:
        return f"{self.treatment} in {listed(self.columns)} by {self.bounds.replace('_', '-')}"
