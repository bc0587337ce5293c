"""Text tables: CSV and its kin."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.reading import judging, layouts, markers, rejects
from hydroml.adapters.tables.reading.dialect import Dialect, sniff
from hydroml.adapters.tables.reading.kinds import Decision, Raw, unguarded
from hydroml.adapters.tables.reading.names import MAX_COLUMNS, usable_names
from hydroml.adapters.tables.reading.prepare import HEAD, Prepared, prepare
from hydroml.adapters.tables.writing import described, write
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.sources import (
    Choice,
    DateOrder,
    DetectedColumn,
    Detection,
    ImportOptions,
    Layout,
    Question,
    Ragged,
    UnreadableFileError,
)

_SHOWN_ROWS = 20
_WIDE = 1_000
"""A table of more columns is brought into columns first, as text and by one thread, and then read some columns at a
time: an expression takes memory for 2,048 rows in each thread, whatever the table's length."""
_GROUP = 250
_NOTED_COLUMNS = 50
_WHOLE_FILE = 250_000
"""A file below this size is no beginning of one: its last line counts even if nothing ends it."""
_DATE_ORDERS = (
    Choice(DateOrder.DAY_FIRST, "the day comes first: 3/4/2020 is 3 April 2020"),
    Choice(DateOrder.MONTH_FIRST, "the month comes first: 3/4/2020 is March 4, 2020"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text file ready to be read: its dialect, and the columns' names as they are in force."""

    name: str
    prepared: Prepared
    dialect: Dialect
    names: tuple[str, ...]
    notes: tuple[str, ...]
    options: ImportOptions
    cut_lines: int = 0
    """Lines that were cut off the front of the file."""

    def raw(self, file: Path) -> Raw:
        """`file` is the text or the beginning of it."""
        d = self.dialect
        raw_names = tuple(f"c{at}" for at in range(len(self.names)))
        columns = ", ".join(f"'{column}': 'VARCHAR'" for column in raw_names)
        quote, escape = (sql.text(d.quote), sql.text(d.escape)) if d.layout is Layout.DELIMITED else ("''", "''")
        # Filling short rows cannot be done by several threads where quoted cells hold line ends.
        filled = "null_padding = true, parallel = false, " if self.options.ragged is Ragged.FILL else ""
        source = (
            f"read_csv({sql.path(file)}, auto_detect = false, delim = {sql.text(d.delimiter)}, quote = {quote},"
            f" escape = {escape}, header = false, skip = {d.first_line - self.cut_lines}, encoding = 'utf-8',"
            f" new_line = '{self.prepared.new_line}', max_line_size = {self.prepared.max_line},"
            f" buffer_size = {2 * self.prepared.max_line},"  # more by default, and so much more memory
            f" {filled}{rejects.IGNORED}, columns = {{{columns}}})"
        )
        chosen = {f"c{self.names.index(name)}": kind for name, kind in self.options.types.items() if name in self.names}
        return Raw(
            source, raw_names, self.names, d.decimal, d.thousands, self.options.missing, self.options.date_order,
            self.options.guards is not False, chosen,
        )  # fmt: skip

    @property
    def is_wide(self) -> bool:
        return len(self.names) > _WIDE

    @property
    def threads(self) -> int | None:
        return 1 if self.is_wide else None

    @property
    def used(self) -> ImportOptions:
        """Every option in force."""
        d = self.dialect
        delimited = d.layout is Layout.DELIMITED
        return replace(
            self.options, delimiter=d.delimiter if delimited else None, encoding=self.prepared.encoding,
            quote=d.quote if delimited else None, escape=d.escape if delimited else None, decimal=d.decimal,
            thousands=d.thousands or None, comment=d.comment or None, skip=d.skip, header=d.header_rows > 0,
            header_rows=d.header_rows or None, layout=d.layout, widths=d.widths,
            ragged=self.options.ragged or Ragged.REJECT, sheet=None,
        )  # fmt: skip


def detect(
    connections: Connections, temp_folder: Path, file: Path, options: ImportOptions, name: str = ""
) -> Detection:
    with _scratch(temp_folder) as folder:
        text = _opened(prepare(file, options, folder), options, folder, name)
        part, beginning = _beginning(text, folder)
        with (
            connections.fresh(folder, file, seconds=60, threads=text.threads) as connection,
            _faults(text, part),
        ):
            raw = text.raw(part)
            cells = ", ".join(f"count({column})" for column in raw.columns)
            counting = rejects.storing(f"SELECT {cells} FROM {raw.source}")
            count, rejected = rejects.found(connection, text, part, counting)
            if text.is_wide:
                raw = _in_columns(connection, raw, folder / "columns.parquet")
            decisions = judging.decide(connection, raw, judging.first_findings(connection, raw))
            rows = _first_rows(connection, raw, text, decisions)
            misfits = _misfits(connection, raw, decisions)
            missing = markers.proposed(connection, raw, text.names, decisions)
            notes = (*text.notes, *_column_notes(text.names, decisions), *_guarded(connection, raw))
        if count and not rows:
            raise UnreadableFileError(rejects.in_words(rejected))
        if beginning:
            notes = (*notes, "types are judged by the beginning of the file; the import reads all of it")
        columns = tuple(
            DetectedColumn(name, d.type, misfits.get(name, 0), d.note)
            for name, d in zip(text.names, decisions, strict=True)
        )
        form = "csv" if text.dialect.layout is Layout.DELIMITED else "text"
        return Detection(
            form, text.used, columns, sql.json_rows(rows), missing=missing, questions=_questions(text.names, decisions),
            rejected=count, rejects=rejected, judged_all=not beginning, notes=notes,
        )  # fmt: skip


def import_text(  # noqa: PLR0917 - the port has as many
    connections: Connections,
    temp_folder: Path,
    file: Path,
    options: ImportOptions,
    out: Path,
    monitor: Monitor,
    *,
    rejected: Path,
    name: str = "",
) -> WrittenTable:
    with _scratch(temp_folder) as folder:
        monitor.report(0.0, "reading", "Looking at the text")
        text = _opened(prepare(file, options, folder, monitor.part(0.0, 0.1)), options, folder, name)
        part, _ = _beginning(text, folder)
        whole = text.prepared.file
        paths = (folder, file, out.parent, rejected.parent)
        with connections.fresh(*paths, threads=text.threads) as connection, _faults(text, whole):
            if text.is_wide:
                return _import_wide(connection, text, part, folder, out, rejected, monitor)
            # What a value at the beginning does not fit, the column does not fit: the whole file is not asked again.
            first = judging.first_findings(connection, text.raw(part))
            raw = text.raw(whole)
            guess = judging.expected(raw, first)
            if guess is not None:
                # Most files go on as they begin: then one pass is enough, which tests every cell all the same.
                monitor.report(0.1, "writing", "Writing the rows")
                with suppress(_UnlikeAboveError), connection.monitored(monitor.part(0.1, 1.0)):
                    _write(connection, raw, text, guess, out)
                    return _finished(connection, raw, text, guess, out, rejected)
            monitor.report(0.1, "reading", "Finding the type of every column")
            with connection.monitored(monitor.part(0.1, 0.4)):
                rows, found = judging.findings(connection, raw, first)
                decisions = judging.decide(connection, raw, found)
            monitor.report(0.4, "writing", f"Writing {rows:,} rows")
            with connection.monitored(monitor.part(0.4, 1.0)):
                _write(connection, raw, text, decisions, out)
                table = _finished(connection, raw, text, decisions, out, rejected)
        if table.rows != rows:
            raise UnreadableFileError(
                f"reading it twice gave {rows:,} rows, then {table.rows:,}: the file is ambiguous"
            )
        return table


def _import_wide(  # noqa: PLR0917 - all that one reading knows
    connection: Connection, text: Text, part: Path, folder: Path, out: Path, rejected: Path, monitor: Monitor
) -> WrittenTable:
    monitor.report(0.1, "reading", "Bringing the text into columns")
    with connection.monitored(monitor.part(0.1, 0.3)):
        rejects.forget(connection)
        raw = _in_columns(connection, text.raw(text.prepared.file), folder / "columns.parquet")
    first = judging.first_findings(connection, _in_columns(connection, text.raw(part), folder / "first.parquet"))
    monitor.report(0.3, "reading", "Finding the type of every column")
    _, found = judging.findings(connection, raw, first)
    decisions = judging.decide(connection, raw, found)
    parts = []
    for at, (columns, some) in enumerate(_groups(text.names, decisions)):
        share = at * _GROUP / len(text.names)
        monitor.report(0.5 + 0.4 * share, "writing", f"Writing the columns from “{columns[0][:100]}” on")
        parts.append(folder / f"part-{at}.parquet")
        write(connection, f"SELECT {_reads(columns, some)} FROM {raw.source}", len(columns), parts[-1])
    monitor.report(0.9, "writing", "Putting the columns together")
    joined = " POSITIONAL JOIN ".join(f"read_parquet({sql.path(one)})" for one in parts)
    with connection.monitored(monitor.part(0.9, 1.0)):
        write(connection, f"SELECT * FROM {joined}", len(text.names), out)
    return _finished(connection, raw, text, decisions, out, rejected)


def _in_columns(connection: Connection, raw: Raw, file: Path) -> Raw:
    """The text as columns of text, in a file that is read column by column."""
    write(connection, rejects.storing(f"SELECT * FROM {raw.source}"), len(raw.columns), file)
    return replace(raw, source=f"read_parquet({sql.path(file)})")


def _groups(names: Sequence[str], decisions: Sequence[Decision]) -> Iterator[tuple[Sequence[str], Sequence[Decision]]]:
    for at in range(0, len(names), _GROUP):
        yield names[at : at + _GROUP], decisions[at : at + _GROUP]


def _first_rows(connection: Connection, raw: Raw, text: Text, decisions: Sequence[Decision]) -> list[tuple[Any, ...]]:
    found = [
        connection.rows(f"SELECT {_reads(columns, some)} FROM {raw.source} LIMIT {_SHOWN_ROWS}")
        for columns, some in _groups(text.names, decisions)
    ]
    return [tuple(chain.from_iterable(parts)) for parts in zip(*found, strict=True)]


class _UnlikeAboveError(InvalidInputError):
    """A cell further down does not fit the type that the first rows suggest."""


def _write(connection: Connection, raw: Raw, text: Text, decisions: Sequence[Decision], out: Path) -> None:
    query = f"SELECT {_reads(text.names, decisions)} FROM {raw.source}"
    rejects.forget(connection)
    try:
        write(connection, rejects.storing(query), len(text.names), out)
    except InvalidInputError as error:
        if judging.UNEXPECTED in str(error):
            raise _UnlikeAboveError(str(error)) from None
        raise


def _finished(  # noqa: PLR0917 - all that one reading knows
    connection: Connection, raw: Raw, text: Text, decisions: Sequence[Decision], out: Path, rejected: Path
) -> WrittenTable:
    """The table that was written; its rejected rows are written beside it."""
    misfits = _misfits(connection, raw, decisions)
    notes = [rejects.misfits_in_words(name, count) for name, count in misfits.items() if count]
    table = described(connection, out, (*text.notes, *_column_notes(text.names, decisions), *notes))
    count = rejects.written(connection, text, table.rows, rejected)
    return replace(table, rejected=count)


@contextmanager
def _scratch(temp_folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=temp_folder, prefix="reading-") as folder:
        yield Path(folder)


def _opened(prepared: Prepared, options: ImportOptions, folder: Path, name: str) -> Text:
    """Finds the dialect, and rewrites what the reader cannot read as it is."""
    head, _ = _head_text(prepared, options)
    dialect = sniff(head, options)
    if dialect.width > MAX_COLUMNS:
        raise UnreadableFileError(f"the file has {dialect.width:,} columns; at most {MAX_COLUMNS:,} can be read")
    given = dialect.names if options.guards is False else tuple(map(unguarded, dialect.names))
    names, renamed = usable_names(given, header=dialect.header_rows > 0)
    notes = [*prepared.notes, *dialect.notes, *renamed]
    lines = head.splitlines(keepends=True)[: dialect.first_line]
    before = sum(len(line.encode()) for line in lines)
    file, cut_lines = prepared.file, 0
    if dialect.layout is not Layout.DELIMITED:
        file = folder / "joined"
        layouts.joined(prepared.file, file, dialect.widths)
        prepared = replace(prepared, new_line="\\n")
    if dialect.comment and layouts.has_comments(file, dialect.comment, before):
        commented, file = file, folder / "uncommented"
        count = layouts.without_comments(commented, file, dialect.comment, dialect.first_line)
        notes.append(f"{count:,} {'comment' if count == 1 else 'comments'} between the rows were left out")
    if any(dialect.quote in line for line in lines):
        # The reader would look for the end of a quoted cell in the lines it is to leave out.
        whole, file, cut_lines = file, folder / "table", dialect.first_line
        layouts.without_beginning(whole, file, cut_lines)
    return Text(name, replace(prepared, file=file), dialect, names, tuple(notes), options, cut_lines)


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


def _beginning(text: Text, folder: Path) -> tuple[Path, bool]:
    """The first MB as a file of its own, and whether the text goes on behind it."""
    head, more = _head_text(text.prepared, ImportOptions(quote=text.dialect.quote))
    part = folder / "beginning"
    part.write_bytes(head.encode())
    return part, more


def _reads(names: Sequence[str], decisions: Sequence[Decision]) -> str:
    return ", ".join(f"{d.read} AS {sql.name(name)}" for name, d in zip(names, decisions, strict=True))


def _misfits(connection: Connection, raw: Raw, decisions: Sequence[Decision]) -> dict[str, int]:
    """How many cells of columns with a chosen type do not fit it."""
    chosen = [
        (column, name, decision)
        for column, name, decision in zip(raw.columns, raw.names, decisions, strict=True)
        if column in raw.types
    ]
    if not chosen:
        return {}
    cells = ", ".join(
        f"count(CASE WHEN NOT {raw.is_marker(f'trim({raw.cell(column)})')} AND ({d.read}) IS NULL THEN 1 END)"
        for column, _, d in chosen
    )
    counts = connection.row(f"SELECT {cells} FROM {raw.source}")
    return {name: count for (_, name, _), count in zip(chosen, counts, strict=True)}


def _questions(names: Sequence[str], decisions: Sequence[Decision]) -> tuple[Question, ...]:
    columns = tuple(name for name, d in zip(names, decisions, strict=True) if d.ambiguous)
    if not columns:
        return ()
    listed = ", ".join(f"“{name}”" for name in columns[:5]) + (" and others" if len(columns) > 5 else "")
    return (Question("date_order", f"Which comes first in the dates of {listed}?", _DATE_ORDERS, columns),)


def _guarded(connection: Connection, raw: Raw) -> tuple[str, ...]:
    if not raw.guards:
        return ()
    count = 0
    for at in range(0, len(raw.columns), _GROUP):
        tests = [f"count(CASE WHEN {raw.is_guarded(column)} THEN 1 END)" for column in raw.columns[at : at + _GROUP]]
        count += sum(connection.row(f"SELECT {', '.join(tests)} FROM {raw.source}"))
    if not count:
        return ()
    return (f"an apostrophe that guards {count:,} texts like formulas against spreadsheets is taken off",)


def _column_notes(names: Sequence[str], decisions: Sequence[Decision]) -> tuple[str, ...]:
    notes = [f"“{name}”: {d.note}" for name, d in zip(names, decisions, strict=True) if d.note]
    if len(notes) > _NOTED_COLUMNS:
        notes = [*notes[:_NOTED_COLUMNS], f"and {len(notes) - _NOTED_COLUMNS} more columns with such remarks"]
    return tuple(notes)


@contextmanager
def _faults(text: Text, file: Path) -> Iterator[None]:
    """Says in words what the reader found wrong with the file."""
    try:
        yield
    except UnreadableFileError:
        raise
    except (InvalidInputError, UnavailableError) as error:
        if isinstance(error, InvalidInputError) and error.faults:
            raise
        raise UnreadableFileError(rejects.why(text.dialect, file, str(error))) from error
