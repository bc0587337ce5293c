"""The table engine's face: the port, method by method."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydroml.adapters.tables import functions, previews, profiles, program, replay, sql, writing
from hydroml.adapters.tables.cache import FileCache, own_folder
from hydroml.adapters.tables.compiler import must_be_learnt
from hydroml.adapters.tables.connection import Connections
from hydroml.adapters.tables.fitting import fit
from hydroml.adapters.tables.pages import Pages
from hydroml.adapters.tables.reading import excel, parquet, text
from hydroml.adapters.tables.views import Opened, Views, materialise
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import FunctionInfo, Profile, StepPreview, TablePage, View, WrittenTable
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.sources import Column, Detection, ImportOptions, Table, UnreadableFileError
from hydroml.domain.studio.recipes import Recipe, row_local_part
from hydroml.domain.studio.steps import Fitted, Step

_CACHE_BYTES = 4 << 30
_WORKBOOKS = (".xlsx", ".xls", ".xlsb", ".xlsm", ".xlam", ".ods")


class DuckDbTableEngine:
    """Keeps what it can compute again below `temp_folder`; threads and processes may share it."""

    def __init__(self, blobs: BlobStore, temp_folder: Path, memory_limit: int, threads: int) -> None:
        temp_folder = temp_folder.resolve()
        temp_folder.mkdir(parents=True, exist_ok=True)
        cache = FileCache(temp_folder / "views", _CACHE_BYTES)
        # DuckDB spills under fixed names, so that no two processes may share a folder for it.
        self._temp_folder = own_folder(temp_folder)
        self._blobs = blobs
        self._connections = Connections(self._temp_folder, cache.folder, memory_limit, threads)
        self._views = Views(self._connections, blobs, cache)
        self._pages = Pages(self._views)

    def close(self) -> None:
        self._connections.close()

    def detect(self, file: Path, filename: str, options: ImportOptions) -> Detection:
        file = file.resolve()
        kind = _kind(file, filename)
        if kind == "parquet":
            return parquet.detect(self._connections, file, options)
        if kind == "text":
            return text.detect(self._connections, self._temp_folder, file, options)
        with tempfile.TemporaryDirectory(dir=self._temp_folder, prefix="sheet-") as folder:
            part = Path(folder) / "sheet.csv"
            sheet, names = excel.sheet_as_text(file, options, part, seconds=60)
            found = text.detect(self._connections, self._temp_folder, part, _of_sheet(options))
        used = replace(options, sheet=sheet, header=found.options.header)
        return replace(found, format="excel", options=used, sheets=names)

    def import_file(
        self, file: Path, filename: str, options: ImportOptions, out: Path, monitor: Monitor
    ) -> WrittenTable:
        file, out = file.resolve(), out.resolve()
        try:
            return self._imported(file, filename, options, out, monitor)
        except BaseException:
            out.unlink(missing_ok=True)
            raise

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        return self._views.plan(table.columns, recipe).columns

    def fit(self, table: Table, recipe: Recipe, step: Step) -> Fitted:
        return fit(self._views, table, recipe, step)

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage:
        return self._pages.page(view, offset, limit, total=total)

    def profile(self, view: View) -> Profile:
        return profiles.profile(self._views, view)

    def preview(self, table: Table, recipe: Recipe, step: Step) -> StepPreview:
        return previews.preview(self._views, self._pages, table, recipe, step)

    def materialise(self, table: Table | Path, recipe: Recipe, out: Path, monitor: Monitor) -> WrittenTable:
        out = out.resolve()
        monitor.report(0.0, "writing", "Running the steps")
        with (
            self._opened(table, recipe) as opened,
            self._connections.fresh(opened.file, out.parent) as connection,
        ):
            try:
                with connection.monitored(monitor):
                    materialise(connection, opened, out)
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
        return program.python_program(self._views.plan(columns, recipe), columns, filename)

    def describe(self, file: Path) -> WrittenTable:
        file = file.resolve()
        with self._connections.fresh(file) as connection:
            try:
                return writing.described(connection, file)
            except (InvalidInputError, UnavailableError):
                raise UnreadableFileError("this is not a Parquet file, or it is cut off or damaged") from None

    def export(self, file: Path, out: Path) -> None:
        file, out = file.resolve(), out.resolve()
        with self._connections.fresh(file, out.parent) as connection:
            writing.export(connection, file, out)

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

    def _imported(self, file: Path, filename: str, options: ImportOptions, out: Path, monitor: Monitor) -> WrittenTable:
        kind = _kind(file, filename)
        if kind == "parquet":
            return parquet.import_parquet(self._connections, file, out, monitor)
        if kind == "text":
            return text.import_text(self._connections, self._temp_folder, file, options, out, monitor)
        monitor.report(0.0, "reading", "Opening the workbook")
        with tempfile.TemporaryDirectory(dir=self._temp_folder, prefix="sheet-") as folder:
            part = Path(folder) / "sheet.csv"
            sheet, names = excel.sheet_as_text(file, options, part, monitor.part(0.0, 0.5))
            table = text.import_text(
                self._connections, self._temp_folder, part, _of_sheet(options), out, monitor.part(0.5, 1.0)
            )
        others = [name for name in names if name != sheet]
        note = (f"the sheet “{sheet}” was read; there are also {', '.join(others)[:300]}",) if others else ()
        return replace(table, notes=(*note, *table.notes))


def _kind(file: Path, filename: str) -> str:
    """By the first bytes, not by the name: a workbook named .csv is one still."""
    with file.open("rb") as stream:
        start = stream.read(8)
    ending = Path(filename).suffix.lower()
    if start.startswith(b"PAR1") or ending in (".parquet", ".pq"):
        return "parquet"
    if ending in _WORKBOOKS or start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return "excel"
    return "text"


def _of_sheet(options: ImportOptions) -> ImportOptions:
    """How the text of a sheet is written, which is by us."""
    return ImportOptions(
        delimiter=",", encoding="utf-8", quote='"', decimal=".", header=options.header, missing=options.missing
    )
