"""Steps that give the table another shape."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
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
from hydroml.domain.studio.steps.statistics import Statistic, Summary, check_quantile, check_summaries

MAX_PIVOTED = 500
MAX_TRANSPOSED = 200


@dataclass(frozen=True, slots=True)
class Aggregate(Plain):
    """One row for each group, with figures of its rows.

    Missing is a group of its own, the last one; the groups come in ascending order. Without group columns the whole
    table is one group, and gives one row even when it is empty. Missing values are passed over and never counted; a
    figure of fewer known values than its minimum is missing. First and last are of known values in row order.
    """

    values: Annotated[tuple[Summary, ...], Ask(title="Figures")]
    groups: Annotated[ColumnNames, Ask(title="For each", help="All rows together when none is chosen.")] = ()
    op: Literal["aggregate"] = "aggregate"
    info: ClassVar[StepInfo] = StepInfo(
        "Group and aggregate", "Bring the rows of each group together into figures.", "reshape"
    )
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        check_summaries(self.values, "values")
        object.__setattr__(self, "groups", tuple(dict.fromkeys(self.groups)))

    def summary(self) -> str:
        made = listed(tuple(value.result for value in self.values))
        return f"{made} by {listed(self.groups)}" if self.groups else made


@dataclass(frozen=True, slots=True)
class Pivot(Plain):
    """Make a column of each value of a column, with a figure of the cells that belong there.

    There is one row for each combination of the row columns (missing is one too), in ascending order. The new columns
    are learnt when the step is added, in ascending order, at most 500, and stay the same on a replay; a missing or
    infinite value makes none. Where a row has no cell for a column the figure is missing, a count 0.
    """

    rows: Annotated[ColumnNames, Ask(title="A row for each")]
    names: Annotated[str, Ask("column", title="Columns from the values of")]
    values: Annotated[str, Ask("column", title="Cells from")]
    statistic: Annotated[Statistic, Ask(help="Of several cells in the same place.")] = Statistic.FIRST
    quantile: Annotated[float, Ask(when=("statistic", (Statistic.QUANTILE,)))] = 0.5
    prefix: Annotated[str, Ask(help="Put before the name of every new column.", more=True)] = ""
    op: Literal["pivot"] = "pivot"
    info: ClassVar[StepInfo] = StepInfo("Pivot", "From long to wide: a column for each value of a column.", "reshape")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", required_columns(self.rows, "rows"))
        if self.names in self.rows:
            raise InvalidInputError.at("names", msg="this column is one of the row columns", code="duplicate")
        if len(self.prefix) > COLUMN_NAME_LENGTH:
            raise InvalidInputError.at("prefix", msg=f"at most {COLUMN_NAME_LENGTH} characters", code="length")
        check_quantile(self.quantile, "quantile")

    @property
    def learns(self) -> bool:
        return True

    def summary(self) -> str:
        return f"{self.statistic} of {self.values} by {listed(self.rows)}, a column for each {self.names}"


@dataclass(frozen=True, slots=True)
class Unpivot(Plain):
    """Turn columns into rows: one with the column's name and one with its value, beside the columns that stay.

    The rows of a row follow each other in the order of the columns. Their types must go together without loss
    (integers and numbers, dates and timestamps); others are refused. Missing cells make no row unless they are kept.
    """

    columns: ColumnNames
    name_column: Annotated[NewColumn, Ask(title="Column for the names", more=True)] = "name"
    value_column: Annotated[NewColumn, Ask(title="Column for the values", more=True)] = "value"
    keep_missing: Annotated[bool, Ask(title="Keep rows for missing cells")] = False
    op: Literal["unpivot"] = "unpivot"
    info: ClassVar[StepInfo] = StepInfo("Unpivot", "From wide to long: a row for each of some columns.", "reshape")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        for name in ("name_column", "value_column"):
            object.__setattr__(self, name, required_text(getattr(self, name), COLUMN_NAME_LENGTH, name))

    def summary(self) -> str:
        return f"{listed(self.columns)} to {self.name_column} and {self.value_column}"


@dataclass(frozen=True, slots=True)
class Transpose(Plain):
    """Turn rows into columns and columns into rows, in a table of at most 200 rows.

    The new columns are called after the values of a column, or row_1, row_2, …; a missing or repeated name gets a
    number. Types that do not go together become text. The names are learnt when the step is added; a table with more
    rows than then is refused on a replay, and with fewer the last columns are missing.
    """

    names: Annotated[str, Ask("column", title="Names from", help="row_1, row_2, … when empty.")] = ""
    name_column: Annotated[str, Ask("new_column", title="Column for the old names")] = "column"
    op: Literal["transpose"] = "transpose"
    info: ClassVar[StepInfo] = StepInfo("Transpose", "Rows become columns and columns become rows.", "reshape")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "name_column", required_text(self.name_column, COLUMN_NAME_LENGTH, "name_column"))

    @property
    def learns(self) -> bool:
        return True

    def summary(self) -> str:
        return f"named after {self.names}" if self.names else "rows become columns"
