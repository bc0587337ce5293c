"""Metrics against scikit-learn and against published values."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn import metrics as reference

from hydroml.adapters.learning import intervals, metrics
from hydroml.domain.experiments.metrics import METRICS, Better, Family
from hydroml.domain.experiments.specification import Problem
from tests.shared_data import SHARED, needs_shared_data

PUBLISHED = SHARED / "metric_reference"
PUBLISHED_NAMES = {
    "bias": "me", "median_ae": "mdae", "pearson_r": "pearson_r", "nse": "nse", "kge_2012": "kge_2012", "d": "d",
    "ve": "ve",
}  # fmt: skip
numbers = st.floats(-1e6, 1e6)
random = np.random.default_rng(7)


def test_regression_metrics_agree_with_scikit_learn() -> None:
    observed, predicted = random.gamma(2, 3, 500), random.gamma(2, 3, 500)
    ours = metrics.regression(observed, predicted)
    assert ours.keys() == {n for n, m in METRICS.items() if "regression" in m.problems and m.family is Family.GENERAL}
    assert ours["median_ae"] == pytest.approx(reference.median_absolute_error(observed, predicted))
    assert ours["max_error"] == pytest.approx(reference.max_error(observed, predicted))
    assert ours["pearson_r"] == pytest.approx(pearsonr(observed, predicted).statistic)
    assert ours["rmse"] == pytest.approx(reference.root_mean_squared_error(observed, predicted))
    assert ours["mae"] == pytest.approx(reference.mean_absolute_error(observed, predicted))
    assert ours["r2"] == pytest.approx(reference.r2_score(observed, predicted))


def test_perfect_predictions_are_perfect() -> None:
    values = random.normal(5, 1, 50)
    best = {Better.HIGHER: 1, Better.LOWER: 0, Better.ZERO: 0, Better.ONE: 1}
    perfect = metrics.regression(values, values, hydrology_too=True)
    assert perfect == pytest.approx({name: best[METRICS[name].better] for name in perfect}, abs=1e-9)
    assert {n for n, m in METRICS.items() if "regression" in m.problems} - perfect.keys() <= {
        "peak_error",
        "peak_timing",
    }


def test_overestimation_is_a_positive_bias() -> None:
    assert metrics.regression(np.array([1.0, 3.0]), np.array([2.0, 4.0]))["pbias"] == pytest.approx(50)


@needs_shared_data
def test_metrics_agree_with_published_values() -> None:
    published = json.loads((PUBLISHED / "hydroerr_expected.json").read_text())
    expected = published["expected"]
    observed, predicted = np.array(published["obs"], float), np.array(published["sim"], float)
    ours = metrics.regression(observed, predicted, hydrology_too=True)
    tolerance = published["tolerance"]
    assert ours["rmse"] == pytest.approx(expected["rmse"], abs=tolerance)
    assert ours["mae"] == pytest.approx(expected["mae"], abs=tolerance)
    assert ours["r2"] == pytest.approx(expected["nse"], abs=tolerance)
    assert ours["kge"] == pytest.approx(expected["kge_2009"], abs=tolerance)
    for name, theirs in PUBLISHED_NAMES.items():
        assert ours[name] == pytest.approx(expected[theirs], abs=tolerance), name
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
    assert all(np.isfinite(value) for value in metrics.regression(observed, predicted, hydrology_too=True).values())


def test_constant_series_have_no_share_of_variance() -> None:
    same = np.full(7, 0.1)
    assert metrics.regression(same, random.normal(size=7)).keys() == {
        "rmse",
        "mae",
        "median_ae",
        "max_error",
        "bias",
        "pbias",
    }
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
    expected["mcc"] = reference.matthews_corrcoef(observed, predicted)
    expected["kappa"] = reference.cohen_kappa_score(observed, predicted)
    if classes == 2:
        expected["roc_auc"] = reference.roc_auc_score(observed, probabilities[:, 1])
        expected["pr_auc"] = reference.average_precision_score(observed, probabilities[:, 1])
        expected["brier"] = reference.brier_score_loss(observed, probabilities[:, 1])
        expected["precision"] = reference.precision_score(observed, predicted)
        expected["recall"] = reference.recall_score(observed, predicted)
        expected["specificity"] = reference.recall_score(observed, predicted, pos_label=0)
        expected["f1"] = reference.f1_score(observed, predicted)
    else:
        expected["f1_weighted"] = reference.f1_score(observed, predicted, average="weighted")
        expected["roc_auc_ovr"] = reference.roc_auc_score(observed, probabilities, multi_class="ovr")
        expected["brier"] = reference.brier_score_loss(observed, probabilities, scale_by_half=False)
    assert ours == pytest.approx(expected)
    assert ours.keys() == {name for name, m in METRICS.items() if problem.value in m.problems}


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


def flows(days: int = 2_000) -> np.ndarray:
    """A gauge's record: a yearly wave, with a flood every 125 days."""
    days_on = np.arange(days)
    flow = 5 + 3 * np.sin(2 * np.pi * days_on / 365)
    flow[50::125] += 40
    return flow


