"""What pre-flight says a training takes, beside what it takes: memory at its peak, and time.

Each training has a process of its own and a generated table: numbers, one of them with gaps, and texts. The peak is
what the process grows by while it trains; the time is the processor's, so that other work on the machine does not
count, and what is told is that of one thread. `python -m benchmarks.estimate --quick` leaves the large tables out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.training import Unwatched
from hydroml.domain.experiments.cost import Estimate
from hydroml.domain.experiments.sizing import Sizing
from hydroml.domain.experiments.specification import (
    AlgorithmChoice,
    Problem,
    Specification,
    Split,
    SplitKind,
)
from hydroml.domain.sources import Column, ColumnType, VersionId

THREADS = 2


@dataclass(frozen=True, slots=True)
class Case:
    algorithm: str
    rows: int
    numbers: int = 10
    texts: int = 1
    classes: int = 0
    """0 for a regression."""
    values: dict[str, Any] = field(default_factory=dict)
    folds: int = 0


CASES = (
    Case("ridge", 10_000),
    Case("ridge", 100_000),
    Case("ridge", 1_000_000),
    Case("linear_regression", 100_000, numbers=60),
    Case("lasso", 300_000),
    Case("logistic_regression", 100_000, classes=2),
    Case("logistic_regression", 300_000, classes=5),
    Case("k_nearest_neighbours", 10_000),
    Case("k_nearest_neighbours", 40_000, numbers=5),
    Case("support_vector_regression", 5_000),
    Case("support_vector_regression", 12_000),
    Case("support_vector_classification", 5_000, classes=2),
    Case("random_forest", 10_000),
    Case("random_forest", 100_000, values={"n_estimators": 50}),
    Case("random_forest", 300_000, values={"n_estimators": 20}),
    Case("random_forest", 100_000, classes=3, values={"n_estimators": 50}),
    Case("extra_trees", 100_000, values={"n_estimators": 50}),
    Case("hist_gradient_boosting", 10_000),
    Case("hist_gradient_boosting", 100_000),
    Case("hist_gradient_boosting", 1_000_000, values={"max_iter": 100}),
    Case("hist_gradient_boosting", 100_000, classes=5, values={"max_iter": 50}),
    Case("hist_gradient_boosting", 100_000, texts=6),
    Case("hist_gradient_boosting", 50_000, folds=5),
    Case("lightgbm", 100_000),
    Case("lightgbm", 1_000_000, values={"n_estimators": 100}),
    Case("xgboost", 100_000),
    Case("xgboost", 1_000_000, values={"n_estimators": 100}),
    Case("catboost", 100_000, values={"iterations": 200}),
    Case("multilayer_perceptron", 10_000, values={"max_iter": 20}),
    Case("multilayer_perceptron", 100_000, values={"max_iter": 10}),
    Case("ridge", 1_000_000, numbers=40, texts=2),
)
CATEGORIES = 25


def make_table(case: Case, file: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{i}": random.normal(size=case.rows) for i in range(case.numbers)}
    target = columns["x0"] * 3 + columns["x1"] * columns["x2"] + random.normal(size=case.rows)
    columns["x0"] = np.where(random.random(case.rows) < 0.05, np.nan, columns["x0"])
    names = np.array([f"site number {i}" for i in range(CATEGORIES)])
    for i in range(case.texts):
        columns[f"site{i}"] = names[random.integers(0, CATEGORIES, case.rows)]
    if case.classes:
        edges = np.quantile(target, np.linspace(0, 1, case.classes + 1)[1:-1])
        columns["y"] = np.array([f"class {i}" for i in range(case.classes)])[np.searchsorted(edges, target)]
    else:
        columns["y"] = target
    pq.write_table(pa.table(columns), file, row_group_size=50_000)


def train(case: Case, file: Path, folder: Path) -> dict[str, Any]:
    """In this process, whose peak is what counts."""
    import pyarrow.parquet as pq

    from hydroml.adapters.learning.learner import ScikitLearner
    from hydroml.application.ports.learning import TrainingTask

    learner = ScikitLearner(memory_limit=64 * 2**30, threads=THREADS)
    import catboost  # noqa: F401
    import lightgbm  # noqa: F401
    import xgboost  # noqa: F401

    import hydroml.adapters.learning.training  # noqa: F401  a worker has it already

    text = ("y", "site") if case.classes else ("site",)
    names = pq.read_schema(file).names
    columns = tuple(Column(n, ColumnType.TEXT if n.startswith(text) else ColumnType.NUMBER) for n in names)
    problem = {0: Problem.REGRESSION, 2: Problem.BINARY}.get(case.classes, Problem.MULTICLASS)
    specification = _specification(case, problem)
    task = TrainingTask(file, columns, specification, specification.resolved_features(columns), problem, thorough=False)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
    before, started = _memory("VmRSS"), time.process_time()
    learner.train(task, folder, Unwatched())
    return {"bytes": _memory("VmHWM") - before, "seconds": time.process_time() - started}


def _memory(what: str) -> int:
    """Bytes that Linux counts for this process."""
    line = next(one for one in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if what in one)
    return int(line.split()[1]) * 1024


def estimated(case: Case) -> Estimate:
    """As pre-flight has it, with what the profile of such a table says; of one thread, and without a learning curve."""
    problem = {0: Problem.REGRESSION, 2: Problem.BINARY}.get(case.classes, Problem.MULTICLASS)
    numbers = [Column(f"x{i}", ColumnType.NUMBER) for i in range(case.numbers)]
    texts = [Column(f"site{i}", ColumnType.TEXT) for i in range(case.texts)]
    known = Sizing(
        rows=case.rows,
        usable=case.rows,
        columns=(*numbers, *texts),
        problem=problem,
        split=_split(case).resolve(None, problem),
        classes=case.classes,
        distinct={column.name: CATEGORIES for column in texts},
        gaps=frozenset({"x0"}),
        thorough=False,
    )
    return known.estimate(_specification(case, problem))


def _split(case: Case) -> Split:
    return Split(SplitKind.KFOLD, folds=case.folds) if case.folds else Split()


def _specification(case: Case, problem: Problem) -> Specification:
    return Specification(
        name="bench",
        version_id=VersionId(uuid4()),
        target="y",
        problem=problem,
        split=_split(case),
        algorithm=AlgorithmChoice(case.algorithm, case.values),
    )


def measured(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hydroml-bench-") as folder:
        file = Path(folder, "table.parquet")
        make_table(case, file)
        asked = json.dumps([asdict(case), str(file), folder])
        command = [sys.executable, "-m", "benchmarks.estimate", "--train", asked]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tables of up to 100,000 rows only")
    parser.add_argument("--algorithm", help="this one only")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        case, file, folder = json.loads(options.train)
        print(json.dumps(train(Case(**case), Path(file), Path(folder))))
        return
    print("algorithm                          rows   numbers texts classes   MB told  MB taken    s told     s taken")
    for case in CASES:
        if (options.quick and case.rows > 100_000) or options.algorithm not in (None, case.algorithm):
            continue
        told, taken = estimated(case), measured(case)
        low, high = told.seconds
        print(
            f"{case.algorithm:29s} {case.rows:9,d}   {case.numbers:7d} {case.texts:5d} {case.classes:7d}"
            f"   {told.memory_bytes / 1e6:7.0f} {taken['bytes'] / 1e6:9.0f}   {low:5.0f}–{high:<5.0f}"
            f" {taken['seconds']:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
