"""`python -m benchmarks.runs [--runs N] [--metrics N]`: the list of a project's runs and their comparison, in the
service, beside MLflow's `search_runs` over the same runs in the same PostgreSQL.

A private installation is started in a temporary folder, and both are filled with the same parameters and metrics.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.listing import timed
from benchmarks.startup import serving

_BATCH = 200
_ALGORITHMS = ("ridge", "random_forest", "hist_gradient_boosting", "extra_trees")


def figures(count: int, metrics: int) -> list[tuple[str, dict[str, Any], dict[str, float]]]:
    """Name, parameters and metrics of each run; every seventh run lacks a metric."""
    draw = random.Random(0)
    return [
        (
            f"run {at * 7919 % count:05}",
            {"algorithm": draw.choice(_ALGORITHMS), "max_depth": draw.randint(2, 20), "learning_rate": draw.random()},
            {f"metric_{n:04}": draw.random() for n in range(metrics) if n or at % 7} | {"rmse": draw.random()},
        )
        for at in range(count)
    ]


def fill(drawn: list[tuple[str, dict[str, Any], dict[str, float]]]) -> tuple[Any, Any, list[Any]]:
    """The user, the project and the runs' ids."""
    from benchmarks.listing import fill as fill_sources
    from hydroml.application.ports.repositories import Listing
    from hydroml.domain.experiments.runs import Counts, Experiment, ExperimentId, Outcome, Run, RunId, RunStatus
    from hydroml.domain.experiments.specification import AlgorithmChoice, Specification
    from hydroml.entrypoints.bootstrap import container

    user, project = fill_sources(1)
    (source,) = container().sources().list(user, project, Listing()).items
    version = source.current.id
    specification = Specification(name="Flow", version_id=version, target="column 1")
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    experiment = Experiment(
        id=ExperimentId(uuid4()), project_id=project, specification=specification, created_by=user, created_at=begun
    )
    with container().uow() as uow:
        uow.experiments.add(experiment)
        uow.commit()
    made = []
    for start in range(0, len(drawn), _BATCH):
        with container().uow() as uow:
            for at, (name, parameters, metrics) in enumerate(drawn[start : start + _BATCH], start):
                outcome = Outcome(
                    problem="regression", split="random", parameters=parameters, metrics={"test": metrics},
                    baselines={"mean": {"rmse": 1.0}}, counts=Counts(1000, 1000, 0, 800, 200), features=(), seconds=1.0,
                )  # fmt: skip
                run = Run(
                    id=RunId(uuid4()), experiment_id=experiment.id, project_id=project, status=RunStatus.SUCCEEDED,
                    specification=replace(
                        specification, name=name, algorithm=AlgorithmChoice(parameters["algorithm"])
                    ),
                    outcome=outcome, mlflow_run_id="none", tags=("wet",) if at % 3 else (), created_by=user,
                    created_at=begun + timedelta(seconds=at),
                )  # fmt: skip
                uow.runs.add(run)
                made.append(run.id)
            uow.commit()
    return user, project, made


