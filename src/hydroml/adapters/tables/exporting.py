"""Tables out, in the formats of others: DuckDB writes what it can, a sheet and Arrow are written batch by batch."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from hydroml.adapters.tables import sheets, sql
from hydroml.adapters.tables.builder import Types, condition
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.views import Opened, shown_columns, sort_terms
from hydroml.adapters.tables.writing import write
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import View
from hydroml.domain.exports import GUARDED, ExportFormat, ExportShape, check_cell, check_sheet, guarded
from hydroml.domain.sources import Column, ColumnType, Table

_BATCH_CELLS = 500_000
_BATCH_ROWS = 50_000
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a table that is exported, as queries."""

    columns: tuple[Column, ...]
    shape: ExportShape
    opened: Opened
    where: str
    order: str

    @property
    def names(self) -> list[str]:
        """What the columns are called in the file."""
        return [guarded(c.name) if self.shape.guards else c.name for c in self.columns]

    def query(self, cells: Callable[[Column], str]) -> str:
        """The rows in their order; `cells` writes a column as SQL."""
        named = ", ".join(
            f"{cells(column)} AS {sql.name(name)}" for column, name in zip(self.columns, self.names, strict=True)
        )
        limit = "" if self.shape.limit is None else f" LIMIT {self.shape.limit}"
        last = self.opened.plan.last
        return self.opened.plan.query(
            self.opened.source(), f"SELECT {named} FROM {last}{self.where}{self.order}{limit}"
        )

    @property
    def most_rows(self) -> int:
        """No more than so many."""
        return self.opened.rows if self.shape.limit is None else min(self.opened.rows, self.shape.limit)


def part(types: Types, opened: Opened, shape: ExportShape) -> Part:
    """Raises InvalidInputError for an unknown column or a bad filter."""
    columns = opened.plan.columns
    view = View(Table(opened.identity, columns, opened.rows), columns=shape.columns)
    order = sort_terms(shape.sort, columns)
    where = "" if shape.filter is None else f" WHERE {condition(types, columns, shape.filter, 'filter')}"
    # By the table's own columns: a bare name would mean the written cell of the same name.
    terms = ", ".join(f"{opened.plan.last}.{term}" for term in (*order, *opened.plan.order))
    ordered = f" ORDER BY {terms}" if order else ""
    return Part(shown_columns(view, columns), shape, opened, where, ordered)


def check(connection: Connection, what: Part) -> None:
    """Raises InvalidInputError for a table that its format cannot hold."""
    if what.shape.format is not ExportFormat.XLSX:
        return
    header, rows = what.shape.options.header, what.most_rows
    check_sheet(0, len(what.columns), header=header)
    if what.where and rows >= sheets.MOST_ROWS:
        rows = connection.row(f"SELECT count(*) FROM ({what.query(_as_is)})")[0]
    check_sheet(rows, len(what.columns), header=header)
    texts = [name for name, column in zip(what.names, what.columns, strict=True) if column.type is ColumnType.TEXT]
    if texts:
        longest = ", ".join(f"max({sheets.units(sql.name(name))})" for name in texts)
        found = connection.row(f"SELECT {longest} FROM ({what.query(_as_text(what.shape))})")
        for name, most in zip(texts, found, strict=True):
            check_cell(name, most or 0)


def export(connection: Connection, what: Part, out: Path, monitor: Monitor) -> int:
    """Writes the file and gives its rows; the connection reaches the table's file and `out`'s folder."""
    monitor.report(0.0, "writing", "Writing the file")
    with connection.monitored(monitor):
        match what.shape.format:
            case ExportFormat.CSV | ExportFormat.TSV:
                return _delimited(connection, what, out)
            case ExportFormat.JSON | ExportFormat.JSONL:
                return _json(connection, what, out)
            case ExportFormat.PARQUET:
                return _parquet(connection, what, out)
            case ExportFormat.FEATHER:
                return _feather(connection, what, out, monitor)
            case ExportFormat.XLSX:
                return _sheet(connection, what, out, monitor)


