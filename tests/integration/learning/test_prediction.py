"""Predictions: of rows and of tables, their warnings and refusals, and model files that cannot be trusted."""

import json
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from hydroml.adapters.learning import ScikitLearner, modelfile
from hydroml.adapters.learning.modelfile import UntrustedModelError
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.preparation import DatePart, Dates, Past, Preparation, Statistic, Window
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Split, SplitKind
from tests.tasks import GIGABYTE, RecordingMonitor, table_of, task_of, train

LEARNER = ScikitLearner(GIGABYTE, threads=2)
TABLE = {
    "x": np.arange(60.0),
    "n": np.arange(60) % 7,
    "site": np.array(["a", "b", "c"])[np.arange(60) % 3],
    "wet": np.arange(60) % 2 == 0,
    "price": pa.array([Decimal(i) / 10 for i in range(60)]),
    "lag": pa.array([timedelta(seconds=i) for i in range(60)]),
    "y": np.arange(60.0) * 2 + np.arange(60) % 3,
}
ROW = {"x": 5.0, "n": 2, "site": "b", "wet": True, "price": "1.5", "lag": 9}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    choice = AlgorithmChoice("random_forest", {"n_estimators": 10})
    return train(task_of(TABLE, folder, algorithm=choice), folder)


def predicted(model: Any, folder: Path, table: pa.Table, target: str = "y") -> pa.Table:
    source, out = folder / "in.parquet", folder / "out.parquet"
    pq.write_table(table, source, row_group_size=7)
    LEARNER.predict_table(model.model, model.outcome, target, source, out, RecordingMonitor())
    return pq.read_table(out)


def test_a_table_and_its_rows_get_the_same_predictions(model: Any, tmp_path: Path) -> None:
    table = table_of(TABLE)
    out = predicted(model, tmp_path, table)
    rows = [row | {"lag": row["lag"].total_seconds(), "price": str(row["price"])} for row in table.to_pylist()]
    assert LEARNER.predict_rows(model.model, model.outcome, rows).predictions == tuple(out["y_predicted"].to_pylist())
    assert out.select(table.column_names).equals(table)


def test_model_answers_as_it_did_when_it_was_judged(model: Any, tmp_path: Path) -> None:
    judged = json.loads(model.artifacts["predictions"])
    out = predicted(model, tmp_path, table_of(TABLE))["y_predicted"].to_numpy()
    assert out[judged["row_numbers"]].tolist() == judged["predicted"]


def test_oddities_are_marked(model: Any) -> None:
    odd = ROW | {"x": 1e6, "site": "nowhere", "wet": None}
    predictions = LEARNER.predict_rows(model.model, model.outcome, [ROW, odd])
    assert {(w.row, w.column, w.code) for w in predictions.warnings} == {
        (1, "x", "out_of_range"), (1, "site", "unseen_category"), (1, "wet", "missing"),
    }  # fmt: skip
    assert all(np.isfinite(p) for p in predictions.predictions if isinstance(p, float))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x": "5"}, "wrong_type"), ({"x": True}, "wrong_type"), ({"x": float("inf")}, "wrong_type"),
        ({"x": 10**400}, "wrong_type"), ({"x": [1]}, "wrong_type"), ({"site": 5}, "wrong_type"),
        ({"wet": 1}, "wrong_type"), ({"price": "much"}, "wrong_type"), ({"price": "nan"}, "wrong_type"),
    ],
)  # fmt: skip
def test_values_of_another_type_are_refused(model: Any, change: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        LEARNER.predict_rows(model.model, model.outcome, [ROW, ROW | change])
    [fault] = caught.value.faults
    assert (fault.loc, fault.code) == (("rows", 1, next(iter(change))), code)


def test_a_refusal_says_what_was_given(model: Any) -> None:
    for value, words in (("warm", "not “warm”"), (float("nan"), "not NaN [(]null is"), ("w" * 99, "not “w{39} …")):
        with pytest.raises(InvalidInputError, match=words):
            LEARNER.predict_rows(model.model, model.outcome, [ROW | {"x": value}])


def test_faults_are_named_up_to_a_bound(model: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        LEARNER.predict_rows(model.model, model.outcome, [{}] * 1_000)
    assert len(caught.value.faults) == 20


def test_no_rows_get_no_predictions(model: Any) -> None:
    assert LEARNER.predict_rows(model.model, model.outcome, []).predictions == ()


def test_table_of_other_types_is_refused(model: Any, tmp_path: Path) -> None:
    wrong = table_of(TABLE | {"site": np.arange(60), "x": ["a"] * 60})
    with pytest.raises(InvalidInputError) as caught:
        predicted(model, tmp_path, wrong)
    assert {fault.loc[-1] for fault in caught.value.faults} == {"site", "x"}


def test_table_without_rows_is_predicted(model: Any, tmp_path: Path) -> None:
    out = predicted(model, tmp_path, table_of(TABLE).slice(0, 0))
    assert out.num_rows == 0
    assert out.column_names[-2:] == ["y_predicted", "y_remarks"]


def test_nothing_of_the_table_is_overwritten(model: Any, tmp_path: Path) -> None:
    out = predicted(model, tmp_path, table_of(TABLE | {"Y_Predicted": np.zeros(60)}))
    assert {"Y_Predicted", "y_predicted_2"} <= set(out.column_names)


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["low", "high"], str), ([False, True], bool), ([3, 7], int), ([-1.0, 1.0], float)],
    ids=["text", "boolean", "integer", "number"],
)
def test_classes_keep_their_type(tmp_path: Path, values: list[Any], kind: type) -> None:
    table = {"x": np.arange(80) % 2 * 1.0, "y": [values[i % 2] for i in range(80)]}
    trained = train(task_of(table, tmp_path, problem=Problem.BINARY), tmp_path)
    predictions = LEARNER.predict_rows(trained.model, trained.outcome, [{"x": 0.0}, {"x": 1.0}])
    assert predictions.predictions == tuple(values)
    assert {type(p) for p in predictions.predictions} == {kind}
    assert all(set(p) == set(trained.outcome.classes) for p in predictions.probabilities or ())
    out = predicted(trained, tmp_path, table_of(table))
    assert out["y_predicted"].to_pylist() == table["y"]
    assert min(out["y_probability"].to_pylist()) > 0.5