def test_peaks_are_found_where_they_are_late_and_low() -> None:
    observed = flows()
    late = np.roll(observed, 2) * 0.9
    ours = metrics.regression(observed, late, hydrology_too=True)
    assert ours["peak_timing"] == 2
    assert ours["peak_error"] == pytest.approx(-10, abs=0.5)
    assert ours["fdc_nse"] > ours["nse"]
    assert "peak_timing" not in metrics.regression(observed, late, hydrology_too=True, in_order=False)
    assert "peak_timing" not in metrics.regression(np.full(50, 3.0), np.full(50, 3.0), hydrology_too=True)


def test_signatures_say_which_part_of_the_flow_duration_curve_is_off() -> None:
    observed = flows()
    half = metrics.regression(observed, observed / 2, hydrology_too=True)
    assert half["fhv"] == pytest.approx(-50)
    assert half["flv"] == pytest.approx(0, abs=1e-9), "the same curve, lower down"
    assert half["fms"] == pytest.approx(0, abs=1e-9)
    steeper = metrics.regression(observed, observed**2, hydrology_too=True)
    assert steeper["fms"] == pytest.approx(100)
    assert steeper["flv"] == pytest.approx(-100)


def test_dry_rivers_and_negative_flows_leave_the_logarithms_out() -> None:
    observed = np.append(flows(300), 0.0)
    ours = metrics.regression(observed, observed - 1, hydrology_too=True)
    assert "log_nse" in ours, "a dry day counts as a hundredth of the mean"
    assert not {"flv"} & ours.keys()
    assert "log_nse" not in metrics.regression(observed - 10, observed, hydrology_too=True)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(100):
        draw = np.random.default_rng(seed).normal(3, 1, 200)
        bounds = intervals.bootstrap(lambda at, draw=draw: {"mean": draw[at].mean()}, 200, block=1, seed=seed)
        hits += bounds["mean"][0] <= 3 <= bounds["mean"][1]
    assert 88 <= hits <= 100


def test_errors_that_persist_make_blocks_long_and_intervals_wide() -> None:
    draw = np.random.default_rng(0)
    noise = draw.normal(size=3_000)
    persistent = np.convolve(noise, np.ones(30) / 30, "same")
    assert intervals.block_length(noise) <= 3
    block = intervals.block_length(persistent)
    assert 20 <= block <= 80

    def width(block: int) -> float:
        low, high = intervals.bootstrap(lambda at: {"mean": persistent[at].mean()}, 3_000, block=block, seed=1)["mean"]
        return high - low

    assert width(block) > 2 * width(1)


def test_the_same_seed_gives_the_same_intervals_and_few_rows_none() -> None:
    values = np.arange(50.0)
    measure = lambda at: {"mean": values[at].mean()}  # noqa: E731
    assert intervals.bootstrap(measure, 50, block=5, seed=4) == intervals.bootstrap(measure, 50, block=5, seed=4)
    assert intervals.bootstrap(measure, 10, block=1, seed=4) == {}
