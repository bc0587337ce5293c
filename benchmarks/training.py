"""What HydroML adds to a training: its job beside a script that does the same with scikit-learn and MLflow.

The script fits the same pipeline to the same rows, computes the same metrics and logs parameters, metrics, the dataset
and the model with its signature. HydroML's side does all that and its baselines, importance and plot data besides. Each
runs in a process of its own, in turns, with an MLflow store of its own whose tables are there beforehand; imports do
not count, since a worker has them. `python -m benchmarks.training --rows 20000` is quick.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

BOUND = 1.15
THREADS = 2
SHAPES: dict[str, tuple[int, dict[str, Any]]] = {
    "hist_gradient_boosting": (1_000_000, {"max_iter": 300}),
    "random_forest": (60_000, {"n_estimators": 200}),
    "ridge": (1_000_000, {}),
}
"""For each algorithm the rows and settings that make a fit of about a minute on two cores; ridge is far quicker."""


def make_table(file: Path, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{i}": random.normal(size=rows) for i in range(10)}
    columns["x0"][random.random(rows) < 0.05] = np.nan
    columns["site"] = random.choice([f"site {i}" for i in range(12)], rows)
    columns["y"] = np.nan_to_num(columns["x0"]) * 3 + columns["x1"] * columns["x2"] + random.normal(size=rows)
    pq.write_table(pa.table(columns), file, row_group_size=50_000)


def by_hydroml(file: Path, folder: Path, algorithm: str, values: dict[str, Any]) -> dict[str, float]:
    import pyarrow.parquet as pq

    from hydroml.adapters.learning import ScikitLearner
    from hydroml.adapters.tracking import MlflowTracker
    from hydroml.application.ports.learning import TrainingTask
    from hydroml.domain.experiments.runs import ExperimentId, Run, RunId
    from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Specification
    from hydroml.domain.projects import ProjectId, UserId
    from hydroml.domain.sources import Column, ColumnType, Origin, OriginKind, SourceId, Version, VersionId

    learner = ScikitLearner(memory_limit=16 * 2**30, threads=THREADS)
    import hydroml.adapters.learning.training  # noqa: F401  a worker has it already

    schema = pq.read_schema(file)
    columns = tuple(Column(n, ColumnType.TEXT if n == "site" else ColumnType.NUMBER) for n in schema.names)
    choice = AlgorithmChoice(algorithm, values)
    specification = Specification(name="bench", version_id=VersionId(uuid4()), target="y", algorithm=choice)
    features = specification.resolved_features(columns)
    tracker = MlflowTracker(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"))
    tracker.prepare()
    now = datetime.now(UTC)
    started, cpu = time.perf_counter(), time.process_time()
    task = TrainingTask(file, columns, specification, features, Problem.REGRESSION)
    trained = learner.train(task, folder, Unwatched())
    learnt = time.perf_counter()
    run = Run(
        id=RunId(uuid4()),
        experiment_id=ExperimentId(uuid4()),
        project_id=ProjectId(uuid4()),
        specification=specification,
        created_by=UserId(uuid4()),
        created_at=now,
    )
    run.start(now)
    run.succeed(trained.outcome, {}, "model", "rows", now)
    version = Version(
        id=specification.version_id,
        source_id=SourceId(uuid4()),
        number=1,
        columns=columns,
        rows=trained.outcome.counts.rows,
        size=file.stat().st_size,
        fingerprint="0" * 64,
        origin=Origin(OriginKind.UPLOAD),
        created_by=UserId(uuid4()),
        created_at=now,
    )
    tracker.record(run, version, "bench", trained.artifacts, trained.model)
    ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "cpu": time.process_time() - cpu,
        "recording": ended - learnt,
        "rmse": trained.outcome.metrics["test"]["rmse"],
    }


class Unwatched:
    """A monitor of a training that nobody follows or stops."""

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None: ...

    def log(self, message: str, level: str = "info") -> None: ...

    def part(self, start: float, end: float) -> "Unwatched":  # noqa: ARG002
        return self

    def interrupting(self, stop: Any) -> Any:
        raise NotImplementedError


def by_script(file: Path, folder: Path, algorithm: str, values: dict[str, Any]) -> dict[str, float]:
    import mlflow
    import numpy as np
    import pandas as pd
    import sklearn.metrics as measures
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = mlflow.create_experiment("bench", str(folder / "artifacts"))
    mlflow.set_experiment(experiment_id=experiment)
    numbers = [f"x{i}" for i in range(10)]
    impute = SimpleImputer(strategy="median", add_indicator=True)
    match algorithm:
        case "ridge":
            estimator, prepare = Ridge(), make_pipeline(impute, StandardScaler())
        case "random_forest":
            estimator = RandomForestRegressor(
                **values, min_samples_leaf=2, max_features=0.5, n_jobs=THREADS, random_state=0
            )
            prepare = impute
        case _:
            estimator = HistGradientBoostingRegressor(**values, early_stopping=False, random_state=0)
            prepare = "passthrough"
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False)
    columns = ColumnTransformer([("numbers", prepare, numbers), ("texts", encoder, ["site"])], sparse_threshold=0)
    pipeline = Pipeline([("prepare", columns), ("learn", estimator)])

    started, cpu = time.perf_counter(), time.process_time()
    table = pd.read_parquet(file)
    train, test = train_test_split(table, test_size=0.2, random_state=0)
    features = [*numbers, "site"]
    with mlflow.start_run():
        mlflow.log_input(
            mlflow.data.from_pandas(table.head(1_000), source=file.as_uri(), name="bench", digest="0" * 8, targets="y")
        )
        mlflow.log_params({"algorithm": algorithm, **values})
        pipeline.fit(train[features], train["y"])
        scores = {}
        for name, part in (("train", train), ("test", test)):
            predicted = pipeline.predict(part[features])
            scores |= {
                f"{name}_rmse": measures.root_mean_squared_error(part["y"], predicted),
                f"{name}_mae": measures.mean_absolute_error(part["y"], predicted),
                f"{name}_r2": measures.r2_score(part["y"], predicted),
                f"{name}_pbias": float(100 * np.sum(predicted - part["y"]) / np.sum(part["y"])),
            }
        mlflow.log_metrics(scores)
        mlflow.sklearn.log_model(
            pipeline,
            name="model",
            signature=mlflow.models.infer_signature(
                train[features].head(100), pipeline.predict(train[features].head(100))
            ),
            input_example=None,
            pip_requirements=["scikit-learn", "skops"],
            skops_trusted_types=[
                "numpy.dtype",
                "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
                "sklearn.tree._tree.Tree",
            ],
        )
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "rmse": scores["test_rmse"]}


SIDES = {"script": by_script, "hydroml": by_hydroml}


def measured(side: str, algorithm: str, values: dict[str, Any], file: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="hydroml-bench-") as folder:
        asked = json.dumps([side, str(file), folder, algorithm, values])
        command = [sys.executable, "-m", "benchmarks.training", "--side", asked]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer: dict[str, float] = json.loads(printed.strip().splitlines()[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithm", choices=[*SHAPES, "all"], default="all")
    parser.add_argument("--rows", type=int, help="fewer rows make it quicker")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        side, file, folder, algorithm, values = json.loads(options.side)
        print(json.dumps(SIDES[side](Path(file), Path(folder), algorithm, values)))
        return
    print("training                     rows   script  hydroml   ratio   bound     CPU s of both   rmse of both")
    for algorithm in SHAPES if options.algorithm == "all" else [options.algorithm]:
        rows, values = SHAPES[algorithm]
        rows = options.rows or rows
        with tempfile.TemporaryDirectory(prefix="hydroml-bench-") as folder:
            file = Path(folder, "table.parquet")
            make_table(file, rows)
            results: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
            for _ in range(options.repeats):
                for side, found in results.items():
                    found.append(measured(side, algorithm, values, file))
        script, ours = (statistics.median(r["seconds"] for r in results[side]) for side in SIDES)
        cpu, errors = ([results[side][0][what] for side in SIDES] for what in ("cpu", "rmse"))
        print(
            f"{algorithm:22s} {rows:10,d} {script:8.1f} {ours:8.1f} {ours / script:7.2f} {BOUND:7.2f}"
            f"   {cpu[0]:6.1f} {cpu[1]:6.1f}   {errors[0]:.4f} {errors[1]:.4f}"
        )


if __name__ == "__main__":
    main()
