"""Text tables: CSV and its kin."""

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.reading import kinds
from hydroml.adapters.tables.reading.dialect import Dialect, sniff
from hydroml.adapters.tables.reading.names import MAX_COLUMNS, usable_names
from hydroml.adapters.tables.reading.prepare import HEAD, Prepared, prepare
from hydroml.adapters.tables.writing import described, write
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.sources import Column, Detection, ImportOptions, UnreadableFileError

_SHOWN_ROWS = 20
_NAMED_LINES = 5
_NOTED_COLUMNS = 50
_WHOLE_FILE = 250_000
"""A file below this size is no beginning of one: its last line counts even if nothing ends it."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text file ready to be read: its dialect, and the columns' names as they are in force."""

    prepared: Prepared
    dialect: Dialect
    names: tuple[str, ...]
    notes: tuple[str, ...]
    missing: tuple[str, ...]

    def raw(self, file: Path) -> kinds.Raw:
        """`file` is the text or the beginning of it."""
        d = self.dialect
        raw_names = tuple(f"c{at}" for at in range(len(self.names)))
        columns = ", ".join(f"'{column}': 'VARCHAR'" for column in raw_names)
        quote = sql.text(d.quote)
        source = (
            f"read_csv({sql.path(file)}, auto_detect = false, delim = {sql.text(d.delimiter)}, quote = {quote},"
            f" escape = {quote}, header = {str(d.header).lower()}, skip = {d.skip}, encoding = 'utf-8',"
            f" new_line = '{self.prepared.new_line}', max_line_size = {self.prepared.max_line},"
            f" columns = {{{columns}}})"
        )
        return kinds.Raw(source, raw_names, d.decimal, self.missing)


def detect(connections: Connections, temp_folder: Path, file: Path, options: ImportOptions) -> Detection:
    with _scratch(temp_folder) as folder:
        text = _read_dialect(prepare(file, options, folder), options)
        part, beginning = _beginning(text, folder)
        with connections.fresh(folder, file, seconds=60) as connection, _faults(text, part):
            raw = text.raw(part)
            decisions = kinds.decide(connection, raw, kinds.first_findings(connection, raw))
            rows = connection.rows(f"SELECT {_reads(text, decisions)} FROM {raw.source} LIMIT {_SHOWN_ROWS}")
        notes = (*text.notes, *_column_notes(text.names, decisions))
        if beginning:
            notes = (*notes, "types are judged by the beginning of the file; the import reads all of it")
        d = text.dialect
        used = replace(
            options, delimiter=d.delimiter, encoding=text.prepared.encoding, quote=d.quote, decimal=d.decimal,
            header=d.header, sheet=None,
        )  # fmt: skip
        columns = tuple(Column(name, decision.type) for name, decision in zip(text.names, decisions, strict=True))
        return Detection("csv", used, columns, sql.json_rows(rows), (), notes)


def import_text(  # noqa: PLR0917 - the port has as many
    connections: Connections, temp_folder: Path, file: Path, options: ImportOptions, out: Path, monitor: Monitor
) -> WrittenTable:
    with _scratch(temp_folder) as folder:
        monitor.report(0.0, "reading", "Looking at the text")
        text = _read_dialect(prepare(file, options, folder, monitor.part(0.0, 0.1)), options)
        part, _ = _beginning(text, folder)
        whole = text.prepared.file
        with connections.fresh(folder, file, out.parent) as connection, _faults(text, whole):
            # What a value at the beginning does not fit, the column does not fit: the whole file is not asked again.
            first = kinds.first_findings(connection, text.raw(part))
            raw = text.raw(whole)
            guess = kinds.expected(raw, first)
            if guess is not None:
                # Most files go on as they begin: then one pass is enough, which tests every cell all the same.
                monitor.report(0.1, "writing", "Writing the rows")
                with suppress(_UnlikeAboveError), connection.monitored(monitor.part(0.1, 1.0)):
                    _write(connection, raw, text, guess, out)
                    return described(connection, out, (*text.notes, *_column_notes(text.names, guess)))
            monitor.report(0.1, "reading", "Finding the type of every column")
            with connection.monitored(monitor.part(0.1, 0.4)):
                rows, found = kinds.findings(connection, raw, first)
                decisions = kinds.decide(connection, raw, found)
            monitor.report(0.4, "writing", f"Writing {rows:,} rows")
            with connection.monitored(monitor.part(0.4, 1.0)):
                _write(connection, raw, text, decisions, out)
            table = described(connection, out, (*text.notes, *_column_notes(text.names, decisions)))
        if table.rows != rows:
            raise UnreadableFileError(
                f"reading it twice gave {rows:,} rows, then {table.rows:,}: the file is ambiguous"
            )
        return table


class _UnlikeAboveError(InvalidInputError):
    """A cell further down does not fit the type that the first rows suggest."""


