"""Runs people's queries on instances of their own, which reach the files of the query's tables and nothing else."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from hydroml.adapters.tables import sql, writing
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.queries import located, typed_query
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import QueryResult, View, WrittenTable
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.queries import QUERY_SECONDS
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.steps.queries import THIS

_AT_ONCE = 2
_WAIT_SECONDS = 10.0
_MOST_BYTES = 32 << 20
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Prepared:
    connection: Connection
    select: str
    columns: tuple[Column, ...]
    used: tuple[str, ...]


class Queries:
    def __init__(self, connections: Connections, views: Views, blobs: BlobStore) -> None:
        self._connections, self._views, self._blobs = connections, views, blobs
        self._places = BoundedSemaphore(_AT_ONCE)

    def run(
        self, text: str, tables: Mapping[str, Table], this: View | None, limit: int, monitor: Monitor
    ) -> QueryResult:
        started = time.perf_counter()
        with self._place(), self._prepared(text, tables, this, QUERY_SECONDS) as ready:
            rows: list[tuple[object, ...]] = []
            size = 0
            with (
                _located(text),
                ready.connection.monitored(monitor),
                ready.connection.streamed(f"{ready.select} LIMIT {limit + 1}", _BATCH) as batches,
            ):
                for batch in batches:
                    found = sql.json_rows(batch)
                    rows += found
                    size += len(json.dumps(found))
                    if len(rows) > limit or size > _MOST_BYTES:
                        break
        truncated = len(rows) > limit or size > _MOST_BYTES
        return QueryResult(
            columns=ready.columns,
            rows=tuple(rows[:limit]),
            total=None if truncated else len(rows),
            truncated=truncated,
            used=ready.used,
            elapsed_ms=(time.perf_counter() - started) * 1000,
        )

    def write(
        self, text: str, tables: Mapping[str, Table], this: View | None, out: Path, monitor: Monitor
    ) -> WrittenTable:
        with self._prepared(text, tables, this, None, out.parent) as ready, _located(text):
            with ready.connection.monitored(monitor):
                writing.write(ready.connection, ready.select, len(ready.columns), out)
            return writing.described(ready.connection, out)

    def check(self, text: str, tables: Mapping[str, Table], this: View | None) -> tuple[str, ...]:
        """The names of the tables it reads, without reading them. Raises InvalidInputError."""
        blank = {name: sql.blank_table(table.columns) for name, table in tables.items()}
        if this is not None:
            blank[THIS] = sql.blank_table(self._views.plan(this.table.columns, this.recipe).columns)
        with self._connections.reading() as connection:
            return typed_query(connection, text, blank, blank, "sql")[2]

    @contextmanager
    def _prepared(
        self, text: str, tables: Mapping[str, Table], this: View | None, seconds: float | None, *folders: Path
    ) -> Iterator[_Prepared]:
        """The query ready to run where only the tables that it reads can be reached."""
        used = self.check(text, tables, this)
        with ExitStack() as stack:
            relations: dict[str, str] = {}
            blank: dict[str, str] = {}
            files: list[Path] = [*folders]
            for name in used:
                if name == THIS and this is not None:
                    opened = stack.enter_context(self._views.opened(this.table, this.recipe))
                    columns, plan = opened.plan.columns, opened.plan
                    order = f" ORDER BY {', '.join(plan.order)}" if plan.reorders else ""
                    select = f"SELECT {sql.names(c.name for c in columns)} FROM {plan.last}{order}"
                    relations[name] = plan.query(opened.source(), select)
                    file = opened.file
                else:
                    columns, file = tables[name].columns, stack.enter_context(self._blobs.local(tables[name].blob))
                    relations[name] = f"SELECT {sql.names(c.name for c in columns)} FROM read_parquet({sql.path(file)})"
                blank[name] = sql.blank_table(columns)
                files.append(file)
            connection = stack.enter_context(self._connections.fresh(*files, seconds=seconds, shared_by=_AT_ONCE))
            select, found, _ = typed_query(connection, text, relations, blank, "sql")
            yield _Prepared(connection, select, found, used)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_WAIT_SECONDS):
            raise UnavailableError("other queries are running just now; try again in a moment")
        try:
            yield
        finally:
            self._places.release()


@contextmanager
def _located(text: str) -> Iterator[None]:
    try:
        yield
    except InvalidInputError as error:
        raise located(error, text, "sql") from None