def _delimited(connection: Connection, what: Part, out: Path) -> int:
    shape, options = what.shape, what.shape.options
    settings = f"FORMAT csv, DELIMITER {sql.text(shape.delimiter)}, NULLSTR {sql.text(options.missing)}"
    if options.bom:
        # DuckDB writes no byte order mark of its own, and takes a prefix only in place of its header.
        head = _line(what.names, shape.delimiter) if options.header else ""
        settings += f", HEADER false, PREFIX {sql.text(_BOM + head)}, SUFFIX '\n'"
    else:
        settings += f", HEADER {str(options.header).lower()}"
    return _copied(connection, what.query(_as_delimited(shape)), out, settings)


def _line(names: list[str], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(names)
    return text.getvalue()


def _json(connection: Connection, what: Part, out: Path) -> int:
    array = str(what.shape.format is ExportFormat.JSON).lower()
    return _copied(connection, what.query(_as_json), out, f"FORMAT json, ARRAY {array}")


def _parquet(connection: Connection, what: Part, out: Path) -> int:
    write(connection, what.query(_as_is), len(what.columns), out)
    return int(connection.row(f"SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata({sql.path(out)})")[0])


def _copied(connection: Connection, query: str, out: Path, options: str) -> int:
    return int(connection.row(f"COPY ({query}) TO {sql.text(str(out))} ({options})")[0])


def _feather(connection: Connection, what: Part, out: Path, monitor: Monitor) -> int:
    rows = 0
    with connection.batches(what.query(_as_is), _batch(what)) as reader:
        packed = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(out), "wb") as stream, pa.ipc.new_file(stream, reader.schema, options=packed) as writer:
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
                monitor.report(rows / max(what.most_rows, 1))
    return rows


def _sheet(connection: Connection, what: Part, out: Path, monitor: Monitor) -> int:
    shape = what.shape
    header = shape.options.header
    columns = [replace(column, name=name) for column, name in zip(what.columns, what.names, strict=True)]
    query = sheets.rows(what.query(_as_text(shape)), columns, after=int(header))
    rows = 0
    with sheets.Sheet(out) as sheet, connection.batches(query, _batch(what)) as reader:
        if header:
            sheet.write(sheets.header(what.names))
        for batch in reader:
            for row in batch.column(0).to_pylist():
                sheet.write(row)
            rows += batch.num_rows
            monitor.report(rows / max(what.most_rows, 1))
    return rows


def _batch(what: Part) -> int:
    """Rows at once: a wide table's are few."""
    return max(min(_BATCH_ROWS, _BATCH_CELLS // max(len(what.columns), 1)), 1)


def _as_is(column: Column) -> str:
    return sql.name(column.name)


def _as_text(shape: ExportShape) -> Callable[[Column], str]:
    """Texts that no spreadsheet would run; all else as it is."""

    def cell(column: Column) -> str:
        name = sql.name(column.name)
        if column.type not in (ColumnType.TEXT, ColumnType.CATEGORY):
            return name
        text = f"{name}::VARCHAR"
        return (
            f"CASE WHEN regexp_matches({text}, {sql.text(GUARDED)}) THEN '''' || {text} ELSE {text} END"
            if (shape.guards)
            else text
        )

    return cell


def _as_delimited(shape: ExportShape) -> Callable[[Column], str]:
    text = _as_text(shape)

    def cell(column: Column) -> str:
        name = sql.name(column.name)
        if column.type is ColumnType.NUMBER:
            name = f"nullif({name}, 'nan'::DOUBLE)"
        elif column.type is not ColumnType.DECIMAL:
            return text(column)
        return name if shape.options.decimal == "." else f"replace({name}::VARCHAR, '.', ',')"

    return cell


def _as_json(column: Column) -> str:
    """JSON knows no numbers but finite ones, and everybody's times have a T in them."""
    name = sql.name(column.name)
    if column.type is ColumnType.NUMBER:
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    return f"replace({name}::VARCHAR, ' ', 'T')" if column.type is ColumnType.TIMESTAMP else name