def fill_mlflow(uri: str, drawn: list[tuple[str, dict[str, Any], dict[str, float]]]) -> tuple[Any, str]:
    """MLflow's client and experiment; rows go straight into its tables, as its own server would write them."""
    from mlflow import MlflowClient
    from mlflow.store.tracking.dbmodels import models
    from sqlalchemy import create_engine, insert

    client = MlflowClient(uri)
    experiment = client.create_experiment("Benchmark")
    engine = create_engine(uri)
    for start in range(0, len(drawn), _BATCH):
        runs: list[dict[str, Any]] = []
        params: list[dict[str, Any]] = []
        metrics: list[dict[str, Any]] = []
        for at, (name, given, found) in enumerate(drawn[start : start + _BATCH], start):
            id_, moment = uuid4().hex, 1_767_225_600_000 + at * 1000
            runs.append(
                {
                    "run_uuid": id_, "name": name, "source_type": "LOCAL", "source_name": "", "entry_point_name": "",
                    "user_id": "benchmark", "status": "FINISHED", "start_time": moment, "end_time": moment + 1000,
                    "source_version": "", "lifecycle_stage": "active", "artifact_uri": "none",
                    "experiment_id": int(experiment),
                }
            )  # fmt: skip
            params += [{"key": key, "value": str(value), "run_uuid": id_} for key, value in given.items()]
            metrics += [
                {"key": key, "value": value, "timestamp": moment, "step": 0, "is_nan": False, "run_uuid": id_}
                for key, value in found.items()
            ]
        with engine.begin() as connection:
            connection.execute(insert(models.SqlRun.__table__), runs)
            connection.execute(insert(models.SqlParam.__table__), params)
            connection.execute(insert(models.SqlMetric.__table__), metrics)
            connection.execute(insert(models.SqlLatestMetric.__table__), metrics)
    return client, experiment


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=100)
    parser.add_argument("--without-mlflow", action="store_true")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as root:
        Path(root).chmod(0o711)
        measure(Path(root) / "data", figures(asked.runs, asked.metrics), mlflow=not asked.without_mlflow)


def measure(folder: Path, drawn: list[tuple[str, dict[str, Any], dict[str, float]]], *, mlflow: bool) -> None:
    with serving(folder):
        os.environ["HYDROML_DATA_DIR"] = str(folder)
        from hydroml.entrypoints.bootstrap import container

        begun = time.perf_counter()
        user, project, made = fill(drawn)
        print(f"{len(drawn):,} runs of {len(drawn[0][2]):,} metrics, written in {time.perf_counter() - begun:.0f} s")
        measure_hydroml(user, project, made)
        if mlflow:
            client, experiment = fill_mlflow(container().settings().mlflow_tracking_uri, drawn)
            measure_mlflow(client, experiment)


def measure_hydroml(user: Any, project: Any, made: list[Any]) -> None:
    from hydroml.application.ports.run_table import RunQuery
    from hydroml.entrypoints.bootstrap import container

    table, comparisons = container().run_table(), container().run_comparisons()

    def page(**asked: Any) -> Any:
        return table.page(user, RunQuery(project_id=project, **asked))

    columns = ("metrics.test.rmse", "metrics.test.metric_0000", "metrics.test.metric_0001", "parameters.max_depth")
    print(f"{'HydroML, a page of 50':<44}{'first ms':>10}{'median ms':>10}")
    timed("newest first, four columns", lambda: page(columns=columns))
    timed("by a metric, four columns", lambda: page(sort="metrics.test.rmse", columns=columns))
    timed("by a metric that some lack, descending", lambda: page(sort="-metrics.test.metric_0000", columns=columns))
    timed("by a parameter", lambda: page(sort="-parameters.max_depth", columns=columns))
    timed("words, by a metric", lambda: page(words="forest 0042", sort="metrics.test.rmse", columns=columns))
    timed("the last page, by a metric", lambda: page(sort="metrics.test.rmse", offset=len(made) - 50))
    grouped = RunQuery(project_id=project, group_by="algorithm", sort="metrics.test.rmse")
    timed("groups by algorithm, with a metric", lambda: table.groups(user, grouped))
    timed("names of all columns", lambda: table.columns(user, project))
    timed("compare 100 runs", lambda: comparisons.compare(user, made[:100]))


def measure_mlflow(client: Any, experiment: str) -> None:
    print(f"{'MLflow, search_runs, 50 at most':<44}{'first ms':>10}{'median ms':>10}")

    def search(**asked: Any) -> Any:
        return client.search_runs([experiment], max_results=50, **asked)

    timed("newest first", lambda: search(order_by=["attributes.start_time DESC"]))
    timed("by a metric", lambda: search(order_by=["metrics.rmse ASC"]))
    timed("by a metric that some lack, descending", lambda: search(order_by=["metrics.metric_0000 DESC"]))
    timed(
        "a word, by a metric",
        lambda: search(filter_string="attributes.run_name LIKE '%0042%'", order_by=["metrics.rmse"]),
    )


if __name__ == "__main__":
    main()
