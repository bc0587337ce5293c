"""What a model does with its features, and how sure it is."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydroml.application.ports.learning import Trained
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem
from tests.tasks import task_of, train

ROWS = 400
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(ROWS, 3))
KIND = RANDOM.choice(["dry", "wet"], ROWS)
TABLE = {
    "a": X[:, 0],
    "b": X[:, 1],
    "noise": X[:, 2],
    "kind": KIND,
    "y": 3 * X[:, 0] - X[:, 1] + np.where(KIND == "wet", 2.0, 0.0),
    "flood": np.where(X[:, 0] + RANDOM.normal(size=ROWS) > 0.5, "yes", "no"),
    "level": np.where(X[:, 0] > 0.7, "high", np.where(X[:, 0] > -0.7, "mean", "low")),
}
FEATURES = ("a", "b", "noise", "kind")


def documents(trained: Trained) -> dict[str, Any]:
    return {name: json.loads(document) for name, document in trained.artifacts.items()}


def learnt(folder: Path, target: str = "y", algorithm: str = "linear_regression", **options: Any) -> dict[str, Any]:
    features = ("a", "b", "noise", "kind")
    table = options.pop("table", TABLE)
    task = task_of(
        table, folder, target, features=features, algorithm=AlgorithmChoice(algorithm), thorough=True, **options
    )
    return documents(train(task, folder))


def test_shapley_values_of_a_sum_are_its_terms(tmp_path: Path) -> None:
    found = learnt(tmp_path)["shapley"]
    values, features = np.array(found["values"]), found["features"]
    assert len(values) == len(found["rows"]) == 80
    assert np.array(found["base"]) + values.sum(axis=1) == pytest.approx(found["predicted"])
    a = values[:, features.index("a")]
    assert np.corrcoef(a, np.array(found["shown"][features.index("a")]))[0, 1] > 0.95
    assert np.abs(values[:, features.index("noise")]).max() < 1e-9
    assert [TABLE["a"][row] for row in found["rows"]] == found["shown"][features.index("a")]


def test_dependence_follows_the_model(tmp_path: Path) -> None:
    items = {item["feature"]: item for item in learnt(tmp_path)["dependence"]["items"]}
    [line] = items["a"]["lines"]
    slopes = np.diff(line["mean"]) / np.diff(items["a"]["values"])
    assert slopes == pytest.approx(3.0, abs=1e-6)
    assert all(low < mean < high for low, mean, high in zip(line["low"], line["mean"], line["high"], strict=True))
    wet_or_dry = dict(zip(items["kind"]["values"], items["kind"]["lines"][0]["mean"], strict=True))
    assert wet_or_dry["wet"] - wet_or_dry["dry"] == pytest.approx(2.0, abs=1e-6)


def test_two_classes_are_counted_at_every_threshold(tmp_path: Path) -> None:
    found = learnt(tmp_path, "flood", "logistic_regression", problem=Problem.BINARY)
    counts = found["thresholds"]
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    sums = {sum(counts[name][at] for name in names) for at in range(len(counts["thresholds"]))}
    assert sums == {80}
    assert (counts["false_negative"][0], counts["true_negative"][0]) == (0, 0)
    half = counts["thresholds"].index(0.5)
    [[true_negative, false_positive], [false_negative, true_positive]] = found["confusion"]["counts"]
    assert [counts[name][half] for name in names] == [true_positive, false_positive, false_negative, true_negative]
    calibration = found["calibration"]
    assert sum(calibration["rows"]) == 80
    assert calibration["predicted"] == sorted(calibration["predicted"])
    assert np.corrcoef(calibration["predicted"], calibration["observed"])[0, 1] > 0.7
    assert {item["lines"][0]["label"] for item in found["dependence"]["items"]} == {"yes"}
    assert set(found["shapley"]["label"]) == {"yes"}


def test_several_classes_are_explained_by_the_predicted_one(tmp_path: Path) -> None:
    found = learnt(tmp_path, "level", "random_forest", problem=Problem.MULTICLASS)
    assert [line["label"] for line in found["dependence"]["items"][0]["lines"]] == ["high", "low", "mean"]
    shapley = found["shapley"]
    assert set(shapley["label"]) <= {"high", "low", "mean"}
    sums = np.array(shapley["base"]) + np.array(shapley["values"]).sum(axis=1)
    assert sums == pytest.approx(shapley["predicted"])
    assert "thresholds" not in found
    assert len(found["calibration"]["rows"]) == 10


def test_a_series_has_a_duration_curve(tmp_path: Path) -> None:
    days = [date(2020, 1, 1) + timedelta(days=i) for i in range(ROWS)]
    found = learnt(tmp_path, table=TABLE | {"day": days}, time_column="day")["flow_duration"]
    assert found["exceedance"] == sorted(found["exceedance"])
    for series in ("observed", "predicted"):
        assert found[series] == sorted(found[series], reverse=True)
    assert found["observed"][0] == max(TABLE["y"][-80:])


def test_the_same_task_is_explained_the_same_by_any_number_of_threads(tmp_path: Path) -> None:
    features = ("a", "b", "noise", "kind")
    task = task_of(
        TABLE, tmp_path, "y", features=features, algorithm=AlgorithmChoice("hist_gradient_boosting"), thorough=True
    )
    one, two = (documents(train(task, tmp_path, threads=threads)) for threads in (1, 2))
    assert one["shapley"] == two["shapley"]
    assert one["dependence"] == two["dependence"]
