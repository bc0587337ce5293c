"""The table engine: reads files, runs recipes, answers for pages and profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.charts import Chart
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.exports import ExportShape
from hydroml.domain.sources import Column, ColumnType, Detection, ImportOptions, Table
from hydroml.domain.studio.conditions import Group
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Fitted, SortKey, Step


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that somebody brings, and the name it came under."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A Parquet file the engine has written: exact columns and row count, and remarks worth showing."""

    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...] = ()
    rejected: int = 0
    """How many rows of the files could not be read and stand in a table of their own."""


REJECTED_COLUMNS = (
    Column("file", ColumnType.TEXT, nullable=False),
    Column("line", ColumnType.INTEGER),
    Column("reason", ColumnType.TEXT, nullable=False),
    Column("text", ColumnType.TEXT),
)
"""The columns of a table of rejected rows."""


@dataclass(frozen=True, slots=True)
class View:
    """A table as someone looks at it: a version, a recipe on it, then a filter formula and an order of the grid."""

    table: Table
    recipe: Recipe = ()
    filter: str | None = None
    sort: tuple[SortKey, ...] = ()
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TablePage:
    """Rows as JSON values: integers beyond 2^53 and decimals as text, times in ISO 8601, missing and NaN as None.

    `row_numbers` count from 1 in the table the recipe gives, or None where the recipe reorders rows.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_numbers: tuple[int, ...] | None
    total: int | None
    elapsed_ms: float
    places: tuple[int, ...] | None = None
    """The number of each row, from 1, by which an edit of a cell tells it: in the original, or in the table of the last
    step that makes rows of its own or compares rows."""


MOST_DISTRIBUTIONS = 100
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Figures of one column; numbers for numeric columns, ISO text for times, None where they mean nothing."""

    name: str
    type: str
    missing: int
    distinct: int
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    std: float | None = None
    """Of a sample: divided by one less than their number."""
    quantiles: tuple[float | None, ...] | None = None
    """At `QUANTILES`, between two numbers in proportion."""
    zeros: int | None = None
    lengths: tuple[int, int] | None = None
    """Characters of the shortest and the longest text."""
    histogram: tuple[tuple[Any, ...], tuple[int, ...]] | None = None
    """(edges, counts), one edge more than counts."""
    top: tuple[tuple[Any, int], ...] | None = None
    """The ten most frequent values with their counts; of those as frequent the smaller first."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The figures are of `rows_read` rows: of all of them, or of a sample."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    rows_read: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the values of a column are spread: over the whole table, and over the rows that the view's filter keeps.

    Numbers and times have `edges` with one count less between them, whatever the filter; other columns the ten most
    frequent values of the whole table, with both counts, unless it is long and most values differ.
    """

    name: str
    type: str
    missing: int
    kept_missing: int
    edges: tuple[Any, ...] | None = None
    counts: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    top: tuple[tuple[Any, int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Distributions:
    """Of a view's columns; the filter keeps `kept` of the `rows`.

    Of a table of millions of rows the numbers of columns are `estimated` from some hundred thousand of them; but what
    the filter keeps is counted where it is little.
    """

    rows: int
    kept: int
    columns: tuple[Distribution, ...]
    elapsed_ms: float
    estimated: bool = False


SEARCH_LENGTH = 500


@dataclass(frozen=True, slots=True)
class TextSearch:
    """A text to look for in cells, in upper or lower case: row by row in a view's order, and in a row from column to
    column, from the cell at the position `after` and `column` on, or back from it."""

    text: str
    after: int | None = None
    column: str | None = None
    backwards: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= SEARCH_LENGTH:
            raise InvalidInputError.at("text", msg=f"between 1 and {SEARCH_LENGTH} characters", code="length")


@dataclass(frozen=True, slots=True)
class TextHit:
    """The next cell that holds a text, by its row's position in the view's order, counted from 0; None when there is
    none. Behind the last row the search goes on at the first."""

    position: int | None
    column: str | None
    rows: int | None
    """How many rows hold it; None as long as not all have been looked at."""
    searched: float
    """Which share of the rows has been looked at, by this question and those before."""
    done: bool
    """False: the time was up. To ask the same again goes on with the search."""
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class ChartData:
    """What a chart draws, as a table: a row of JSON values for each mark, at most about `MOST_MARKS`.

    `how` tells what became of the view's rows: each is drawn; figures of all of them, in bins or groups; or a sample,
    the same each time. `used` of the `rows` have the values that are needed and are behind the marks.
    """

    columns: tuple[Column, ...]
    marks: tuple[tuple[Any, ...], ...]
    rows: int
    used: int
    how: Literal["all", "binned", "sampled"]
    note: str
    """A sentence for people where more can be said, such as what a bin is; empty otherwise."""
    elapsed_ms: float


Fate = Literal["kept", "removed", "added"]


@dataclass(frozen=True, slots=True)
class FailingCell:
    """A cell that has no value after a step though what it comes from has one, or an edit that does not fit."""

    row: int
    column: str
    value: Any
    """What it comes from."""
    reason: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Rows as a step leaves them, some of each kind: the first, and some that change, leave, come or fail, in their
    order; a row or column that leaves stands where it was, with its values."""

    columns: tuple[Column, ...]
    numbers: tuple[int, ...]
    """Of the rows in the table before the step; of rows that come, in the table after it."""
    rows: tuple[tuple[Any, ...], ...]
    fates: tuple[Fate, ...]
    was: tuple[Mapping[str, Any], ...]
    """What the cells of each row that change held before, by column."""
    failing: tuple[FailingCell, ...] = ()
    """Of the rows that are shown."""
    failing_cells: int = 0


@dataclass(frozen=True, slots=True)
class StepPreview:
    """What a step would do: the first rows after it, and what it adds, removes and changes."""

    page: TablePage
    added_columns: tuple[str, ...]
    removed_columns: tuple[str, ...]
    rows_before: int
    rows_after: int
    changed_cells: Mapping[str, int] = field(default_factory=dict)
    compared_rows: int | None = None
    """Of so many of the first rows the changed cells were counted; None: of all."""
    differences: Differences | None = None
    """None where the rows after the step are no longer those before it, and while it would take too long."""


@dataclass(frozen=True, slots=True)
class MatchReport:
    """How the keys of a join meet, before it is taken: left is the table, right the other one.

    A row with a missing key has no partner. The unmatched are some of the keys without a partner, as JSON values, the
    most frequent first. Of a join by nearest, a row is matched when one within the tolerance is found, the unmatched
    come with their time or number, and those of the other table are not told.
    """

    rows_left: int
    rows_right: int
    matched_left: int
    matched_right: int
    unmatched_left: tuple[tuple[Any, ...], ...]
    unmatched_right: tuple[tuple[Any, ...], ...]
    rows_after: int
    most_partners: int
    """Of one row of the left."""
    largest_key: tuple[Any, ...] | None
    """The key that gives most rows of the result, if any is on both sides."""
    largest_rows: int
    repeated_left: int = 0
    """How many keys are there more than once."""
    repeated_right: int = 0


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function that formulas may use."""

    name: str
    signature: str
    help: str
    group: str
    example: str
    result: str
    """What the example gives; of functions of many rows, for each of the rows of the reference."""


FormulaKind = Literal["value", "condition"]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The first rows that a query gives, as JSON values; `total` is None when there are more than those."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int | None
    truncated: bool
    used: tuple[str, ...]
    """The names of the tables it reads."""
    elapsed_ms: float


class TableEngine(Protocol):
    """Formulas and recipes come from people: nothing in them reaches files, network, settings or Python.

    Whatever runs a recipe raises InvalidInputError with the place of the fault (unknown column, wrong type,
    forbidden or misspelt formula), and TooLargeError when a limit of time or memory is hit.
    """

    def detect(self, files: Sequence[IncomingFile], options: ImportOptions) -> Detection:
        """What an import would do; a text file may be only the beginning of one. Raises UnreadableFileError."""

    def import_files(
        self,
        files: Sequence[IncomingFile],
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
        *,
        onto: Table | None = None,
    ) -> WrittenTable:
        """Reads the files, one after the other and columns by name, behind the rows of `onto`, into Parquet at `out`.

        Never rounds, cuts or drops a value: a column has the narrowest type that all its values fit. Rows that cannot
        be read go to `rejected` as Parquet with `REJECTED_COLUMNS`; without any, no such file is written. Raises
        UnreadableFileError with the reason in words.
        """

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        """The columns after the recipe, without reading rows. Answers and refusals are kept: asking again, or for one
        step more, costs next to nothing."""

    def fit(self, table: Table, recipe: Recipe, step: Step, monitor: Monitor | None = None) -> Fitted:
        """What `step` learns from the table after `recipe`; empty for a step that learns nothing. Without a monitor
        somebody waits, and it raises TooLargeError when it takes too long."""

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage: ...
    def profile(self, view: View, monitor: Monitor | None = None) -> Profile:
        """Exact figures of all rows. Without a monitor somebody waits: then of the first 500 columns, and it raises
        TooLargeError when it takes too long."""

    def sample_profile(self, view: View) -> Profile:
        """Within about a second, of the first 500 columns of a table: figures of some blocks of rows spread over all of
        it; what is missing, and the smallest and largest number or time, are of all rows. The view's recipe, filter and
        order do not count."""

    def distributions(self, view: View) -> Distributions:
        """Of at most `MOST_DISTRIBUTIONS` columns; the view's order does not count. Raises TooLargeError when it takes
        too long."""

    def find(self, view: View, search: TextSearch) -> TextHit:
        """The next cell of the view's columns, in their order, that holds a text; within about two seconds. Numbers,
        dates and times are compared as they are written in full: 1234.5, 2020-01-31 06:00:00."""

    def chart(self, view: View, chart: Chart) -> ChartData:
        """The marks of the view's rows; its order and columns do not count. Raises InvalidInputError for a column that
        is not there or does not suit, and TooLargeError when it takes too long."""

    def preview(self, table: Table, recipe: Recipe, entry: RecipeStep) -> StepPreview:
        """What a step that has not learnt yet would do after the recipe."""

    def match(self, table: Table, recipe: Recipe, entry: RecipeStep) -> MatchReport:
        """How the keys of a join after the recipe would meet; raises InvalidInputError for any other step."""

    def materialise(self, table: Table | Path, recipe: Recipe, out: Path, monitor: Monitor) -> WrittenTable:
        """Runs the recipe over the whole table, or a Parquet file of ours that is no version, into Parquet at `out`."""

    def replay(
        self, columns: Sequence[Column], recipe: Recipe, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Runs the row-local steps of a recipe on rows given as JSON values; `columns` are the table's before it.
        Raises InvalidInputError naming the row and column of a value that does not fit."""

    def target_summary(self, table: Table, column: str) -> TargetSummary: ...
    def python(self, recipe: Recipe, columns: Sequence[Column], filename: str) -> str:
        """The recipe, which has learnt what it has to, as a Python program that needs DuckDB alone."""

    def describe(self, file: Path) -> WrittenTable:
        """The columns and row count of a Parquet file that another part has written."""

    def check_export(self, table: Table, shape: ExportShape) -> None:
        """Raises InvalidInputError for what `export` could not do: an unknown column, a bad filter, a table beyond
        what the format holds."""

    def export(self, table: Table | Path, shape: ExportShape, out: Path, monitor: Monitor) -> int:
        """Writes the part of the table, or of a Parquet file of ours that is no version, to `out`, and gives its rows.
        Missing and NaN are the same; what is infinite is missing where the format has no word for it."""

    def query(
        self, text: str, tables: Mapping[str, Table], this: View | None, limit: int, monitor: Monitor
    ) -> QueryResult:
        """The first rows of a person's SELECT over `tables` by their names, and over a view's table, without the grid's
        filter and order, as `this`. It reaches nothing else. Raises InvalidInputError with the place in the text,
        TooLargeError when it takes longer than `QUERY_SECONDS` or too much memory, UnavailableError when too many run,
        and what the monitor raises."""

    def check_query(self, text: str, tables: Mapping[str, Table], this: View | None) -> Sequence[str]:
        """The names of the tables a query reads, without reading them. Raises InvalidInputError."""

    def write_query(
        self, text: str, tables: Mapping[str, Table], this: View | None, out: Path, monitor: Monitor
    ) -> WrittenTable:
        """All rows of a query into Parquet at `out`."""

    def check_formula(self, table: Table, recipe: Recipe, formula: str, kind: FormulaKind) -> ColumnType:
        """The type of a formula over the columns after the recipe; no row is read. Raises InvalidInputError."""

    def read_condition(self, table: Table, recipe: Recipe, formula: str) -> Group | None:
        """The formula as comparisons of the columns after the recipe; None when it is more than those."""

    def functions(self) -> Sequence[FunctionInfo]: ...

    def forget(self, before: datetime, *, dry_run: bool = False) -> tuple[int, int]:
        """Removes what it keeps to be faster and nobody has used since; gives how many files and bytes that are."""
