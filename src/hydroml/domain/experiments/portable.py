"""What of a model can be written in ONNX, told before anybody waits for it."""

from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.preparation import Encoding, Transform
from hydroml.domain.experiments.runs import Run
from hydroml.domain.sources import ColumnType

WRITTEN = frozenset({
    "linear_regression", "ridge", "lasso", "elastic_net", "logistic_regression", "multilayer_perceptron",
    "random_forest", "extra_trees", "hist_gradient_boosting", "lightgbm", "xgboost",
})  # fmt: skip
_TRANSFORMS = {Transform.POWER: "the power transformation", Transform.QUANTILE: "the quantile transformation"}
_TEXTS = (ColumnType.TEXT, ColumnType.CATEGORY)


def onnx_obstacles(run: Run) -> tuple[str, ...]:
    """The parts of a run's model that cannot be written in ONNX, in words; none where all of it can."""
    outcome, _ = run.result()
    specification = run.specification
    found = []
    if specification.algorithm.name not in WRITTEN:
        algorithm = ALGORITHMS.get(specification.algorithm.name)
        found.append(algorithm.title if algorithm else specification.algorithm.name)
    found += [f"“{one.name}”, which is made from “{one.derived.column}”" for one in outcome.derived]
    for feature in outcome.features:
        if feature.type in _TEXTS:
            if specification.preparation.texts_of(feature.name).encode is Encoding.HASHING:
                found.append(f"the hashed words of “{feature.name}”")
        elif feature.direct and feature.type != ColumnType.BOOLEAN:
            words = _TRANSFORMS.get(specification.preparation.numbers_of(feature.name).transform)
            if words:
                found.append(f"{words} of “{feature.name}”")
    return tuple(found)