def _write(connection: Connection, raw: kinds.Raw, text: _Text, decisions: Sequence[kinds.Decision], out: Path) -> None:
    try:
        write(connection, f"SELECT {_reads(text, decisions)} FROM {raw.source}", len(text.names), out)
    except InvalidInputError as error:
        if kinds.UNEXPECTED in str(error):
            raise _UnlikeAboveError(str(error)) from None
        raise


@contextmanager
def _scratch(temp_folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=temp_folder, prefix="reading-") as folder:
        yield Path(folder)


def _read_dialect(prepared: Prepared, options: ImportOptions) -> _Text:
    head, _ = _head_text(prepared, options)
    dialect = sniff(head, options)
    if dialect.width > MAX_COLUMNS:
        raise UnreadableFileError(f"the file has {dialect.width:,} columns; at most {MAX_COLUMNS:,} can be read")
    names, renamed = usable_names(dialect.names, header=dialect.header)
    return _Text(prepared, dialect, names, (*prepared.notes, *dialect.notes, *renamed), options.missing)


def _head_text(prepared: Prepared, options: ImportOptions) -> tuple[str, bool]:
    """The first MB in whole rows, and whether there is more; longer when the first row is."""
    size = prepared.file.stat().st_size
    wanted = HEAD
    while True:
        with prepared.file.open("rb") as stream:
            head = stream.read(wanted)
        if len(head) < min(_WHOLE_FILE, wanted):
            break
        cut = _last_row_end(head, (options.quote or '"').encode())
        if cut:
            head = head[:cut]
            break
        if len(head) >= size:
            break
        wanted *= 4
    return head.decode("utf-8-sig", errors="replace"), len(head) < size


def _last_row_end(head: bytes, quote: bytes) -> int:
    """Just behind the last line feed that stands outside of quotes; 0 when there is none."""
    end = head.rfind(b"\n") + 1
    quotes = head[:end].count(quote)
    while end and quotes % 2:
        earlier = head.rfind(b"\n", 0, end - 1) + 1
        quotes -= head[earlier:end].count(quote)
        end = earlier
    return end


def _beginning(text: _Text, folder: Path) -> tuple[Path, bool]:
    """The first MB as a file of its own, and whether the text goes on behind it."""
    head, more = _head_text(text.prepared, ImportOptions(quote=text.dialect.quote))
    part = folder / "beginning"
    part.write_bytes(head.encode())
    return part, more


def _reads(text: _Text, decisions: Sequence[kinds.Decision]) -> str:
    return ", ".join(f"{d.read} AS {sql.name(name)}" for name, d in zip(text.names, decisions, strict=True))


def _column_notes(names: Sequence[str], decisions: Sequence[kinds.Decision]) -> tuple[str, ...]:
    notes = [f"“{name}”: {d.note}" for name, d in zip(names, decisions, strict=True) if d.note]
    if len(notes) > _NOTED_COLUMNS:
        notes = [*notes[:_NOTED_COLUMNS], f"and {len(notes) - _NOTED_COLUMNS} more columns with such remarks"]
    return tuple(notes)


@contextmanager
def _faults(text: _Text, file: Path) -> Iterator[None]:
    """Says in words what the reader found wrong with the file."""
    try:
        yield
    except UnreadableFileError:
        raise
    except (InvalidInputError, UnavailableError) as error:
        raise UnreadableFileError(_why(text, file, str(error))) from error


def _why(text: _Text, file: Path, message: str) -> str:
    ragged = _ragged_lines(text, file)
    if ragged:
        width = text.dialect.width
        shown = "; ".join(f"line {line:,} has {cells:,}" for line, cells in ragged[:_NAMED_LINES])
        more = ", and more" if len(ragged) > _NAMED_LINES else ""
        return f"not every row has {width:,} cells: {shown}{more}"
    line = re.search(r"Line: (\d+)", message)
    where = f" in line {int(line[1]):,}" if line else ""
    if "unterminated quote" in message or "state machine" in message:
        return f"a quote is not closed, or text follows a closing quote{where}"
    return f"the text cannot be read as a table{where}"


def _ragged_lines(text: _Text, file: Path) -> list[tuple[int, int]]:
    """The first rows of another width: the line each begins on, and its number of cells."""
    d = text.dialect
    found: list[tuple[int, int]] = []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for _ in range(d.skip):
            stream.readline()
        reader = csv.reader(stream, delimiter=d.delimiter, quotechar=d.quote)
        begins = d.skip + 1
        try:
            for cells in reader:
                if cells and len(cells) != d.width:
                    found.append((begins, len(cells)))
                    if len(found) > _NAMED_LINES:
                        break
                begins = d.skip + reader.line_num + 1
        except (csv.Error, UnicodeDecodeError):
            pass
    return found
