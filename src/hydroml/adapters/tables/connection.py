"""Connections to DuckDB that can reach nothing but the files they were opened for, within limits."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from hydroml.adapters.tables.faults import words
from hydroml.application.ports.asking import asker
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import TooLargeError

INTERACTIVE_SECONDS = 60.0
_POOLED = 128
"""To open one takes 20 ms of a processor, to keep it about 4 MB."""
_SHARED_DISK = 8 << 30


class Connection:
    """One connection; whatever goes wrong in it comes out as an error of the domain."""

    def __init__(self, raw: duckdb.DuckDBPyConnection, seconds: float | None = None) -> None:
        self._raw = raw
        self._seconds = seconds

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guarded():
            return self._raw.execute(sql, list(parameters)).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        return self.rows(sql, parameters)[0]

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        with self._guarded():
            self._raw.execute(sql, list(parameters))

    def arrays(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any]:
        """The result as NumPy arrays by column name."""
        with self._guarded():
            return dict(self._raw.execute(sql, list(parameters)).fetchnumpy())

    @contextmanager
    def seeing(self, name: str, table: pa.Table) -> Iterator[None]:
        """Within the block, queries can read the table under that name."""
        with self._guarded():
            self._raw.register(name, table)
        try:
            yield
        finally:
            self._raw.unregister(name)

    @contextmanager
    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatchReader]:
        """The result as Arrow's batches of at most so many rows, computed while they are read."""
        with self._guarded():
            # Not by `execute`, which makes an extra copy of the rows.
            yield self._raw.sql(sql).to_arrow_reader(rows)

    @contextmanager
    def streamed(self, sql: str, rows: int) -> Iterator[Iterator[list[tuple[Any, ...]]]]:
        """The result in lists of so many rows, computed while they are read."""
        with self._guarded():
            found = self._raw.execute(sql)
            yield iter(lambda: found.fetchmany(rows), [])

    def described(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[str, str]]:
        """Names and DuckDB types of the columns a query gives, without running it."""
        return [(row[0], row[1]) for row in self.rows(f"DESCRIBE {sql}", parameters)]

    @contextmanager
    def monitored(self, monitor: Monitor) -> Iterator[None]:
        """Reports the progress of what runs in the block, from 0 to 1, and ends it when somebody asks to cancel."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.5):
                percent = self._raw.query_progress()
                if percent >= 0:
                    try:
                        monitor.report(min(percent / 100, 1.0))
                    except Exception:  # noqa: BLE001 - cancelled: the main thread hears of it when it reports
                        self._raw.interrupt()
                        return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            with monitor.interrupting(self._raw.interrupt):
                yield
        except TooLargeError:
            monitor.report()  # raises when the query was ended by a request to cancel
            raise
        finally:
            done.set()
            watcher.join()

    def close(self) -> None:
        self._raw.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        late = threading.Event()
        timer = None
        if self._seconds is not None:

            def end() -> None:
                late.set()
                self._raw.interrupt()

            timer = threading.Timer(self._seconds, end)
            timer.daemon = True
            timer.start()
        who = asker()
        try:
            with who.interrupting(self._raw.interrupt):
                yield
        except duckdb.Error as error:
            who.check()
            raise words(error, self._seconds if late.is_set() else None) from None
        finally:
            if timer is not None:
                timer.cancel()


class Connections:
    """Opens connections: fresh ones for long work, and shared instances for questions that must be answered fast.

    Opening an instance takes 20 ms and a cursor on one takes less than one, so instances for reading are kept, the
    least used one leaving first. Each can read its own file and the cache folder and nothing else.
    """

    def __init__(self, temp_folder: Path, cache_folder: Path, memory_limit: int, threads: int) -> None:
        self._temp_folder = temp_folder
        self._cache_folder = cache_folder
        self._memory_limit = memory_limit
        self._threads = threads
        self._instances: OrderedDict[str, duckdb.DuckDBPyConnection] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def fresh(
        self, *paths: Path, seconds: float | None = None, threads: int | None = None, shared_by: int = 1
    ) -> Iterator[Connection]:
        """An instance of its own that can reach `paths` (files or folders) only; closed after the block. When several
        share the memory, each gets its part, and a place on the disk that is bounded too."""
        connection = Connection(self._instance(paths, threads or self._threads, shared_by), seconds)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def reading(self, file: Path | None = None, *, seconds: float | None = INTERACTIVE_SECONDS) -> Iterator[Connection]:
        """A cursor for questions about `file`; without one it has no file at all, and one thread."""
        connection = Connection(self._cursor(file), seconds)
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        with self._lock:
            for instance in self._instances.values():
                instance.close()
            self._instances.clear()

    def _cursor(self, file: Path | None) -> duckdb.DuckDBPyConnection:
        key = "" if file is None else str(file)
        with self._lock:
            instance = self._instances.pop(key, None)
            if instance is None:
                paths = () if file is None else (file, self._cache_folder)
                instance = self._instance(paths, 1 if file is None else self._threads)
            self._instances[key] = instance
            if len(self._instances) > _POOLED:
                self._instances.popitem(last=False)[1].close()  # its cursors go on until they are closed
            return instance.cursor()

    def _instance(self, paths: Sequence[Path], threads: int, shared_by: int = 1) -> duckdb.DuckDBPyConnection:
        instance = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": f"{self._memory_limit // shared_by}B",
                "threads": str(threads),
                "temp_directory": str(self._temp_folder),
                "python_enable_replacements": "false",
            },
        )
        folders = [str(p) for p in paths if p.is_dir()]
        files = [str(p) for p in paths if not p.is_dir()]
        # Globally: what is set for one connection is forgotten by the cursors on its instance.
        instance.execute("SET GLOBAL TimeZone = 'UTC'")
        instance.execute("SET GLOBAL parquet_metadata_cache = true")
        # The system keeps files in memory once for all; pages are no slower without a copy in each instance.
        instance.execute("SET enable_external_file_cache = false")
        # A progress bar is never printed; without it query_progress() does not count.
        instance.execute("SET enable_progress_bar = true")
        instance.execute("SET enable_progress_bar_print = false")
        if shared_by > 1:
            instance.execute(f"SET max_temp_directory_size = '{_SHARED_DISK}B'")
        instance.execute("SET allowed_directories = $folders", {"folders": folders})
        instance.execute("SET allowed_paths = $files", {"files": files})
        instance.execute("SET enable_external_access = false")
        instance.execute("SET lock_configuration = true")
        return instance
