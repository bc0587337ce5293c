"""Models in ONNX: onnxruntime predicts what ours predict, for rows with gaps, new categories and any number."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from hydroml.adapters.learning import ScikitLearner, compiled, inputs, modelfile
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.preparation import (
    Encoding,
    Imputation,
    Numbers,
    Preparation,
    Scaling,
    Texts,
    Transform,
)
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem
from tests.tasks import GIGABYTE, task_of, train

LEARNER = ScikitLearner(GIGABYTE, threads=2)
ROWS = 300
_random = np.random.default_rng(0)
_rain = np.where(_random.random(ROWS) < 0.1, np.nan, _random.gamma(0.7, 6.0, ROWS))
_site = np.array(["Alder", "Birch", "Cedar", "rare", None], dtype=object)[
    _random.choice(5, ROWS, p=(0.4, 0.3, 0.2, 0.02, 0.08))
]
TABLE: dict[str, Any] = {
    "rain": _rain,
    "count": _random.integers(0, 9, ROWS),
    "wet": _random.random(ROWS) < 0.5,
    "site": _site.tolist(),
}
_FLOW = np.nan_to_num(_rain) + (_site == "Alder") * 5 + _random.normal(0, 1, ROWS)
TARGETS = {
    Problem.REGRESSION: _FLOW,
    Problem.BINARY: _FLOW > 5,
    Problem.MULTICLASS: np.array(["low", "mid", "high"])[np.digitize(_FLOW, (3, 8))].tolist(),
}
REGRESSORS = (
    "linear_regression", "ridge", "lasso", "elastic_net", "multilayer_perceptron", "random_forest", "extra_trees",
    "hist_gradient_boosting", "lightgbm", "xgboost",
)  # fmt: skip
CLASSIFIERS = (
    "logistic_regression", "multilayer_perceptron", "random_forest", "hist_gradient_boosting", "lightgbm", "xgboost",
)  # fmt: skip
PREPARATIONS = (
    Preparation(),
    Preparation(
        numbers=Numbers(impute=Imputation.MEDIAN, transform=Transform.LOG1P, scale=Scaling.ROBUST),
        texts=Texts(encode=Encoding.TARGET),
    ),
    Preparation(
        numbers=Numbers(impute=Imputation.CONSTANT, scale=Scaling.MIN_MAX),
        texts=Texts(encode=Encoding.ORDINAL, impute=Imputation.MOST_FREQUENT, indicator=True),
    ),
    Preparation(numbers=Numbers(scale=Scaling.STANDARD), texts=Texts(encode=Encoding.FREQUENCY)),
)


def trained(folder: Path, algorithm: str, problem: Problem, preparation: Preparation = PREPARATIONS[0]) -> Any:
    table = TABLE | {"y": TARGETS[problem]}
    choice = AlgorithmChoice(algorithm)
    return train(task_of(table, folder, algorithm=choice, problem=problem, preparation=preparation), folder)


def strange_rows(size: int = 200) -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    sites = ["Alder", "Birch", "Cedar", "rare", "never seen", None]
    return [
        {
            "rain": None if random.random() < 0.2 else float(random.normal(10, 40)),
            "count": None if random.random() < 0.1 else int(random.integers(-3, 20)),
            "wet": [True, False, None][random.integers(3)],
            "site": sites[random.integers(len(sites))],
        }
        for _ in range(size)
    ]


def answered(made: Any, folder: Path, rows: list[dict[str, Any]]) -> list[Any]:
    out = folder / "model.onnx"
    LEARNER.onnx(made.model, made.outcome, "a model", out)
    given = {
        name: np.array([v or "" for v in values], dtype=object) if isinstance(values, list) else values
        for name, values in inputs.of_rows(made.outcome, rows).items()
    }
    session = onnxruntime.InferenceSession(out)
    found: list[Any] = session.run(None, {name: values.reshape(-1, 1) for name, values in given.items()})
    return found


@pytest.mark.parametrize("algorithm", REGRESSORS)
def test_numbers_are_the_same(tmp_path: Path, algorithm: str) -> None:
    made, rows = trained(tmp_path, algorithm, Problem.REGRESSION), strange_rows()
    expected = LEARNER.predict_rows(made.model, made.outcome, rows).predictions
    tolerance = 1e-5 if algorithm == "xgboost" else 1e-9  # it sums in single precision
    assert answered(made, tmp_path, rows)[0].ravel() == pytest.approx(expected, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("problem", [Problem.BINARY, Problem.MULTICLASS])
@pytest.mark.parametrize("algorithm", CLASSIFIERS)
def test_classes_and_probabilities_are_the_same(tmp_path: Path, algorithm: str, problem: Problem) -> None:
    made, rows = trained(tmp_path, algorithm, problem), strange_rows()
    expected = LEARNER.predict_rows(made.model, made.outcome, rows)
    labels, shares = answered(made, tmp_path, rows)
    assert shares == pytest.approx(np.array([list(one.values()) for one in expected.probabilities or ()]), abs=1e-5)
    texts = [str(one).lower() if isinstance(one, bool) else one for one in expected.predictions]
    assert labels.tolist() == texts


@pytest.mark.parametrize("preparation", PREPARATIONS)
@pytest.mark.parametrize("algorithm", ["ridge", "hist_gradient_boosting"])
def test_the_preparation_is_in_the_graph_and_the_same_on_each_way(
    tmp_path: Path, algorithm: str, preparation: Preparation
) -> None:
    made, rows = trained(tmp_path, algorithm, Problem.REGRESSION, preparation), strange_rows()
    pipeline = modelfile.load(made.model)
    columns = inputs.of_rows(made.outcome, rows)
    seen = compiled.compiled(pipeline).matrix(columns)
    assert np.array_equal(seen, pipeline[0].transform(inputs.framed(columns)), equal_nan=True), "to the last digit"
    expected = pipeline.predict(inputs.framed(columns))
    assert answered(made, tmp_path, rows)[0].ravel() == pytest.approx(expected, rel=1e-9)


def test_what_has_no_place_in_a_graph_is_named(tmp_path: Path) -> None:
    near = trained(tmp_path, "k_nearest_neighbours", Problem.REGRESSION)
    power = trained(tmp_path, "ridge", Problem.REGRESSION, Preparation(numbers=Numbers(transform=Transform.POWER)))
    for made, words in ((near, "KNeighborsRegressor"), (power, "the power transformation of “rain”")):
        with pytest.raises(InvalidInputError, match=words):
            LEARNER.onnx(made.model, made.outcome, "a model", tmp_path / "none.onnx")
        rows = LEARNER.predict_rows(made.model, made.outcome, strange_rows(3)).predictions
        assert len(rows) == 3
