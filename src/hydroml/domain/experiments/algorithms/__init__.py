"""The algorithms people can choose, as descriptions; the learning adapter builds the estimators."""

from collections.abc import Mapping

from hydroml.domain.experiments.algorithms.automatic import AUTOMATIC
from hydroml.domain.experiments.algorithms.boosting import CATBOOST, HIST_GRADIENT_BOOSTING, LIGHTGBM, XGBOOST
from hydroml.domain.experiments.algorithms.description import (
    Algorithm,
    Family,
    Hyperparameter,
    HyperparameterType,
    HyperparameterValue,
    Search,
)
from hydroml.domain.experiments.algorithms.linear import (
    ELASTIC_NET,
    LASSO,
    LINEAR_REGRESSION,
    LOGISTIC_REGRESSION,
    RIDGE,
)
from hydroml.domain.experiments.algorithms.neighbours import (
    K_NEAREST_NEIGHBOURS,
    SUPPORT_VECTOR_CLASSIFICATION,
    SUPPORT_VECTOR_REGRESSION,
)
from hydroml.domain.experiments.algorithms.neural import MULTILAYER_PERCEPTRON
from hydroml.domain.experiments.algorithms.trees import EXTRA_TREES, RANDOM_FOREST

__all__ = [
    "ALGORITHMS",
    "AUTOMATIC",
    "Algorithm",
    "Family",
    "Hyperparameter",
    "HyperparameterType",
    "HyperparameterValue",
    "Search",
]

ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        AUTOMATIC,
        LINEAR_REGRESSION,
        RIDGE,
        LASSO,
        ELASTIC_NET,
        LOGISTIC_REGRESSION,
        K_NEAREST_NEIGHBOURS,
        SUPPORT_VECTOR_REGRESSION,
        SUPPORT_VECTOR_CLASSIFICATION,
        RANDOM_FOREST,
        EXTRA_TREES,
        HIST_GRADIENT_BOOSTING,
        LIGHTGBM,
        XGBOOST,
        CATBOOST,
        MULTILAYER_PERCEPTRON,
    )
}
