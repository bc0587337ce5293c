"""`python -m benchmarks.quality [--rows N] [--columns 70]`: the quality report of a wide table.

The table is one of a measuring network: a time, a station, texts, and sensors of which some are copies in other units,
sums of others, or have gaps. With `--columns 20` it is the table of the other benchmarks.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks import data
from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.quality import DuckDbTableInspector
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.quality.report import QualityReport, report, suspected
from hydroml.domain.sources import Table

_NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - any time will do


class Phases:
    """Notes how long each phase took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._phase, self._since = "", time.perf_counter()

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:  # noqa: ARG002
        if message and message != self._phase:
            self.end()
            self._phase = message

    def end(self) -> None:
        now = time.perf_counter()
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._since = now

    def log(self, message: str, level: str = "info") -> None: ...

    @contextmanager
    def interrupting(self, stop: object) -> Iterator[None]:  # noqa: ARG002
        yield

    def part(self, start: float, end: float) -> Monitor:  # noqa: ARG002
        return self


def wide(file: Path, rows: int, columns: int) -> None:
    """`columns` columns: eight of texts and time, the rest sensors."""
    sensors = []
    for at in range(columns - 8):
        noise = f"(hash(i, {at}) / 18446744073709551616.0)"
        gap = f"hash(i, {at}, 1) % 100 < {at % 7}"
        value = {
            0: f"round(10 + 5 * sin(i / 365.0 + {at}) + {noise}, 3)",
            1: f"round(50 * pow({noise}, 4), 2)",
            2: f"(hash(i, {at}, 2) % 1000)::INTEGER",
            3: f"CASE WHEN {noise} < 0.6 THEN 0.0 ELSE round(30 * {noise}, 1) END",
        }[at % 4]
        sensors.append(f"CASE WHEN {gap} THEN NULL ELSE {value} END AS s{at}")
    head = """
        TIMESTAMP '1990-01-01' + to_hours(i) AS measured_at,
        printf('%05d', (i * 7919) % 4000) AS station,
        'basin ' || (hash(i, 14) % 300) AS basin,
        ['rain', 'snow', 'fog', 'Fog ', 'sun'][(1 + hash(i, 13) % 5)::BIGINT] AS weather,
        md5(i::VARCHAR) AS code,
        CASE WHEN hash(i, 19) % 10 < 6 THEN NULL ELSE 'report ' || (hash(i, 20) % 5000) END AS remark,
        (hash(i, 21) % 500) AS casual,
        (hash(i, 21) % 500) + (hash(i, 2, 2) % 1000)::BIGINT AS total"""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {head}, {', '.join(sensors)} FROM range({rows}) t(i)) TO '{file}'"
            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 51200)"
        )


def judged(inspector: DuckDbTableInspector, table: Table, monitor: Monitor) -> QualityReport:
    facts = inspector.measure(table, monitor)
    monitor.report(0.9, "quality", "Counting the rows of the findings")
    found = suspected(facts, _NOW)
    hits = iter(inspector.hits(table, [f.filter for f in found if f.filter], monitor))
    return report(facts, len(table.columns), found, [next(hits) if f.filter else None for f in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=70)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as name:
        folder = Path(name)
        file = folder / "table.parquet"
        if asked.columns == 20:
            data.parquet(file, asked.rows)
        else:
            wide(file, asked.rows, asked.columns)
        blobs = FolderBlobStore(folder / "blobs")
        engine = DuckDbTableEngine(blobs, folder / "tmp", memory_limit=1 << 30, threads=2)
        inspector = DuckDbTableInspector(blobs, folder / "inspector", memory_limit=1 << 30, threads=2)
        written = engine.describe(file)
        blob = blobs.add(file)
        table = Table(blob.key, written.columns, written.rows, blob.size)
        phases = Phases()
        started = time.perf_counter()
        made = judged(inspector, table, phases)
        seconds = time.perf_counter() - started
        phases.end()
        for phase, spent in phases.seconds.items():
            print(f"  {phase:<56}{spent:>8.1f} s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"quality report of {table.rows:,} × {len(table.columns)}: {seconds:.1f} s, peak {peak:,.0f} MB,")
        print(f"{len(made.findings)} findings, {len(made.associations)} associations, {len(made.bounds)} bounds")


if __name__ == "__main__":
    main()
