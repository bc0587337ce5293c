"""Figures of several values of a column, for the steps that bring rows together."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import Ask

MAX_STATISTICS = 200


class Statistic(StrEnum):
    """Missing values are passed over: of nothing but missing values every figure is missing, but counts are 0."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    MEAN = "mean"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"
    STD = "std"
    """Of a sample: divided by one less than their number, and so missing for one value."""
    QUANTILE = "quantile"
    """Between two values in proportion (type 7 of Hyndman and Fan, 1996)."""
    FIRST = "first"
    LAST = "last"
    SHARE_MISSING = "share_missing"

    @property
    def counts(self) -> bool:
        """Whether it tells how many values there are, however few."""
        return self in (Statistic.COUNT, Statistic.COUNT_DISTINCT, Statistic.SHARE_MISSING)


@dataclass(frozen=True, slots=True)
class Summary:
    """A figure of a column, as a column of the result; without a column, the count is of rows."""

    statistic: Statistic
    column: Annotated[str, Ask("column", help="A count without a column is of rows.")] = ""
    quantile: Annotated[float, Ask(when=("statistic", (Statistic.QUANTILE,)))] = 0.5
    name: Annotated[
        str, Ask("new_column", help="The column and the figure when empty, such as flow_mean.", more=True)
    ] = ""
    minimum: Annotated[
        int, Ask(title="Fewest values", help="Of fewer known values the figure is missing.", more=True)
    ] = 1

    @property
    def result(self) -> str:
        """The name of the column it makes."""
        return self.name.strip() or "_".join(part for part in (self.column or "rows", self.statistic) if part)


def check_summaries(summaries: tuple[Summary, ...], *loc: str) -> None:
    """Raises InvalidInputError at `loc` for none, too many, or one that cannot be computed."""
    if not 1 <= len(summaries) <= MAX_STATISTICS:
        raise InvalidInputError.at(*loc, msg=f"choose 1 to {MAX_STATISTICS} figures", code="required")
    for at, summary in enumerate(summaries):
        if not summary.column and summary.statistic is not Statistic.COUNT:
            raise InvalidInputError.at(*loc, at, "column", msg=f"{summary.statistic} needs a column", code="required")
        check_quantile(summary.quantile, *loc, at, "quantile")
        check_whole(summary.minimum, 1, 1_000_000, *loc, at, "minimum")


def check_quantile(value: float, *loc: str | int) -> None:
    if not 0 <= value <= 1:
        raise InvalidInputError.at(*loc, msg="a quantile is between 0 and 1", code="range")


def check_whole(value: int, least: int, most: int, *loc: str | int) -> None:
    if not least <= value <= most:
        name = next(part for part in reversed(loc) if isinstance(part, str))
        raise InvalidInputError.at(*loc, msg=f"{name}: between {least:,} and {most:,}", code="range")
