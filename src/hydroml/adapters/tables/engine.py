"""The table engine's face: the port, method by method."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from hydroml.adapters.tables import (
    charts,
    distributions,
    exporting,
    finding,
    functions,
    matching,
    previews,
    profiles,
    program,
    replay,
    sql,
    writing,
)
from hydroml.adapters.tables.background import Background
from hydroml.adapters.tables.builder import condition, derived
from hydroml.adapters.tables.cache import FileCache, own_folder
from hydroml.adapters.tables.compiler import must_be_learnt
from hydroml.adapters.tables.conditions import read_condition
from hydroml.adapters.tables.connection import Connections
from hydroml.adapters.tables.fitting import fit
from hydroml.adapters.tables.pages import Pages
from hydroml.adapters.tables.querying import Queries
from hydroml.adapters.tables.reading.several import TableReader
from hydroml.adapters.tables.views import Opened, Views, materialise
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import (
    ChartData,
    Distributions,
    FormulaKind,
    FunctionInfo,
    IncomingFile,
    MatchReport,
    Profile,
    QueryResult,
    StepPreview,
    TablePage,
    TextHit,
    TextSearch,
    View,
    WrittenTable,
)
from hydroml.domain.charts import Chart
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.exports import ExportShape
from hydroml.domain.sources import Column, ColumnType, Detection, ImportOptions, Table, UnreadableFileError
from hydroml.domain.studio.conditions import Group
from hydroml.domain.studio.recipes import Recipe, RecipeStep, row_local_part
from hydroml.domain.studio.steps import Fitted, Step

_CACHE_BYTES = 20 << 30


class DuckDbTableEngine:
    """Keeps what it can compute again below `temp_folder`; threads and processes may share it."""

    def __init__(
        self, blobs: BlobStore, temp_folder: Path, memory_limit: int, threads: int, cache_limit: int = _CACHE_BYTES
    ) -> None:
        temp_folder = temp_folder.resolve()
        temp_folder.mkdir(parents=True, exist_ok=True)
        self._cache = cache = FileCache(temp_folder / "views", cache_limit)
        # DuckDB spills under fixed names, so that no two processes may share a folder for it.
        self._temp_folder = own_folder(temp_folder)
        self._blobs = blobs
        self._connections = Connections(self._temp_folder, cache.folder, memory_limit, threads)
        self._background = Background()
        self._views = Views(self._connections, blobs, cache, self._background)
        self._pages = Pages(self._views)
        self._queries = Queries(self._connections, self._views, blobs)
        self._reader = TableReader(self._connections, self._temp_folder)

    def close(self) -> None:
        self._background.close()
        self._connections.close()

    def settle(self, timeout: float | None = None) -> bool:
        """Waits until nothing is done in the background."""
        return self._background.idle(timeout)

    def forget(self, before: datetime, *, dry_run: bool = False) -> tuple[int, int]:
        return self._cache.forget(before.timestamp(), dry_run=dry_run)

    def detect(self, files: Sequence[IncomingFile], options: ImportOptions) -> Detection:
        return self._reader.detect(files, options)

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
        out, rejected = out.resolve(), rejected.resolve()
        try:
            with nullcontext(None) if onto is None else self._blobs.local(onto.blob) as table:
                return self._reader.read(files, options, out, rejected, monitor, table)
        except BaseException:
            out.unlink(missing_ok=True)
            rejected.unlink(missing_ok=True)
            raise

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        return self._views.plan(table.columns, recipe).columns

    def fit(self, table: Table, recipe: Recipe, step: Step, monitor: Monitor | None = None) -> Fitted:
        return fit(self._views, table, recipe, step, monitor)

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage:
        return self._pages.page(view, offset, limit, total=total)

    def profile(self, view: View, monitor: Monitor | None = None) -> Profile:
        return profiles.profile(self._views, view, monitor)

    def sample_profile(self, view: View) -> Profile:
        return profiles.sample(self._views, view)

    def distributions(self, view: View) -> Distributions:
        return distributions.distributions(self._views, view)

    def find(self, view: View, search: TextSearch) -> TextHit:
        return finding.find(self._views, view, search)

    def chart(self, view: View, chart: Chart) -> ChartData:
        return charts.chart(self._views, view, chart)

    def preview(self, table: Table, recipe: Recipe, entry: RecipeStep) -> StepPreview:
        return previews.preview(self._views, self._pages, table, recipe, entry)

    def match(self, table: Table, recipe: Recipe, entry: RecipeStep) -> MatchReport:
        return matching.match(self._views, self._connections, table, recipe, entry)

    def materialise(self, table: Table | Path, recipe: Recipe, out: Path, monitor: Monitor) -> WrittenTable:
        out = out.resolve()
        monitor.report(0.0, "writing", "Running the steps")
        with (
            self._opened(table, recipe) as opened,
            self._connections.fresh(opened.file, out.parent) as connection,
        ):
            try:
                with connection.monitored(monitor):
                    materialise(connection, opened, (), out)
                return writing.described(connection, out)
            except BaseException:
                out.unlink(missing_ok=True)
                raise

    def replay(
        self, columns: Sequence[Column], recipe: Recipe, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        plan = self._views.plan(columns, row_local_part(recipe))
        with self._connections.reading() as connection:
            return replay.replay(connection, columns, plan, rows)

    def target_summary(self, table: Table, column: str) -> TargetSummary:
        if column not in {c.name for c in table.columns}:
            raise InvalidInputError.at("target", msg=f"there is no column “{column[:100]}”", code="unknown_column")
        with self._blobs.local(table.blob) as file, self._connections.reading(file) as connection:
            return profiles.target_summary(connection, table, f"read_parquet({sql.path(file)})", column)

    def python(self, recipe: Recipe, columns: Sequence[Column], filename: str) -> str:
        must_be_learnt(recipe)
        return program.python_program(self._views.plan(columns, recipe), columns, filename)

    def describe(self, file: Path) -> WrittenTable:
        file = file.resolve()
        with self._connections.fresh(file) as connection:
            try:
                return writing.described(connection, file)
            except (InvalidInputError, UnavailableError):
                raise UnreadableFileError("this is not a Parquet file, or it is cut off or damaged") from None

    def check_export(self, table: Table, shape: ExportShape) -> None:
        with self._views.opened(table, ()) as opened, self._views.connection(opened) as connection:
            exporting.check(connection, exporting.part(self._views.types, opened, shape))

    def export(self, table: Table | Path, shape: ExportShape, out: Path, monitor: Monitor) -> int:
        out = out.resolve()
        with (
            self._opened(table, ()) as opened,
            self._connections.fresh(opened.file, out.parent) as connection,
        ):
            try:
                return exporting.export(connection, exporting.part(self._views.types, opened, shape), out, monitor)
            except BaseException:
                out.unlink(missing_ok=True)
                raise

    def query(
        self, text: str, tables: Mapping[str, Table], this: View | None, limit: int, monitor: Monitor
    ) -> QueryResult:
        return self._queries.run(text, tables, this, limit, monitor)

    def check_query(self, text: str, tables: Mapping[str, Table], this: View | None) -> Sequence[str]:
        return self._queries.check(text, tables, this)

    def write_query(
        self, text: str, tables: Mapping[str, Table], this: View | None, out: Path, monitor: Monitor
    ) -> WrittenTable:
        return self._queries.write(text, tables, this, out.resolve(), monitor)

    def check_formula(self, table: Table, recipe: Recipe, formula: str, kind: FormulaKind) -> ColumnType:
        columns = self._views.plan(table.columns, recipe).columns
        if kind == "value":
            return derived(self._views.types, columns, formula)[1]
        condition(self._views.types, columns, formula, "formula")
        return ColumnType.BOOLEAN

    def read_condition(self, table: Table, recipe: Recipe, formula: str) -> Group | None:
        return read_condition(formula, self._views.plan(table.columns, recipe).columns)

    def functions(self) -> Sequence[FunctionInfo]:
        return functions.infos()

    def _opened(self, table: Table | Path, recipe: Recipe) -> AbstractContextManager[Opened]:
        if isinstance(table, Table):
            return self._views.opened(table, recipe)
        file = table.resolve()
        found = self.describe(file)
        must_be_learnt(recipe)
        plan = self._views.plan(found.columns, recipe)
        return nullcontext(Opened("", file, found.columns, found.rows, recipe, plan))
