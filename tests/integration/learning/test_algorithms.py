"""Every algorithm: that it learns, that each setting takes effect, that numbers repeat, and that it can be stopped."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from hydroml.adapters.learning import modelfile
from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem
from hydroml.domain.jobs import JobCancelledError
from tests.integration.learning.weather import FEATURES, ROWS, SMALL, trained, weather
from tests.tasks import RecordingMonitor, task_of, train


def assert_no_pickle(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        assert not [n for n in archive.namelist() if n.endswith((".pkl", ".joblib")) or archive.read(n)[:1] == b"\x80"]
    assert set(skops.io.get_untrusted_types(file=model)) <= set(modelfile.TRUSTED)


TARGETS = {Problem.REGRESSION: "y", Problem.BINARY: "high"}
SINGLE = {name: algorithm for name, algorithm in ALGORITHMS.items() if algorithm is not AUTOMATIC}
EACH = [
    pytest.param(name, problem, id=f"{name}-{problem}")
    for name, algorithm in SINGLE.items()
    for problem in TARGETS
    if problem in algorithm.problems
]


@pytest.mark.parametrize(("name", "problem"), EACH)
def test_every_algorithm_learns_from_every_kind_of_column(tmp_path: Path, name: str, problem: Problem) -> None:
    target = TARGETS[problem]
    result = trained(tmp_path, name, target=target, problem=problem, thorough=True)
    outcome = result.outcome
    best, naive = ("r2", "mean") if target == "y" else ("accuracy", "most_frequent")
    assert outcome.metrics["test"][best] > outcome.baselines[naive][best] + 0.1
    assert outcome.counts.rows == ROWS
    assert outcome.parameters["algorithm"] == name
    documents = {n: json.loads(d) for n, d in result.artifacts.items()}
    plots = {"scatter", "residuals"} if target == "y" else {"confusion", "roc", "thresholds", "calibration"}
    assert documents.keys() == {"predictions", "importance", "dependence", "shapley", "baselines"} | plots
    assert outcome.intervals.keys() <= outcome.metrics["test"].keys()
    gains = {item["feature"]: item["mean"] for item in documents["importance"]["items"]}
    assert gains.keys() == set(FEATURES) - {"nothing"}
    assert sum(gains[f] for f in ("rain", "level", "lag", "wet", "site")) > 2 * abs(gains["wave"] + gains["count"])
    assert result.model.suffix == ".skops"
    assert_no_pickle(result.model)
    classes = modelfile.load(result.model).classes_.tolist() if problem is Problem.BINARY else None
    assert classes in (None, ["no", "yes"])


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("linear_regression", {"positive": True}),
    ("ridge", {"alpha": 500.0}),
    ("ridge", {"max_iter": 10}),
    ("lasso", {"alpha": 0.2}),
    ("lasso", {"positive": True}),
    ("lasso", {"max_iter": 10}),
    ("elastic_net", {"alpha": 0.2}),
    ("elastic_net", {"l1_ratio": 1.0}),
    ("elastic_net", {"max_iter": 10}),
    ("logistic_regression", {"alpha": 500.0}),
    ("logistic_regression", {"class_weight": "balanced"}),
    ("logistic_regression", {"max_iter": 10}),
    ("k_nearest_neighbours", {"n_neighbors": 3}),
    ("k_nearest_neighbours", {"weights": "uniform"}),
    ("k_nearest_neighbours", {"metric": "manhattan"}),
    ("support_vector_regression", {"C": 0.01}),
    ("support_vector_regression", {"kernel": "linear"}),
    ("support_vector_regression", {"gamma": 5.0}),
    ("support_vector_regression", {"epsilon": 1.0}),
    ("support_vector_classification", {"C": 0.01}),
    ("support_vector_classification", {"kernel": "poly"}),
    ("support_vector_classification", {"gamma": 5.0}),
    ("support_vector_classification", {"class_weight": "balanced"}),
    ("random_forest", {"n_estimators": 9}),
    ("random_forest", {"max_depth": 2}),
    ("random_forest", {"min_samples_leaf": 30}),
    ("random_forest", {"max_features": 1}),
    ("extra_trees", {"n_estimators": 9}),
    ("extra_trees", {"max_depth": 2}),
    ("extra_trees", {"min_samples_leaf": 30}),
    ("extra_trees", {"max_features": 1}),
    ("hist_gradient_boosting", {"learning_rate": 0.01}),
    ("hist_gradient_boosting", {"max_iter": 16}),
    ("hist_gradient_boosting", {"max_leaf_nodes": 2}),
    ("hist_gradient_boosting", {"min_samples_leaf": 60}),
    ("hist_gradient_boosting", {"l2_regularization": 500.0}),
    ("hist_gradient_boosting", {"early_stopping": "on"}),
    ("lightgbm", {"n_estimators": 16}),
    ("lightgbm", {"learning_rate": 0.01}),
    ("lightgbm", {"num_leaves": 2}),
    ("lightgbm", {"min_child_samples": 60}),
    ("lightgbm", {"subsample": 0.5}),
    ("lightgbm", {"colsample_bytree": 0.3}),
    ("lightgbm", {"reg_lambda": 500.0}),
    ("lightgbm", {"extra_trees": "on"}),
    ("xgboost", {"n_estimators": 16}),
    ("xgboost", {"learning_rate": 0.01}),
    ("xgboost", {"max_depth": 1}),
    ("xgboost", {"min_child_weight": 20.0}),
    ("xgboost", {"subsample": 0.5}),
    ("xgboost", {"colsample_bytree": 0.3}),
    ("xgboost", {"reg_lambda": 500.0}),
    ("catboost", {"iterations": 16}),
    ("catboost", {"learning_rate": 0.01}),
    ("catboost", {"depth": 1}),
    ("catboost", {"l2_leaf_reg": 500.0}),
    ("catboost", {"random_strength": 50.0}),
    ("catboost", {"rsm": 0.3}),
    ("multilayer_perceptron", {"hidden_layers": "128"}),
    ("multilayer_perceptron", {"activation": "tanh"}),
    ("multilayer_perceptron", {"alpha": 50.0}),
    ("multilayer_perceptron", {"learning_rate_init": 0.001}),
    ("multilayer_perceptron", {"batch_size": 10}),
    ("multilayer_perceptron", {"max_iter": 10}),
]
SLOW_TO_CONVERGE = {"logistic_regression": {"alpha": 1e-6}, "lasso": {"alpha": 1e-6}, "elastic_net": {"alpha": 1e-6}}
"""Settings with which these need more than ten steps."""


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        pytest.param(name, change, problem, id=f"{name}-{'-'.join(change)}-{problem}")
        for name, change in CHANGES
        for problem in TARGETS
        if problem in ALGORITHMS[name].problems
    ],
)
def test_every_hyperparameter_takes_effect(tmp_path: Path, name: str, change: dict[str, Any], problem: Problem) -> None:
    values = SLOW_TO_CONVERGE.get(name, {}) if "max_iter" in change else {}
    values = SMALL.get(name, {}) | values
    options = {"target": TARGETS[problem], "problem": problem}
    plain = trained(tmp_path, name, values, **options)
    changed = trained(tmp_path, name, values | change, **options)
    assert plain.outcome.metrics != changed.outcome.metrics


def test_every_hyperparameter_is_tried() -> None:
    tried = {(name, parameter) for name, change in CHANGES for parameter in change}
    assert tried == {(a.name, p.name) for a in SINGLE.values() for p in a.hyperparameters}


@pytest.mark.parametrize(("name", "problem"), EACH)
def test_numbers_are_the_same_each_time_and_on_any_number_of_threads(
    tmp_path: Path, name: str, problem: Problem
) -> None:
    table = weather(13_000 if ALGORITHMS[name].most_rows is None else 2_000)  # the first is learnt by several threads
    choice = AlgorithmChoice(name, SMALL.get(name, {}))
    task = task_of(table, tmp_path, TARGETS[problem], problem=problem, features=FEATURES, algorithm=choice)
    runs = [train(task, tmp_path, threads=threads) for threads in (2, 2, 1)]
    assert len({json.dumps([run.outcome.metrics, run.outcome.baselines]) for run in runs}) == 1
    assert len({tuple(sorted(run.artifacts.items())) for run in runs}) == 1


MANY = {
    "random_forest": {"n_estimators": 5_000, "min_samples_leaf": 50},
    "extra_trees": {"n_estimators": 5_000, "min_samples_leaf": 50},
    "hist_gradient_boosting": {"max_iter": 10_000},
    "lightgbm": {"n_estimators": 10_000, "num_leaves": 255},
    "xgboost": {"n_estimators": 10_000, "max_depth": 12},
    "catboost": {"iterations": 10_000, "depth": 10},
    "multilayer_perceptron": {"max_iter": 10_000, "batch_size": 10},
}


@pytest.mark.parametrize("problem", TARGETS)
@pytest.mark.parametrize("name", MANY)
@pytest.mark.timeout(60)  # the whole fit takes many minutes
def test_cancelling_stops_a_fit(tmp_path: Path, name: str, problem: Problem) -> None:
    choice = AlgorithmChoice(name, MANY[name])
    table = weather(20_000)
    task = task_of(table, tmp_path, TARGETS[problem], problem=problem, features=FEATURES, algorithm=choice)
    with pytest.raises(JobCancelledError):
        train(task, tmp_path, RecordingMonitor(cancel_in="fitting"))


@pytest.mark.parametrize("name", ["support_vector_classification", "xgboost", "catboost"])
def test_three_classes_keep_their_names_and_a_rare_one_does_no_harm(tmp_path: Path, name: str) -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=300)
    label = np.where(x > 0, "wet", "dry").astype(object)
    label[:6] = "flood"
    x[:6] += 5
    table = {"x": x, "noise": random.normal(size=300), "y": label.tolist()}
    choice = AlgorithmChoice(name, SMALL.get(name, {}))
    outcome = train(task_of(table, tmp_path, problem=Problem.MULTICLASS, algorithm=choice), tmp_path).outcome
    assert outcome.classes == ("dry", "flood", "wet")
    assert outcome.metrics["test"]["accuracy"] > 0.9
