"""What HydroML adds to a prediction: of one row, and of a whole table, beside the bare pipeline of the same model.

One row is checked, warned of and given an interval; the bare pipeline gets a table that is ready.
A whole table is read from Parquet, marked and written again; the bare pipeline gets all of it as one table in memory.
`python -m benchmarks.predict --rows 100000` is quick.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

BOUND_TABLE = 1.3
THREADS = 2


class Quiet:
    """A monitor that nobody reads."""

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        pass

    def log(self, message: str, level: str = "info") -> None:
        pass

    def part(self, *_: float) -> "Quiet":
        return self


def p50(work: Callable[[], Any], times: int) -> float:
    """Of so many calls, in milliseconds, after one that does not count."""
    work()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(1e3 * (time.perf_counter() - started))
    return statistics.median(taken)


def trained(file: Path, folder: Path, algorithm: str) -> Any:
    import pyarrow.parquet as pq

    from hydroml.adapters.learning import ScikitLearner
    from hydroml.application.ports.learning import TrainingTask
    from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Specification
    from hydroml.domain.sources import Column, ColumnType, VersionId

    names = pq.read_schema(file).names
    columns = tuple(Column(n, ColumnType.TEXT if n == "site" else ColumnType.NUMBER) for n in names)
    specification = Specification(
        name="bench", version_id=VersionId(uuid4()), target="y", algorithm=AlgorithmChoice(algorithm)
    )
    task = TrainingTask(file, columns, specification, tuple(n for n in names if n != "y"), Problem.REGRESSION)
    learner: Any = ScikitLearner(memory_limit=16 * 2**30, threads=THREADS)
    return learner, learner.train(task, folder, Quiet())


def measure(algorithm: str, rows: int, folder: Path) -> None:
    import pyarrow.parquet as pq

    from benchmarks.training import make_table
    from hydroml.adapters.learning import modelfile

    small, large = folder / "small.parquet", folder / "large.parquet"
    make_table(small, 20_000)
    make_table(large, rows)
    learner, made = trained(small, folder, algorithm)
    pipeline = modelfile.load(made.model)
    one = pq.read_table(small).slice(0, 1)
    row, frame = one.to_pylist(), one.to_pandas()
    bare = p50(lambda: pipeline.predict(frame), 200)
    ours = p50(lambda: learner.predict_rows(made.model, made.outcome, row), 200)
    print(f"{algorithm}: one row, p50: {ours:.2f} ms; bare pipeline {bare:.2f} ms; {ours - bare:+.2f} ms")
    table = pq.read_table(large).to_pandas()
    alone = p50(lambda: pipeline.predict(table), 3) / 1e3
    out = folder / "out.parquet"
    whole = p50(lambda: learner.predict_table(made.model, made.outcome, "y", large, out, Quiet()), 3) / 1e3
    verdict = "within" if whole / alone <= BOUND_TABLE else "over"
    print(
        f"{algorithm}: {rows:,} rows, median of 3: {whole:.2f} s; bare pipeline {alone:.2f} s; "
        f"ratio {whole / alone:.2f}, {verdict} {BOUND_TABLE}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--algorithm", action="append", choices=["hist_gradient_boosting", "random_forest", "ridge"])
    arguments = parser.parse_args()
    for algorithm in arguments.algorithm or ["hist_gradient_boosting", "ridge"]:
        with tempfile.TemporaryDirectory() as folder:
            measure(algorithm, arguments.rows, Path(folder))


if __name__ == "__main__":
    main()
