"""The inspector's face: the port, method by method."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Types
from hydroml.adapters.tables.builder import condition as written
from hydroml.adapters.tables.cache import own_folder
from hydroml.adapters.tables.connection import Connections
from hydroml.adapters.tables.quality import counting
from hydroml.adapters.tables.quality.associations import associations
from hydroml.adapters.tables.quality.candidates import compact_dates, time_of
from hydroml.adapters.tables.quality.missing import missing
from hydroml.adapters.tables.quality.relations import relations
from hydroml.adapters.tables.quality.sampled import read_sample
from hydroml.adapters.tables.quality.scan import scan, with_quantiles
from hydroml.adapters.tables.quality.source import Source
from hydroml.adapters.tables.quality.texts import with_texts
from hydroml.adapters.tables.quality.timeline import time_index
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.quality import MissingFacts
from hydroml.application.ports.storage import BlobStore
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.quality.facts import Facts, Hits
from hydroml.domain.sources import Column, ColumnType, Table

MOST_COLUMNS = 500
_SECONDS = 60.0
"""How long somebody who asked on a page may wait."""


class DuckDbTableInspector:
    """Threads and processes may share it; what it spills lies below `temp_folder`."""

    def __init__(self, blobs: BlobStore, temp_folder: Path, memory_limit: int, threads: int) -> None:
        folder = temp_folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        own = own_folder(folder)
        self._blobs = blobs
        self._connections = Connections(own, own, memory_limit, threads)
        self._types = Types(self._connections)

    def close(self) -> None:
        self._connections.close()

    def measure(self, table: Table, monitor: Monitor) -> Facts:
        looked_at = Table(table.blob, table.columns[:MOST_COLUMNS], table.rows, table.size)
        with self._opened(looked_at, monitor) as source:
            if len(table.columns) > MOST_COLUMNS:
                source.bounds.append(f"The first {MOST_COLUMNS} of {len(table.columns):,} columns were looked at.")
            return _measured(source)

    def check(self, columns: Sequence[Column], condition: str) -> None:
        expression = written(self._types, columns, condition, "condition")
        with self._connections.reading() as connection:  # a bad regular expression shows when it is used only
            connection.rows(f"SELECT {expression} FROM ({sql.blank_table(columns)})")

    def hits(self, table: Table, conditions: Sequence[str], monitor: Monitor) -> list[Hits]:
        with self._opened(table, monitor) as source:
            return counting.hits(source, [written(self._types, table.columns, c, "condition") for c in conditions])

    def repeated(self, table: Table, columns: Sequence[str], monitor: Monitor) -> Hits:
        _known(table, columns)
        with self._opened(table, monitor) as source:
            return counting.duplicates(source, columns, complete=True)

    def disordered(
        self, table: Table, column: str, group: str | None, *, descending: bool, strict: bool, monitor: Monitor
    ) -> Hits:
        _known(table, [column] if group is None else [column, group])
        with self._opened(table, monitor) as source:
            return counting.disordered(source, column, group, descending=descending, strict=strict)

    def orphans(
        self, table: Table, columns: Sequence[str], other: Table, other_columns: Sequence[str], monitor: Monitor
    ) -> Hits:
        _known(table, columns)
        _known(other, other_columns)
        with self._blobs.local(other.blob) as file, self._opened(table, monitor, file) as source:
            return counting.orphans(source, columns, other, sql.path(file), other_columns)

    def missing(self, table: Table, chosen: Sequence[str], monitor: Monitor) -> MissingFacts:
        with self._opened(table, monitor, seconds=_SECONDS) as source:
            return missing(source, chosen)

    @contextmanager
    def _opened(self, table: Table, monitor: Monitor, *others: Path, seconds: float | None = None) -> Iterator[Source]:
        with self._blobs.local(table.blob) as file, self._connections.fresh(file, *others, seconds=seconds) as made:
            yield Source(made, file, table.columns, table.rows, monitor)


def _known(table: Table, columns: Sequence[str]) -> None:
    there = {column.name for column in table.columns}
    for name in columns:
        if name not in there:
            raise InvalidInputError.at("columns", msg=f"there is no column “{name[:100]}”", code="unknown_column")


def _measured(source: Source) -> Facts:
    if source.rows == 0 or not source.columns:
        columns = scan(source) if source.columns else []
        return Facts(source.rows, tuple(columns))
    columns = scan(source)
    source.monitor.report(0.3, "quality", "Drawing a sample")
    source.draw_sample()
    columns = with_texts(source, with_quantiles(source, columns))
    source.monitor.report(0.5, "quality", "Looking for duplicate rows")
    names = [column.name for column in source.columns if column.type is not ColumnType.DURATION]
    again = counting.duplicates(source, names, complete=False)
    source.monitor.report(0.55, "quality", "Looking for columns that others determine")
    sampled = read_sample(source, columns)
    related = relations(source, columns, sampled)
    found = associations(sampled)
    source.monitor.report(0.7, "quality", "Looking for the time of the rows")
    compact = compact_dates(source, columns)
    time = time_of(source, columns, list(compact))
    index = time_index(source, *time, columns) if time is not None else None
    return Facts(
        source.rows, tuple(columns), again, related, found, index, tuple(dict.fromkeys(source.bounds)), compact
    )
