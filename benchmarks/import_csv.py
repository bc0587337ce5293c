"""`python -m benchmarks.import_csv [--rows N] [--only NAME] [--within GB]`: a CSV of 1 GB into Parquet, beside bare
DuckDB and pandas. `--within` holds each to so much memory: the kernel refuses it more.

Bare DuckDB judges types by the whole file too (`sample_size = -1`): by default it turns a late 1.5 into 2.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import data

_ROWS = 5_982_469  # 1.0 GB


def ours(file: Path, out: Path) -> None:
    from contextlib import nullcontext

    from hydroml.adapters.storage.folder import FolderBlobStore
    from hydroml.adapters.tables import DuckDbTableEngine
    from hydroml.application.ports.tables import IncomingFile
    from hydroml.domain.sources import ImportOptions

    class Silent:
        def report(self, progress: object = None, phase: object = None, message: str = "") -> None: ...
        def log(self, message: str, level: str = "info") -> None: ...
        def interrupting(self, stop: object) -> object:  # noqa: ARG002 - nobody cancels
            return nullcontext()

        def part(self, start: float, end: float) -> "Silent":  # noqa: ARG002
            return self

    engine = DuckDbTableEngine(FolderBlobStore(out.parent / "blobs"), out.parent / "tmp", 1 << 30, 2)
    engine.import_files([IncomingFile(file, file.name)], ImportOptions(), out, out.with_suffix(".rejected"), Silent())  # type: ignore[arg-type]


def bare(file: Path, out: Path) -> None:
    import duckdb

    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    connection.execute(
        f"COPY (FROM read_csv('{file}', sample_size = -1)) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )


def pandas(file: Path, out: Path) -> None:
    import pandas as pd

    pd.read_csv(file).to_parquet(out, compression="zstd")


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {"hydroml": ours, "bare duckdb": bare, "pandas": pandas}


def child(name: str, file: Path, out: Path, within: float | None) -> None:
    """In a process of its own, for its own peak of memory."""
    if within is not None:
        most = int(within * 1e9)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    started = time.perf_counter()
    CONTENDERS[name](file, out)
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--only", choices=list(CONTENDERS), action="append")
    parser.add_argument("--within", type=float)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, file, out = arguments.child
        child(name, Path(file), Path(out), arguments.within)
        return
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as folder:
        file = Path(folder) / "table.csv"
        data.csv(file, arguments.rows)
        print(f"CSV of {file.stat().st_size / 1e9:.2f} GB, {arguments.rows:,} rows, to Parquet")
        print(f"{'':<14}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'time to bare':>14}")
        figures = {}
        names = arguments.only or list(CONTENDERS)
        for name in names:
            command = [
                sys.executable,
                "-m",
                "benchmarks.import_csv",
                "--child",
                name,
                str(file),
                f"{folder}/out.parquet",
                *(("--within", str(arguments.within)) if arguments.within else ()),
            ]
            figures[name] = [float(x) for x in subprocess.check_output(command, text=True).split()]
        for name, (wall, cpu, peak) in figures.items():
            ratio = f"{wall / figures['bare duckdb'][0]:.2f}" if "bare duckdb" in figures else "-"
            print(f"{name:<14}{wall:>10.1f}{cpu:>10.1f}{peak:>10.0f}{ratio:>14}")


if __name__ == "__main__":
    main()
