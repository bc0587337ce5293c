"""The table engine: reads files, runs recipes, answers for pages and profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.sources import Column, Detection, ImportOptions, Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import Fitted, SortKey, Step


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A Parquet file the engine has written: exact columns and row count, and remarks worth showing."""

    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...] = ()


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
    histogram: tuple[tuple[Any, ...], tuple[int, ...]] | None = None
    """(edges, counts), one edge more than counts."""
    top: tuple[tuple[Any, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    rows: int
    columns: tuple[ColumnProfile, ...]
    approximate: bool
    """True when `distinct` is an estimate or only a part of the rows was read."""
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class StepPreview:
    """What a step would do: the first rows after it, and what it adds, removes and changes."""

    page: TablePage
    added_columns: tuple[str, ...]
    removed_columns: tuple[str, ...]
    rows_before: int
    rows_after: int
    changed_cells: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function that formulas may use."""

    name: str
    signature: str
    help: str


class TableEngine(Protocol):
    """Formulas and recipes come from people: nothing in them reaches files, network, settings or Python.

    Whatever runs a recipe raises InvalidInputError with the place of the fault (unknown column, wrong type,
    forbidden or misspelt formula), and TooLargeError when a limit of time or memory is hit.
    """

    def detect(self, file: Path, filename: str, options: ImportOptions) -> Detection:
        """What an import would do; `file` may be only the beginning of a text file. Raises UnreadableFileError."""

    def import_file(
        self, file: Path, filename: str, options: ImportOptions, out: Path, monitor: Monitor
    ) -> WrittenTable:
        """Reads all of `file` into Parquet at `out`. Never rounds, cuts or drops a value: a column has the narrowest
        type that all its values fit. Raises UnreadableFileError with the reason in words."""

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        """The columns after the recipe, without reading rows."""

    def fit(self, table: Table, recipe: Recipe, step: Step) -> Fitted:
        """What `step` learns from the table after `recipe`; empty for a step that learns nothing."""

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage: ...
    def profile(self, view: View) -> Profile: ...
    def preview(self, table: Table, recipe: Recipe, step: Step) -> StepPreview: ...
    def materialise(self, table: Table | Path, recipe: Recipe, out: Path, monitor: Monitor) -> WrittenTable:
        """Runs the recipe over the whole table, or a Parquet file of ours that is no version, into Parquet at `out`."""

    def replay(
        self, columns: Sequence[Column], recipe: Recipe, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Runs the row-local steps of a recipe on rows given as JSON values; `columns` are the table's before it.
        Raises InvalidInputError naming the row and column of a value that does not fit."""

    def target_summary(self, table: Table, column: str) -> TargetSummary: ...
    def python(self, recipe: Recipe, columns: Sequence[Column], filename: str) -> str:
        """The recipe as a Python program that needs DuckDB alone."""

    def describe(self, file: Path) -> WrittenTable:
        """The columns and row count of a Parquet file that another part has written."""

    def export(self, file: Path, out: Path) -> None:
        """Writes a Parquet file in the format of `out`'s ending: csv, tsv, parquet, json. Raises InvalidInputError
        for another ending."""

    def functions(self) -> Sequence[FunctionInfo]: ...
