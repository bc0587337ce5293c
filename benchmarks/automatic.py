"""Automatic beside a default LightGBM, and FLAML where an environment with it is named, on the same rows.

    python -m benchmarks.automatic [--seconds 60] [--threads 1] [--flaml PYTHON] [TABLE …]

The tables are the shared ones, which lie beside the project. FLAML wants an older XGBoost than ours, so it is run by
the Python of an environment of its own (`pip install "flaml[automl]" catboost pyarrow`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Table:
    file: str
    target: str
    problem: str
    metric: str
    time: str | None = None
    left_out: tuple[str, ...] = ()


TABLES = {
    "wine_quality_white": Table("pmlb/wine_quality_white.csv", "target", "multiclass", "log_loss"),
    "diamonds": Table("diamonds/diamonds.parquet", "price", "regression", "rmse"),
    "pol": Table("pmlb/201_pol.csv.gz", "target", "regression", "rmse"),
    "credit_g": Table("pmlb/credit_g.csv", "target", "binary", "roc_auc"),
    "adult": Table("pmlb/adult.csv.gz", "target", "binary", "roc_auc"),
    "house_16H": Table("pmlb/574_house_16H.csv.gz", "target", "regression", "rmse"),
    "houses": Table("pmlb/537_houses.csv", "target", "regression", "rmse"),
    "phoneme": Table("pmlb/phoneme.csv", "target", "binary", "roc_auc"),
    "kr_vs_kp": Table("pmlb/kr_vs_kp.csv", "target", "binary", "roc_auc"),
    "california_housing": Table("california_housing/housing.csv", "median_house_value", "regression", "rmse"),
    "car": Table("pmlb/car.csv", "target", "multiclass", "log_loss"),
    "bruche": Table("camels_fr/A273011002.csv", "q_mm", "regression", "rmse", "date", ("q_ls",)),
    "odet": Table("camels_fr/J421191001.csv", "q_mm", "regression", "rmse", "date", ("q_ls",)),
}

FLAML = """
import json, sys, time
import numpy as np, pandas as pd
from flaml import AutoML
asked = json.loads(sys.argv[1])
train, test = (pd.read_parquet(asked[part]) for part in ("train", "test"))
target = asked["target"]
known = {"rmse": "rmse", "roc_auc": "roc_auc", "log_loss": "log_loss"}
model = AutoML()
started = time.perf_counter()
model.fit(
    train.drop(columns=target), train[target], task="regression" if asked["metric"] == "rmse" else "classification",
    time_budget=asked["seconds"], metric=known[asked["metric"]], n_jobs=asked["threads"], seed=0, verbose=0,
    split_type="time" if asked["time"] else "auto",
)
seconds = time.perf_counter() - started
observed, features = test[target].to_numpy(), test.drop(columns=target)
if asked["metric"] == "rmse":
    score = float(np.sqrt(np.mean((model.predict(features) - observed) ** 2)))
else:
    said = model.predict_proba(features)
    from sklearn.metrics import log_loss, roc_auc_score
    score = float(roc_auc_score(observed, said[:, 1]) if asked["metric"] == "roc_auc"
                  else log_loss(observed, said, labels=model.classes_))
