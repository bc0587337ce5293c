"""One file, whatever it is: turned into a text or a Parquet file, and read as that."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hydroml.adapters.tables.connection import Connections
from hydroml.adapters.tables.reading import arrow, excel, forms, json_text, parquet, rejects, text
from hydroml.adapters.tables.reading.compression import inflated
from hydroml.adapters.tables.reading.prepare import MAX_LINE
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.sources import Detection, ImportOptions, RejectedRow

BEGINNING = 8 << 20
"""Bytes that are looked at before an import: a survey of a whole file of some GB takes too long to wait for."""
_INTERACTIVE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Table:
    """A file as the engine reads it: a text, or Parquet where `is_parquet`."""

    file: Path
    options: ImportOptions
    """How the text is written, when it is of our making."""
    format: str
    """Empty where the text itself tells."""
    is_parquet: bool = False
    notes: tuple[str, ...] = ()
    sheet: excel.Sheet | None = None
    rejects: tuple[RejectedRow, ...] = ()
    """Rows that did not even become text."""
    is_whole: bool = True


class FileReader:
    """Reads one file after the other; `temp_folder` is left as it was found."""

    def __init__(self, connections: Connections, temp_folder: Path) -> None:
        self._connections = connections
        self._temp_folder = temp_folder

    def detect(self, file: Path, name: str, options: ImportOptions) -> Detection:
        """`options.types` may name columns of other files."""
        with self.scratch() as folder, self._table(file, name, options, folder, None, most=BEGINNING) as table:
            if table.is_parquet:
                found = parquet.detect(self._connections, table.file, options)
            else:
                found = text.detect(self._connections, self._temp_folder, table.file, table.options, name)
            used = options if table.format else found.options
            sheets: tuple[str, ...] = ()
            if (sheet := table.sheet) is not None:
                rows = found.options.header_rows
                sheets = sheet.names
                used = replace(
                    options, sheet=sheet.name, skip=sheet.skip, header=found.options.header, header_rows=rows
                )
            return replace(
                found, format=table.format or found.format, options=used, sheets=sheets,
                rejected=found.rejected + len(table.rejects), rejects=(*table.rejects, *found.rejects)[:20],
                judged_all=found.judged_all and table.is_whole, notes=(*table.notes, *found.notes),
            )  # fmt: skip

    def read(  # noqa: PLR0917 - the port has as many
        self,
        file: Path,
        name: str,
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
    ) -> WrittenTable:
        """As the port's `import_files`, for one file that is no archive."""
        with self.scratch() as folder, self._table(file, name, options, folder, monitor.part(0.0, 0.4)) as table:
            rest = monitor.part(0.4, 1.0) if table.format else monitor
            if table.is_parquet:
                written = parquet.import_parquet(self._connections, table.file, options, out, rest)
            else:
                written = text.import_text(
                    self._connections, self._temp_folder, table.file, table.options, out, rest,
                    rejected=rejected, name=name,
                )  # fmt: skip
            if table.rejects:
                with self._connections.fresh(rejected.parent) as connection:
                    count = rejects.stored(connection, table.rejects, rejected)
                written = replace(written, rejected=count)
        return replace(written, notes=(*table.notes, *written.notes))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._temp_folder, prefix="reading-") as folder:
            yield Path(folder)

    @contextmanager
    def _table(  # noqa: PLR0917 - as many as it depends on
        self,
        file: Path,
        name: str,
        options: ImportOptions,
        folder: Path,
        monitor: Monitor | None,
        most: int | None = None,
    ) -> Iterator[Table]:
        if monitor is not None:
            monitor.report(0.0, "reading", "Opening the file")
        plain = inflated(file, folder, most)
        if most is not None and plain is not file and not forms.is_partly_readable(plain, _inner(name)):
            plain = inflated(file, folder)
        found = forms.form(plain, name if plain is file else _inner(name))
        is_whole = True
        if most is not None and found in forms.PARTLY_READABLE and plain.stat().st_size > most:
            plain, is_whole = _beginning(plain, folder / "beginning-of-file", most), False
        yield replace(_turned(plain, name, found, options, folder, monitor, is_whole=is_whole), is_whole=is_whole)


def _turned(  # noqa: PLR0917 - as many as it depends on
    file: Path, name: str, found: str, options: ImportOptions, folder: Path, monitor: Monitor | None, *, is_whole: bool
) -> Table:
    if found == "parquet":
        return Table(file, options, "parquet", is_parquet=True)
    if found == "arrow":
        made = folder / "arrow.parquet"
        return Table(made, options, "arrow", is_parquet=True, notes=arrow.as_parquet(file, made, monitor))
    if found in ("json", "jsonl"):
        made = folder / "json.csv"
        notes, rejected = json_text.as_text(file, name, made, monitor, lines=found == "jsonl", is_whole=is_whole)
        return Table(
            made, _our_text(replace(options, header=True, header_rows=1, skip=0)), found, notes=notes, rejects=rejected
        )
    if found == "excel":
        made = folder / "sheet.csv"
        seconds = _INTERACTIVE_SECONDS if monitor is None else excel.SECONDS
        sheet = excel.sheet_as_text(file, options, made, monitor, seconds)
        others = [other for other in sheet.names if other != sheet.name]
        told = [f"the sheet “{sheet.name}” was read; there are also {', '.join(others)[:300]}"] if others else []
        if sheet.skip and options.skip is None:
            told.append(f"{sheet.skip:,} {'row' if sheet.skip == 1 else 'rows'} above the table were left out")
        rows = options.header_rows or (None if options.header is False else sheet.header_rows)
        used = replace(options, skip=0, header_rows=rows, header=True if rows else options.header)
        rejected = tuple(RejectedRow(name, line, "it stands below the table", text) for line, text in sheet.below)
        return Table(
            made, _our_text(used), "excel", notes=tuple(told), sheet=sheet, rejects=rejected,
        )  # fmt: skip
    return Table(file, options, "")


def _our_text(options: ImportOptions) -> ImportOptions:
    """How a text is written that we have made."""
    return replace(
        options, delimiter=",", encoding="utf-8", quote='"', escape='"', decimal=".", thousands=None, comment=None,
        layout=None, widths=(), sheet=None, range=None,
    )  # fmt: skip


def _inner(name: str) -> str:
    """The name of what a compressed file holds: a.csv for a.csv.gz."""
    return name.rpartition(".")[0] or name


def _beginning(file: Path, out: Path, most: int) -> Path:
    """Whole lines, as far as the first `most` bytes hold them."""
    with file.open("rb") as stream:
        head = stream.read(most)
        end = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
        if not end:  # so that an endless line is known for one
            head += stream.read(MAX_LINE)
    if end and end < len(head):
        unit = 4 if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")) else 2 if b"\0" in head[:1000] else 1
        head = head[: end + -end % unit]
    out.write_bytes(head)
    return out
