"""`python -m benchmarks.pages [--rows N]`: pages of a large table in the engine, beside the bare query on DuckDB."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import data
from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.application.ports.tables import View
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Derive, SortKey

_ROUNDS = 7
_PAGE = 100


@contextmanager
def opened(rows: int, folder: Path) -> Iterator[tuple[DuckDbTableEngine, Table, Path]]:
    file = folder / "table.parquet"
    data.parquet(file, rows)
    blobs = FolderBlobStore(folder / "blobs")
    engine = DuckDbTableEngine(blobs, folder / "tmp", memory_limit=1 << 30, threads=2)
    written = engine.describe(file)
    blob = blobs.add(file)
    with blobs.local(blob.key) as kept:
        yield engine, Table(blob.key, written.columns, written.rows, blob.size), kept


def milliseconds(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def compare(name: str, ours: Callable[[], Any], bare: Callable[[], Any], rounds: int = _ROUNDS) -> None:
    """The two take turns, so that the machine's other load falls on both."""
    pairs = [(milliseconds(ours), milliseconds(bare)) for _ in range(rounds)]
    first, median = pairs[0][0], statistics.median(a for a, _ in pairs)
    theirs = statistics.median(b for _, b in pairs)
    print(f"{name:<44}{first:>10.0f}{median:>10.1f}{theirs:>10.1f}{median / theirs:>8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as folder, opened(rows, Path(folder)) as found:
        engine, table, file = found
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
        source = f"read_parquet('{file}', file_row_number = true)"
        half = rows // 2

        def page(view: View, offset: int = 0, *, total: bool = True) -> Callable[[], Any]:
            return lambda: engine.page(view, offset, _PAGE, total=total)

        def bare(query: str) -> Callable[[], Any]:
            return lambda: connection.execute(query).fetchall()

        raw, kept = View(table), View(table, filter="flow > 40 AND weather = 'snow'")
        derived = View(table, (RecipeStep(Derive("log_flow", "ln(flow + 1)")),))
        ordered = View(table, sort=(SortKey("chance"),))
        condition = "flow > 40 AND weather = 'snow'"
        print(f"pages of {_PAGE} rows × {len(table.columns)} columns of {rows:,}; milliseconds")
        print(f"{'':<44}{'first':>10}{'median':>10}{'bare':>10}{'ratio':>8}")
        compare("first page", page(raw), bare(f"SELECT * FROM {source} LIMIT {_PAGE}"))
        middle = f"SELECT * FROM {source} WHERE file_row_number BETWEEN {half} AND {half + _PAGE - 1}"
        compare("page in the middle", page(raw, half), bare(middle))
        compare("page in the middle, a derived column", page(derived, half), bare(middle))
        compare(
            "filtered, first page, no count",
            page(kept, total=False),
            bare(f"SELECT * FROM {source} WHERE {condition} LIMIT {_PAGE}"),
        )
        counted = bare(f"SELECT count(*) FROM {source} WHERE {condition}")
        compare("filtered, first page and count", page(kept), counted)
        compare(
            "filtered, page further on",
            page(kept, rows // 100),
            bare(f"SELECT * FROM {source} WHERE {condition} LIMIT {_PAGE} OFFSET {rows // 100}"),
        )
        top = bare(f"SELECT * FROM {source} ORDER BY chance LIMIT {_PAGE}")
        compare("sorted, first page", page(ordered), top, rounds=3)
        compare("sorted, next page", page(ordered, _PAGE), top, rounds=3)
        far = bare(
            f"SELECT * FROM {source} WHERE file_row_number IN (SELECT file_row_number FROM {source} ORDER BY chance"
            f" LIMIT {_PAGE} OFFSET {half})"
        )
        compare("sorted, page in the middle", page(ordered, half), far, rounds=3)


if __name__ == "__main__":
    main()
