"""`python -m benchmarks.profile [--rows N]`: the profile of a large table, beside the bare queries and pandas.

Bare are the same figures by DuckDB: one pass for counts, bounds, means and quantiles, a histogram of every number and
time, and the distinct and most frequent values of every column. pandas' are `describe` and `value_counts`.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from benchmarks import data


def ours(file: Path) -> None:
    from hydroml.adapters.storage.folder import FolderBlobStore
    from hydroml.adapters.tables import DuckDbTableEngine
    from hydroml.application.ports.tables import View
    from hydroml.domain.sources import Table

    class Silent:
        def report(self, progress: object = None, phase: object = None, message: str = "") -> None: ...
        def log(self, message: str, level: str = "info") -> None: ...
        def interrupting(self, stop: object) -> object:  # noqa: ARG002 - nobody cancels
            return nullcontext()

        def part(self, start: float, end: float) -> "Silent":  # noqa: ARG002
            return self

    blobs = FolderBlobStore(file.parent / "blobs")
    engine = DuckDbTableEngine(blobs, file.parent / "tmp", memory_limit=400 << 20, threads=2)
    written = engine.describe(file)
    copy = file.with_name("copy.parquet")
    copy.hardlink_to(file)
    blob = blobs.add(copy)
    engine.profile(View(Table(blob.key, written.columns, written.rows, blob.size)), Silent())  # type: ignore[arg-type]


def bare(file: Path) -> None:
    import duckdb

    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    table = f"read_parquet('{file}')"
    columns = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]
    numbers = [name for name, kind in columns if kind.startswith(("BIGINT", "INTEGER", "DOUBLE", "DECIMAL"))]
    figures = [f"count({name}), min({name}), max({name})" for name, _ in columns]
    figures += [f"avg({name}), stddev_samp({name})" for name in numbers]
    figures += [f"approx_quantile({name}, [0.05, 0.25, 0.5, 0.75, 0.95])" for name in numbers]
    connection.execute(f"SELECT {', '.join(figures)} FROM {table}").fetchall()
    for name, kind in columns:
        if name in numbers or kind in ("DATE", "TIMESTAMP"):
            value = name if name in numbers else f"epoch({name})"
            low, high = connection.execute(f"SELECT min({value}), max({value}) FROM {table}").fetchone()
            bin_ = f"floor(({value}::DOUBLE - {low}) * 24 / ({high} - {low}::DOUBLE))"
            connection.execute(f"SELECT {bin_}, count(*) FROM {table} GROUP BY 1").fetchall()
        connection.execute(
            f"SELECT {name}, count(*) AS n FROM {table} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10"
        ).fetchall()


def pandas(file: Path) -> None:
    import pandas as pd

    frame = pd.read_parquet(file)
    frame.describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95], include="all")
    for name in frame.columns:
        frame[name].value_counts().head(10)


CONTENDERS: dict[str, Callable[[Path], None]] = {"hydroml": ours, "bare duckdb": bare, "pandas": pandas}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, file = arguments.child
        started = time.perf_counter()
        CONTENDERS[name](Path(file))
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as folder:
        file = Path(folder) / "table.parquet"
        data.parquet(file, arguments.rows)
        print(f"profile of {arguments.rows:,} x 20")
        print(f"{'':<14}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'time to bare':>14}")
        figures = {}
        for name in CONTENDERS:
            command = [sys.executable, "-m", "benchmarks.profile", "--child", name, str(file)]
            figures[name] = [float(x) for x in subprocess.check_output(command, text=True).split()]
        for name, (wall, cpu, peak) in figures.items():
            ratio = wall / figures["bare duckdb"][0]
            print(f"{name:<14}{wall:>10.1f}{cpu:>10.1f}{peak:>10.0f}{ratio:>14.2f}")


if __name__ == "__main__":
    main()
