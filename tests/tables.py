"""Table engines with small tables in them, for tests."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import REJECTED_COLUMNS, IncomingFile, TableEngine, View, WrittenTable
from hydroml.domain.exports import ExportFormat, ExportShape
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import Detection, ImportOptions, Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Step

CSV = ExportShape(ExportFormat.CSV)


class QuietMonitor:
    """Hears nothing, unless it is to ask to cancel at the first report."""

    def __init__(self, *, cancelled: bool = False) -> None:
        self._cancelled = cancelled

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        if self._cancelled:
            raise JobCancelledError

    def log(self, message: str, level: str = "info") -> None: ...

    def interrupting(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    def part(self, start: float, end: float) -> Monitor:
        return self


@dataclass
class Workshop:
    """An engine, the blobs it reads from, and a folder for files."""

    engine: TableEngine
    blobs: BlobStore
    folder: Path

    def file(self, content: bytes | str) -> Path:
        file = self.folder / uuid4().hex
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def detect(
        self, content: bytes | str, filename: str = "table.csv", options: ImportOptions | None = None
    ) -> Detection:
        return self.engine.detect([IncomingFile(self.file(content), filename)], options or ImportOptions())

    def imported(
        self, content: bytes | str, filename: str = "table.csv", options: ImportOptions | None = None
    ) -> tuple[WrittenTable, Table]:
        out = self.folder / f"{uuid4().hex}.parquet"
        files = [IncomingFile(self.file(content), filename)]
        rejected = self.folder / f"{uuid4().hex}.rejected"
        written = self.engine.import_files(files, options or ImportOptions(), out, rejected, QuietMonitor())
        blob = self.blobs.add(out)
        return written, Table(blob.key, written.columns, written.rows, blob.size)

    def with_rejected(
        self, content: bytes | str, options: ImportOptions | None = None
    ) -> tuple[WrittenTable, list[dict[str, Any]]]:
        """What was written, and the rows that were rejected."""
        written, _, rejected = self.joined({"t.csv": content}, options)
        return written, rejected

    def incoming(self, files: Mapping[str, bytes | str]) -> list[IncomingFile]:
        return [IncomingFile(self.file(content), name) for name, content in files.items()]

    def joined(
        self, files: Mapping[str, bytes | str], options: ImportOptions | None = None, onto: Table | None = None
    ) -> tuple[WrittenTable, Table, list[dict[str, Any]]]:
        """Files as one table: what was written, the table, and the rows that were rejected."""
        out, rejected = self.folder / f"{uuid4().hex}.parquet", self.folder / f"{uuid4().hex}.parquet"
        options = options or ImportOptions()
        written = self.engine.import_files(self.incoming(files), options, out, rejected, QuietMonitor(), onto=onto)
        blob = self.blobs.add(out)
        table = Table(blob.key, written.columns, written.rows, blob.size)
        if not rejected.exists():
            return written, table, []
        return written, table, self.rows(Table(self.blobs.add(rejected).key, REJECTED_COLUMNS, written.rejected))

    def exported(self, table: Table, shape: ExportShape = CSV) -> bytes:
        """The file; what is refused beforehand is not written."""
        self.engine.check_export(table, shape)
        out = self.folder / f"{uuid4().hex}.{shape.format}"
        self.engine.export(table, shape, out, QuietMonitor())
        return out.read_bytes()

    def table(self, rows: Sequence[Mapping[str, Any]]) -> Table:
        """Rows of simple values, by way of CSV; None is missing."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.imported(text.getvalue())[1]

    def rows(self, table: Table, *steps: Step) -> list[dict[str, Any]]:
        """All rows of the table after the steps, which learn from it one after the other."""
        return self.view(View(table, self.learnt(table, *steps)))

    def view(self, view: View) -> list[dict[str, Any]]:
        page = self.engine.page(view, 0, 10_000)
        names = [column.name for column in page.columns]
        return [dict(zip(names, row, strict=True)) for row in page.rows]

    def learnt(self, table: Table, *steps: Step) -> Recipe:
        recipe: Recipe = ()
        for step in steps:
            recipe = (*recipe, RecipeStep(step, self.engine.fit(table, recipe, step)))
        return recipe

    def column(self, table: Table, name: str, *steps: Step) -> list[Any]:
        return [row[name] for row in self.rows(table, *steps)]