print(json.dumps({"score": score, "seconds": seconds}))
"""


def read(table: Table) -> Any:
    import pandas as pd
    import pyarrow as pa

    file = SHARED / table.file
    frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    frame = frame.drop(columns=list(table.left_out))
    if table.time:
        frame[table.time] = pd.to_datetime(frame[table.time])
        frame["month"] = frame[table.time].dt.month
        for name in [
            c for c in frame.columns if c not in (table.target, table.time, "month") and frame[c].dtype != "O"
        ]:
            for days in (1, 3, 7, 30, 90):
                frame[f"{name}, {days} days"] = frame[name].rolling(days, min_periods=1).mean()
        frame = frame[frame[table.target].notna()].reset_index(drop=True)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(str)
    return pa.Table.from_pandas(frame, preserve_index=False)


def by_hydroml(file: Path, table: Table, algorithm: str, seconds: float, threads: int) -> dict[str, Any]:
    """In this process, on one fold that tests a fifth of the rows."""
    import pyarrow.parquet as pq

    from hydroml.adapters.learning import ScikitLearner
    from hydroml.application.ports.learning import TrainingTask
    from hydroml.domain.experiments.specification import AlgorithmChoice, Budget, Problem, Specification
    from hydroml.domain.sources import VersionId
    from tests.tasks import RecordingMonitor, columns_of

    columns = columns_of(pq.read_schema(file))
    automatic = algorithm == "automatic"
    specification = Specification(
        name="bench",
        version_id=VersionId(uuid4()),
        target=table.target,
        time_column=table.time,
        algorithm=AlgorithmChoice(algorithm),
        budget=Budget(seconds if automatic else None),
    )
    task = TrainingTask(file, columns, specification, specification.resolved_features(columns), Problem(table.problem))
    monitor = RecordingMonitor()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        trained = ScikitLearner(16 * 2**30, threads).train(task, Path(folder), monitor)
        whole = time.perf_counter() - started
    found = {
        "score": trained.outcome.metrics["test"][table.metric],
        "whole": whole,
        "bytes": trained.outcome.model_bytes,
    }
    if automatic:
        board = json.loads(trained.artifacts["leaderboard"])
        return found | {"seconds": board["seconds"], "board": board}
    return found | {"seconds": whole}


def by_flaml(python: str, file: Path, table: Table, seconds: float, threads: int, folder: Path) -> dict[str, Any]:
    """In its own environment, on the rows that HydroML's split gives."""
    import numpy as np
    import pandas as pd

    from hydroml.adapters.learning import splits
    from hydroml.adapters.learning.frames import Times
    from hydroml.domain.experiments.specification import Problem, Split
    from hydroml.domain.sources import ColumnType

    frame = pd.read_parquet(file)
    problem = Problem(table.problem)
    kind = Split().resolve(table.time, problem)
    codes = np.unique(frame[table.target], return_inverse=True)[1] if problem.is_classification else None
    times = None if table.time is None else Times(frame[table.time].to_numpy("datetime64[us]"), ColumnType.TIMESTAMP)
    [parts] = splits.draw(kind, Split(), splits.Rows(np.arange(len(frame)), codes, times), seed=0)
    frame = frame.drop(columns=[table.time] if table.time else [])
    asked: dict[str, Any] = {
        "target": table.target, "metric": table.metric, "time": table.time, "seconds": seconds, "threads": threads
    }  # fmt: skip
    for name, rows in (("train", parts.train), ("test", parts.test)):
        asked[name] = str(folder / f"{name}.parquet")
        frame.iloc[rows].to_parquet(asked[name])
    done = subprocess.run([python, "-c", FLAML, json.dumps(asked)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all of them")
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--flaml", metavar="PYTHON")
    asked.add_argument("--board", action="store_true", help="print what became of each candidate")
    options = asked.parse_args()
    import pyarrow.parquet as pq

    head = f"{'table':20}{'metric':10}{'automatic':>11}{'LightGBM':>11}{'FLAML':>11}"
    print(f"{head}   seconds: search, whole, FLAML; model")
    for name in options.tables or TABLES:
        table = TABLES[name]
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            file = folder / "table.parquet"
            pq.write_table(read(table), file)
            ours = by_hydroml(file, table, "automatic", options.seconds, options.threads)
            plain = by_hydroml(file, table, "lightgbm", options.seconds, options.threads)
            peer = (
                by_flaml(options.flaml, file, table, options.seconds, options.threads, folder) if options.flaml else {}
            )
        nothing = float("nan")
        scores = "".join(f"{one.get('score', nothing):11.5g}" for one in (ours, plain, peer))
        spent = f"{ours['seconds']:.1f}, {ours['whole']:.1f}, {peer.get('seconds', nothing):.1f}"
        print(f"{name:20}{table.metric:10}{scores}   {spent}; {ours['bytes'] / 1e6:.1f} MB", flush=True)
        if options.board:
            board = ours["board"]
            print(f"    {board['metric']} {board['score']:.5g} on {board['folds']} folds, weights {board['weights']}")
            for one in board["items"]:
                score = "" if one["score"] is None else f"{one['score']:.5g}"
                words = f"{one['title']:28} {one['state']:9}{score:>9} weight {one['weight']:.2f}"
                print(f"    {words} {one['rounds']} at {one['started']} for {one['seconds']} s {one['reason']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
