"""Parquet files of others, rewritten in the layout that pages need."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.faults import EngineError
from hydroml.adapters.tables.reading import judging
from hydroml.adapters.tables.reading.kinds import Raw
from hydroml.adapters.tables.reading.names import MAX_COLUMNS, usable_names
from hydroml.adapters.tables.reading.rejects import misfits_in_words
from hydroml.adapters.tables.writing import described, write
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.sources import ColumnType, DetectedColumn, Detection, ImportOptions, UnreadableFileError

_SHOWN_ROWS = 20
_AS_TEXT = ("TIME", "UUID", "BIT", "BIGNUM", "TIME WITH TIME ZONE")
_KEPT = {
    ColumnType.BOOLEAN: "{0}", ColumnType.DATE: "{0}", ColumnType.DECIMAL: "{0}", ColumnType.DURATION: "{0}",
    ColumnType.INTEGER: "{0}::BIGINT", ColumnType.CATEGORY: "{0}::VARCHAR", ColumnType.TEXT: "{0}",
}  # fmt: skip
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMPTZ_NS")
_NESTED = ("STRUCT", "MAP", "UNION", "LIST", "VARIANT")


@dataclass(frozen=True, slots=True)
class _Reading:
    name: str
    expression: str
    type: ColumnType
    note: str = ""
    before: str = ""
    """The expression of the type that the file has, where somebody has chosen another one."""


def detect(connections: Connections, file: Path, options: ImportOptions) -> Detection:
    with connections.fresh(file, seconds=60) as connection, _faults():
        readings, notes = _readings(connection, file, options)
        rows = connection.rows(f"SELECT {_cells(readings)} FROM read_parquet({sql.path(file)}) LIMIT {_SHOWN_ROWS}")
        misfits = _misfits(connection, file, readings)
    columns = tuple(DetectedColumn(r.name, r.type, misfits.get(r.name, 0), r.note) for r in readings)
    return Detection("parquet", options, columns, sql.json_rows(rows), notes=notes)


def import_parquet(
    connections: Connections, file: Path, options: ImportOptions, out: Path, monitor: Monitor
) -> WrittenTable:
    monitor.report(0.0, "reading", "Looking at the columns")
    with connections.fresh(file, out.parent) as connection, _faults():
        readings, notes = _readings(connection, file, options)
        gaps = _not_a_numbers(connection, file, readings)
        gaps = (*gaps, *(misfits_in_words(name, count) for name, count in _misfits(connection, file, readings).items()))
        monitor.report(0.1, "writing", "Writing the table")
        with connection.monitored(monitor.part(0.1, 1.0)):
            write(connection, f"SELECT {_cells(readings)} FROM read_parquet({sql.path(file)})", len(readings), out)
        return described(connection, out, (*notes, *gaps))


@contextmanager
def _faults() -> Iterator[None]:
    """Says in words that the reader stumbled over the file."""
    try:
        yield
    except UnreadableFileError:
        raise
    except (InvalidInputError, UnavailableError, EngineError) as error:
        raise UnreadableFileError("the Parquet file is damaged: part of it cannot be read") from error


def _readings(connection: Connection, file: Path, options: ImportOptions) -> tuple[list[_Reading], tuple[str, ...]]:
    source = f"SELECT * FROM read_parquet({sql.path(file)})"
    try:
        found = connection.described(source)
    except (InvalidInputError, UnavailableError, EngineError):
        raise UnreadableFileError("this is not a Parquet file, or it is cut off or damaged") from None
    if not found:
        raise UnreadableFileError("the Parquet file has no columns")
    if len(found) > MAX_COLUMNS:
        raise UnreadableFileError(f"the file has {len(found):,} columns; at most {MAX_COLUMNS:,} can be read")
    names, notes = usable_names([name for name, _ in found])
    readings = [
        _chosen(connection, file, _reading(connection, file, raw, kind, name), options)
        for (raw, kind), name in zip(found, names, strict=True)
    ]
    remarks = tuple(f"“{r.name}” {r.note}" for r in readings if r.note)
    return readings, (*notes, *remarks)


def _reading(connection: Connection, file: Path, raw: str, kind: str, name: str) -> _Reading:  # noqa: PLR0911
    cell = sql.name(raw)
    upper = kind.upper()
    if upper.endswith("]") or upper.startswith(_NESTED):
        return _Reading(name, f"to_json({cell})::VARCHAR", ColumnType.TEXT, "holds nested values, kept as JSON text")
    if upper == "BLOB" or upper.startswith("GEOMETRY"):
        return _Reading(name, f"lower(hex({cell}))", ColumnType.TEXT, "holds bytes, kept as hexadecimal text")
    if upper in _AS_TEXT:
        return _Reading(name, f"{cell}::VARCHAR", ColumnType.TEXT, f"is of type {upper.lower()}, kept as text")
    if upper in ("UBIGINT", "HUGEINT", "UHUGEINT"):
        return _wide_integer(connection, file, cell, name)
    result = sql.column_type(kind)
    if result is ColumnType.NUMBER:
        return _Reading(name, f"nullif({cell}::DOUBLE, 'nan'::DOUBLE)", result)
    if result is ColumnType.TIMESTAMP:
        return _moment(connection, file, cell, name, upper)
    return _Reading(name, _KEPT[result].format(cell), result)


def _chosen(connection: Connection, file: Path, reading: _Reading, options: ImportOptions) -> _Reading:
    """The column with the type that somebody has chosen: read from its values as text, like a column of a text."""
    kind = options.types.get(reading.name)
    if kind is None or kind is reading.type:
        return reading
    cell = reading.expression
    text = f"({cell})::VARCHAR"
    if reading.type is ColumnType.NUMBER:  # 3.0 is an integer too
        whole = f"{cell} = trunc({cell}) AND abs({cell}) < 9007199254740992"
        text = f"CASE WHEN {whole} THEN ({cell})::BIGINT::VARCHAR ELSE {text} END"
    raw = Raw(f"read_parquet({sql.path(file)})", (text,), (reading.name,), types={text: kind}, missing=())
    decision = judging.chosen(connection, raw, text)
    return _Reading(reading.name, decision.read, kind, reading.note, before=cell)


def _misfits(connection: Connection, file: Path, readings: Sequence[_Reading]) -> dict[str, int]:
    """How many cells of columns with a chosen type do not fit it."""
    chosen = [reading for reading in readings if reading.before]
    if not chosen:
        return {}
    counted = ", ".join(f"count({r.before}) - count({r.expression})" for r in chosen)
    counts = connection.row(f"SELECT {counted} FROM read_parquet({sql.path(file)})")
    return {reading.name: count for reading, count in zip(chosen, counts, strict=True) if count}


def _wide_integer(connection: Connection, file: Path, cell: str, name: str) -> _Reading:
    low, high = connection.row(f"SELECT min({cell}), max({cell}) FROM read_parquet({sql.path(file)})")
    if low is None or (low >= -(2**63) and high < 2**63):
        return _Reading(name, f"{cell}::BIGINT", ColumnType.INTEGER)
    if max(abs(low), abs(high)) < 10**38:
        return _Reading(
            name, f"{cell}::DECIMAL(38, 0)", ColumnType.DECIMAL, "has integers beyond 64 bits, kept exactly"
        )
    return _Reading(name, f"{cell}::VARCHAR", ColumnType.TEXT, "has integers beyond 38 digits, kept as text")


def _moment(connection: Connection, file: Path, cell: str, name: str, kind: str) -> _Reading:
    note = ""
    if kind in _ZONED:
        cell, note = f"({cell} AT TIME ZONE 'UTC')", "has times with a zone, kept in UTC"
    if (
        kind.endswith("_NS")
        and connection.row(f"SELECT count(*) FROM read_parquet({sql.path(file)}) WHERE epoch_ns({cell}) % 1000 <> 0")[0]
    ):
        return _Reading(name, f"{cell}::VARCHAR", ColumnType.TEXT, "has times finer than microseconds, kept as text")
    return _Reading(name, f"{cell}::TIMESTAMP", ColumnType.TIMESTAMP, note)


def _not_a_numbers(connection: Connection, file: Path, readings: Sequence[_Reading]) -> tuple[str, ...]:
    """A remark for each column with NaN: like everywhere else, they count as missing."""
    numbers = [r for r in readings if r.type is ColumnType.NUMBER]
    if not numbers:
        return ()
    source = sql.path(file)
    kinds = dict(connection.described(f"SELECT * FROM read_parquet({source})"))
    raw = [name for name, kind in kinds.items() if kind in ("DOUBLE", "FLOAT")]
    try:
        cells = ", ".join(f"count(CASE WHEN isnan({sql.name(n)}) THEN 1 END)" for n in raw)
        counts = connection.row(f"SELECT {cells} FROM read_parquet({source})")
    except (InvalidInputError, UnavailableError):
        raise UnreadableFileError("the Parquet file is damaged: part of it cannot be read") from None
    return tuple(
        f"“{reading.name}”: {count:,} NaN became empty" for reading, count in zip(numbers, counts, strict=True) if count
    )


def _cells(readings: Sequence[_Reading]) -> str:
    return ", ".join(f"{r.expression} AS {sql.name(r.name)}" for r in readings)
