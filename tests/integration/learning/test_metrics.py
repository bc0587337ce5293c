"""Metrics against scikit-learn and against published values."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from hydroml.adapters.learning import metrics
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.specification import Problem
from tests.shared_data import SHARED, needs_shared_data

PUBLISHED = SHARED / "metric_reference"
numbers = st.floats(-1e6, 1e6)
random = np.random.default_rng(7)


def test_regression_metrics_agree_with_scikit_learn() -> None:
    observed, predicted = random.gamma(2, 3, 500), random.gamma(2, 3, 500)
    ours = metrics.regression(observed, predicted)
    assert ours.keys() == {name for name, m in METRICS.items() if "regression" in m.problems}
    assert ours["rmse"] == pytest.approx(reference.root_mean_squared_error(observed, predicted))
    assert ours["mae"] == pytest.approx(reference.mean_absolute_error(observed, predicted))
    assert ours["r2"] == pytest.approx(reference.r2_score(observed, predicted))


def test_perfect_predictions_are_perfect() -> None:
    values = random.normal(5, 1, 50)
    assert metrics.regression(values, values) == pytest.approx({"rmse": 0, "mae": 0, "r2": 1, "kge": 1, "pbias": 0})


def test_overestimation_is_a_positive_bias() -> None:
    assert metrics.regression(np.array([1.0, 3.0]), np.array([2.0, 4.0]))["pbias"] == pytest.approx(50)


@needs_shared_data
def test_metrics_agree_with_published_values() -> None:
    published = json.loads((PUBLISHED / "hydroerr_expected.json").read_text())
    expected = published["expected"]
    ours = metrics.regression(np.array(published["obs"], float), np.array(published["sim"], float))
    tolerance = published["tolerance"]
    assert ours["rmse"] == pytest.approx(expected["rmse"], abs=tolerance)
    assert ours["mae"] == pytest.approx(expected["mae"], abs=tolerance)
    assert ours["r2"] == pytest.approx(expected["nse"], abs=tolerance)
    assert ours["kge"] == pytest.approx(expected["kge_2009"], abs=tolerance)
    with (PUBLISHED / "hydroerr_pairs.csv").open() as file:
        pairs = [(float(row["obs"]), float(row["sim"])) for row in csv.DictReader(file)]
    observed, predicted = np.array(pairs).T
    assert metrics.regression(observed, predicted)["r2"] == pytest.approx(expected["nse"], abs=tolerance)


def test_pairs_with_a_missing_side_do_not_count() -> None:
    observed = np.array([1.0, np.nan, 3.0, 4.0, 6.0])
    predicted = np.array([1.5, 2.0, np.inf, 4.5, 5.0])
    assert metrics.regression(observed, predicted) == metrics.regression(observed[[0, 3, 4]], predicted[[0, 3, 4]])


@given(st.lists(st.tuples(numbers | st.just(float("nan")), numbers | st.just(float("nan"))), max_size=20))
def test_what_is_not_defined_is_left_out(pairs: list[tuple[float, float]]) -> None:
    observed, predicted = np.array(pairs, float).reshape(-1, 2).T
    assert all(np.isfinite(value) for value in metrics.regression(observed, predicted).values())


def test_constant_series_have_no_share_of_variance() -> None:
    same = np.full(7, 0.1)
    assert metrics.regression(same, random.normal(size=7)).keys() == {"rmse", "mae", "pbias"}
    assert "kge" not in metrics.regression(random.normal(size=7), same)


@pytest.mark.parametrize("classes", [2, 4])
def test_class_metrics_agree_with_scikit_learn(classes: int) -> None:
    observed = random.integers(0, classes, 400)
    probabilities = random.dirichlet(np.ones(classes), 400).round(1)  # rounded, so that there are ties and zeros
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    problem = Problem.BINARY if classes == 2 else Problem.MULTICLASS
    ours = metrics.classification(problem, observed, predicted, probabilities)
    expected = {
        "accuracy": reference.accuracy_score(observed, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(observed, predicted),
        "f1_macro": reference.f1_score(observed, predicted, average="macro"),
        "log_loss": reference.log_loss(observed, probabilities),
    }
    if classes == 2:
        expected["roc_auc"] = reference.roc_auc_score(observed, probabilities[:, 1])
    assert ours == pytest.approx(expected)


def test_roc_curve_agrees_with_scikit_learn() -> None:
    positive, score = random.random(300) < 0.3, random.random(300).round(1)
    false, true = metrics.roc_curve(positive, score)
    expected = reference.roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(false, expected[0])
    assert np.allclose(true, expected[1])


def test_one_class_alone_has_no_roc() -> None:
    ones = np.ones(5, dtype=int)
    ours = metrics.classification(Problem.BINARY, ones, ones, np.tile([0.2, 0.8], (5, 1)))
    assert "roc_auc" not in ours
    assert ours["accuracy"] == 1