def test_forged_model_is_refused(tmp_path: Path) -> None:
    forged = tmp_path / "forged.skops"
    skops.io.dump(FunctionTransformer(Path.unlink), forged)
    with pytest.raises(UntrustedModelError, match="not trusted"):
        modelfile.load(forged)


def test_file_that_names_its_types_anew_is_refused(model: Any, tmp_path: Path) -> None:
    """A schema altered by hand cannot bring in another class."""
    forged = tmp_path / "forged.skops"
    with zipfile.ZipFile(model.model) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                schema["__class__"], schema["__module__"] = "Popen", "subprocess"
                content = json.dumps(schema).encode()
            new.writestr(name, content)
    with pytest.raises(UntrustedModelError):
        modelfile.load(forged)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"PK\x03\x04 nonsense"])
def test_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.skops"
    file.write_bytes(content)
    with pytest.raises(UntrustedModelError):
        modelfile.load(file)


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Sees two earlier moments of the target at its own site, and the month."""
    folder = tmp_path_factory.mktemp("forecaster")
    preparation = Preparation(
        dates=Dates((DatePart.MONTH,)), past=(Past(columns=("y",), lags=(1,), windows=(Window(Statistic.MEAN, 2, 2),)),)
    )
    options = {"time_column": "day", "group_column": "site", "features": ("day",), "preparation": preparation}
    return train(task_of(SERIES, folder, **options), folder)


SERIES = {
    "day": [date(2024, 1, 1) + timedelta(days=i // 2) for i in range(200)],
    "site": ["a", "b"] * 100,
    "y": [float((i // 2 % 10) + (i % 2) * 50) for i in range(200)],
}


def test_a_table_gives_its_own_past_in_whatever_order(forecaster: Any, tmp_path: Path) -> None:
    table = table_of(SERIES)
    plain = predicted(forecaster, tmp_path, table)["y_predicted"].to_numpy()
    order = np.random.default_rng(0).permutation(200)
    shuffled = predicted(forecaster, tmp_path, table.take(order))["y_predicted"].to_numpy()
    assert shuffled.tolist() == plain[order].tolist()
    judged = json.loads(forecaster.artifacts["predictions"])
    assert plain[judged["row_numbers"]].tolist() == judged["predicted"]


def test_rows_find_their_past_among_each_other(forecaster: Any, tmp_path: Path) -> None:
    table = predicted(forecaster, tmp_path, table_of(SERIES))
    rows = [row | {"day": row["day"].isoformat()} for row in table_of(SERIES).slice(100, 10).to_pylist()]
    rows[-1] = rows[-1] | {"y": None}
    answer = LEARNER.predict_rows(forecaster.model, forecaster.outcome, rows)
    assert answer.predictions[-1] == table["y_predicted"].to_pylist()[109]
    assert {w.row for w in answer.warnings if w.code == "no_history"} == set(range(6))
    with pytest.raises(InvalidInputError, match="“day” is a date"):
        LEARNER.predict_rows(forecaster.model, forecaster.outcome, [rows[0] | {"day": "soon"}])


def test_a_table_without_the_past_it_needs_is_refused(forecaster: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no column “y”"):
        predicted(forecaster, tmp_path, table_of({name: SERIES[name] for name in ("day", "site")}))


def test_what_the_model_has_not_seen_is_marked_in_each_row(forecaster: Any, model: Any, tmp_path: Path) -> None:
    odd = {name: list(table_of(TABLE)[name].to_pylist()) for name in TABLE}
    odd["x"][1], odd["site"][1], odd["site"][2], odd["wet"][3] = 1e6, "nowhere", "here", None
    remarks = predicted(model, tmp_path, pa.table(odd))["y_remarks"].to_pylist()
    assert remarks[0] is None
    assert "“x” outside 0 to" in remarks[1]
    assert "“site” was never “nowhere”" in remarks[1]
    assert remarks[2] == "“site” was never “here”"
    assert remarks[3] is None, "a missing value is no news"
    past = predicted(forecaster, tmp_path, table_of(SERIES))["y_remarks"].to_pylist()
    assert [i for i, said in enumerate(past) if said and "y, 1 before" in said] == [0, 1]


def test_intervals_say_how_far_they_hold(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    size = 2_000
    table = {"t": np.arange(size), "x": random.normal(size=size), "y": np.zeros(size)}
    table["y"] = table["x"] + random.normal(0, 1, size)
    by_chance = train(task_of(table, tmp_path, features=("x",), split=Split(SplitKind.RANDOM)), tmp_path)
    interval = by_chance.outcome.interval
    assert interval is not None
    assert interval.guaranteed
    assert interval.half_width == pytest.approx(1.645, abs=0.2)
    fresh = {"x": random.normal(size=size)} | {"t": table["t"]}
    fresh["y"] = fresh["x"] + random.normal(0, 1, size)
    out = predicted(by_chance, tmp_path, table_of(fresh))
    held = (out["y_lower"].to_numpy() <= fresh["y"]) & (fresh["y"] <= out["y_upper"].to_numpy())
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)
    answer = LEARNER.predict_rows(by_chance.model, by_chance.outcome, [{"x": 0.0}])
    assert answer.intervals is not None
    assert answer.intervals[0][1] - answer.intervals[0][0] == pytest.approx(2 * interval.half_width)
    table["y"] = table["y"] * (1 + table["t"] / 500)  # later errors are larger than earlier ones
    in_time = train(task_of(table, tmp_path, features=("x",), time_column="t"), tmp_path).outcome.interval
    assert in_time is not None
    assert not in_time.guaranteed
    assert in_time.measured is not None
    assert f"held {100 * in_time.measured:.0f} % of the later half" in in_time.words


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_downloaded_model_predicts_without_hydroml(forecaster: Any, model: Any, tmp_path: Path, kind: str) -> None:
    """In a process of its own, in which HydroML cannot be imported."""
    for number, (made, table) in enumerate(((forecaster, table_of(SERIES)), (model, table_of(TABLE)))):
        archive, folder = tmp_path / f"{number}.zip", tmp_path / str(number)
        LEARNER.bundle(made.model, made.outcome, "y", "a model | of “mine”", archive)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        expected = predicted(made, tmp_path, table)["y_predicted"].to_numpy()
        source, out = folder / f"rows.{kind}", folder / f"out.{kind}"
        frame = table.to_pandas()
        frame.to_csv(source, index=False) if kind == "csv" else frame.to_parquet(source)
        alone = "import sys, runpy; sys.modules['hydroml'] = None; sys.path.insert(0, ''); del sys.argv[0]; "
        alone += "runpy.run_path('predict.py', run_name='__main__')"
        command = [sys.executable, "-c", alone, "predict.py", str(source), str(out)]
        subprocess.run(command, check=True, cwd=folder, timeout=120)
        found = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        assert found["y_predicted"].to_numpy() == pytest.approx(expected, rel=1e-12)
    frame.drop(columns="x").to_csv(folder / "less.csv")
    lacking = subprocess.run(
        [sys.executable, folder / "predict.py", folder / "less.csv", out], check=False, capture_output=True, text=True
    )
    assert "no column “x”" in lacking.stderr
