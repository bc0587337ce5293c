"""The versions of whatever takes part in a training: with the same ones the same numbers come out."""

import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version
from typing import Any

_ALWAYS = ("hydroml", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")


def versions(pipeline: Any) -> dict[str, str]:
    """By distribution: what always takes part, and the library of the estimator."""
    module = type(pipeline[-1]).__module__.partition(".")[0]
    own = _distributions().get(module, [])
    found = {"python": platform.python_version()}
    return found | {name: version(name) for name in sorted({*_ALWAYS, *own})}


@cache
def _distributions() -> Mapping[str, Sequence[str]]:
    """By module; to find them takes a tenth of a second."""
    return packages_distributions()
