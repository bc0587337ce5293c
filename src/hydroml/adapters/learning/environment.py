"""The versions of whatever takes part in a training: with the same ones the same numbers come out."""

import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version
from typing import Any

from hydroml.adapters.learning import algorithms

_ALWAYS = ("hydroml", "joblib", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "threadpoolctl")


def versions(pipeline: Any) -> dict[str, str]:
    """By distribution: what always takes part, and the libraries of the estimators."""
    modules = {type(part).__module__.partition(".")[0] for part in algorithms.parts(pipeline)}
    own = [name for module in modules for name in _distributions().get(module, [])]
    found = {"python": platform.python_version()}
    return found | {name: version(name) for name in sorted({*_ALWAYS, *own})}


def distribution(module: str) -> str:
    """Under which name a library is installed: XGBoost comes as xgboost and as xgboost-cpu."""
    return next(iter(_distributions().get(module, [])), module)


@cache
def _distributions() -> Mapping[str, Sequence[str]]:
    """By module; to find them takes a tenth of a second."""
    return packages_distributions()
