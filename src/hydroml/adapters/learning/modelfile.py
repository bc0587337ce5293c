"""Models on disk: skops files, which hold no pickle, and which are loaded only if they name nothing we do not know.

Boosters stand in them in their library's own format, which its C++ reads: it runs nothing, but may end the process over
bytes made to that end. Bytes that were damaged are found out before, by the checksums of the archive.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import skops.io

from hydroml.domain.errors import InvalidInputError

TRUSTED = (
    "catboost.core.CatBoostClassifier",
    "catboost.core.CatBoostRegressor",
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.clip",
    "numpy.dtype",
    "numpy.ravel",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
"""The types, beyond those skops itself knows to be harmless, that our own models consist of."""


class UntrustedModelError(InvalidInputError):
    """The file is not a model that HydroML could have written."""


def save(pipeline: Any, file: Path) -> None:
    # not compressed: a forest shrinks to a quarter, but that takes as long as a fifth of its fit
    skops.io.dump(pipeline, file)


def load(file: Path) -> Any:
    """The pipeline; raises UntrustedModelError for a file that names another type, before anything of it is built."""
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=file)) - set(TRUSTED))
        if unknown:
            raise UntrustedModelError(f"the model file holds types that are not trusted: {', '.join(unknown[:5])}")
        return skops.io.load(file, trusted=list(TRUSTED))
    except UntrustedModelError:
        raise
    except Exception as error:  # what a forged file runs into has no end
        raise UntrustedModelError("the file is not a model") from error


CACHED = 512 * 2**20
"""Bytes of model files whose models are kept in memory; the last one is, whatever its size."""


class ModelCache:
    """The models used last, so that predicting a few rows does not read a forest each time."""

    def __init__(self, limit: int = CACHED) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._models: OrderedDict[tuple[str, int, int], Any] = OrderedDict()

    def load(self, file: Path) -> Any:
        """As the function `load`; blobs stand under their fingerprints, and a file written since is read again."""
        facts = file.stat()
        key = (str(file), facts.st_mtime_ns, facts.st_size)
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
                return self._models[key]
        model = load(file)
        with self._lock:
            self._models[key] = model
            while len(self._models) > 1 and sum(size for _, _, size in self._models) > self._limit:
                self._models.popitem(last=False)
        return model
