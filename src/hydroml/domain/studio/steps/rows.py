"""Steps that choose or order rows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    Ask,
    ColumnName,
    ColumnNames,
    Condition,
    Plain,
    RowEffect,
    StepInfo,
    distinct_columns,
    listed,
    required_text,
)

FORMULA_LENGTH = 4_000
MOST_ROWS = 10**12


@dataclass(frozen=True, slots=True)
class Filter(Plain):
    """Keep the rows for which the condition, a formula, is true; false and missing leave."""

    condition: Condition
    op: Literal["filter"] = "filter"
    info: ClassVar[StepInfo] = StepInfo("Filter rows", "Keep the rows for which a condition is true.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.SELECTS

    def __post_init__(self) -> None:
        object.__setattr__(self, "condition", required_text(self.condition, FORMULA_LENGTH, "condition"))

    def summary(self) -> str:
        return f"keep rows where {self.condition}"


@dataclass(frozen=True, slots=True)
class SortKey:
    column: ColumnName
    descending: Annotated[bool, Ask(title="Largest first")] = False


@dataclass(frozen=True, slots=True)
class Sort(Plain):
    """Order the rows by columns; missing values come last, ties keep the order they had."""

    by: Annotated[tuple[SortKey, ...], Ask(title="Order")]
    op: Literal["sort"] = "sort"
    info: ClassVar[StepInfo] = StepInfo("Sort rows", "Order the rows by one or more columns.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.ORDERS

    def __post_init__(self) -> None:
        if not self.by:
            raise InvalidInputError.at("by", msg="choose at least one column", code="required")
        if len({key.column for key in self.by}) != len(self.by):
            raise InvalidInputError.at("by", msg="a column can be sorted by only once", code="duplicate")

    def summary(self) -> str:
        return "by " + ", ".join(f"{key.column} {'↓' if key.descending else '↑'}" for key in self.by)


@dataclass(frozen=True, slots=True)
class Sample(Plain):
    """Keep rows drawn at random: so many, or a share of all.

    Which ones is decided by the seed and each row's place, so the same seed draws the same rows each time. A share is
    met about, a number exactly. Their order stays.
    """

    rows: Annotated[int | None, Ask(title="So many rows", suggest=1_000)] = None
    share: Annotated[float | None, Ask(title="Or a share of all", help="Between 0 and 1.")] = None
    seed: Annotated[int, Ask(help="Another number draws other rows.", more=True)] = 0
    op: Literal["sample"] = "sample"
    info: ClassVar[StepInfo] = StepInfo("Sample rows", "Keep rows drawn at random.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.share is None):
            raise InvalidInputError.at("rows", msg="give a number of rows or a share of all", code="required")
        if self.rows is not None and not 1 <= self.rows <= MOST_ROWS:
            raise InvalidInputError.at("rows", msg="at least one row", code="range")
        if self.share is not None and not 0 < self.share <= 1:
            raise InvalidInputError.at("share", msg="more than 0 and at most 1", code="range")
        if abs(self.seed) >= 2**31:
            raise InvalidInputError.at("seed", msg="a seed has at most nine digits", code="range")

    def summary(self) -> str:
        return f"{self.rows:,} rows" if self.rows is not None else f"{self.share:.3g} of all rows"


class Keep(StrEnum):
    FIRST = "first"
    LAST = "last"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DropDuplicates(Plain):
    """Keep one row of those that are the same in the columns, or in all when none are named.

    `first` and `last` are meant in the order of rows; with `order_by` the row with the smallest or largest value there
    is kept, a missing value counting as smaller than any. `none` drops every row that has a double. Missing values are
    equal to each other.
    """

    columns: Annotated[ColumnNames, Ask(title="Same in", help="All columns when none is chosen.")] = ()
    keep: Annotated[
        Keep, Ask(choices=(("first", "the first of them"), ("last", "the last of them"), ("none", "none of them")))
    ] = Keep.FIRST
    order_by: Annotated[
        ColumnName | None, Ask(title="First or last by", help="The order of the rows when none is chosen.", more=True)
    ] = None
    op: Literal["drop_duplicates"] = "drop_duplicates"
    info: ClassVar[StepInfo] = StepInfo("Drop duplicates", "Keep one row of those that are the same.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", distinct_columns(self.columns))
        if self.order_by is not None and self.keep is Keep.NONE:
            raise InvalidInputError.at("order_by", msg="an order matters only when one row is kept", code="value")

    def summary(self) -> str:
        kept = "keep none" if self.keep is Keep.NONE else f"keep the {self.keep}"
        by = f" by {self.order_by}" if self.order_by else ""
        return f"{kept}{by} of those same in {listed(self.columns) if self.columns else 'all columns'}"


class Of(StrEnum):
    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class DropMissing(Plain):
    """Drop the rows in which any of the columns, or all of them, have no value; of all columns when none are named."""

    columns: Annotated[ColumnNames, Ask(title="Columns", help="All columns when none is chosen.")] = ()
    missing: Annotated[
        Of,
        Ask(title="Drop a row when missing in", choices=(("any", "any of the columns"), ("all", "all of the columns"))),
    ] = Of.ANY
    op: Literal["drop_missing"] = "drop_missing"
    info: ClassVar[StepInfo] = StepInfo("Drop rows with gaps", "Drop rows in which values are missing.", "missing")
    effect: ClassVar[RowEffect] = RowEffect.SELECTS

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", distinct_columns(self.columns))

    def summary(self) -> str:
        return f"where {self.missing} of {listed(self.columns) if self.columns else 'the columns'} is missing"


class End(StrEnum):
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Limit(Plain):
    """Keep the first or the last rows, in their order; `skip` leaves so many out at that end before."""

    rows: Annotated[int, Ask(title="So many rows", suggest=1_000)]
    end: Annotated[End, Ask(title="From", choices=(("first", "the beginning"), ("last", "the end")))] = End.FIRST
    skip: Annotated[int, Ask(title="Leave out before", help="So many rows at that end.", more=True)] = 0
    op: Literal["limit"] = "limit"
    info: ClassVar[StepInfo] = StepInfo("Limit rows", "Keep the first or the last rows.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        for name in ("rows", "skip"):
            if not 0 <= getattr(self, name) <= MOST_ROWS:
                raise InvalidInputError.at(name, msg="0 or more", code="range")

    def summary(self) -> str:
        return f"the {self.end} {self.rows:,} rows" + (f" after {self.skip:,}" if self.skip else "")
