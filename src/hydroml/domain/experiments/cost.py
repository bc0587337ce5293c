"""What a training takes, before it is started: the columns it makes, memory at its peak, and time.

The model is a sum of few terms, whose constants were measured with `benchmarks/estimate.py` (which shows how near it
comes): bytes by row and column, and processor time by row, column and what grows with the hyperparameters. It is of a
processor of 2025; the range of the time says how far others, and other data, may be from it.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log2, sqrt
from typing import Any

from hydroml.domain.experiments.algorithms import AUTOMATIC
from hydroml.domain.experiments.algorithms.automatic import DEFAULT_SECONDS
from hydroml.domain.experiments.preparation import Encoding, Preparation
from hydroml.domain.sources import Column, ColumnType

_NUMBER, _TEXT = 8, 24
"""Bytes of a value in memory."""
_FIXED = 40 * 2**20
"""Bytes that a training takes whatever the table: figures, plots, the rows it was judged on."""
_LEFT = 18 * 2**20
"""Bytes that a fit leaves behind."""
_COPIES = 2.5
"""How often the columns that are read are there at the same time: the file's, the frame's, those of a part."""
_RANGE = 2.0
"""The time lies between the estimate over this and the estimate times this."""
TEXTS = (ColumnType.TEXT, ColumnType.CATEGORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is learnt from: rows of the table and of the parts of one division, columns as they are read, and numbers
    after the preparation (`width`)."""

    rows: int
    training_rows: int
    test_rows: int
    numbers: int
    texts: int
    width: int
    classes: int = 0
    """0 for a regression."""

    @property
    def matrix_bytes(self) -> int:
        """Of the prepared training part."""
        return self.training_rows * self.width * _NUMBER

    @property
    def outputs(self) -> int:
        """Numbers that a model gives for a row."""
        return self.classes if self.classes > 2 else 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is the range in which the whole training may lie, of `fits` models one after another."""

    training_rows: int
    columns: int
    matrix_bytes: int
    memory_bytes: int
    fits: int
    seconds: tuple[float, float]

    @property
    def words(self) -> str:
        """Its time: `about 2 to 8 minutes`."""
        low, high = map(in_time, self.seconds)
        (count, unit), (_, other) = low.split(), high.split()
        return f"about {count if unit.rstrip('s') == other.rstrip('s') else low} to {high}"


def width(
    features: Iterable[Column], preparation: Preparation, distinct: Mapping[str, int], gaps: Container[str]
) -> int:
    """How many columns the prepared table has, at most; a text not in `distinct` has as many categories as may be."""
    total = 0
    for feature in features:
        total += 1 + (feature.name in gaps)
        if feature.type in TEXTS:
            texts = preparation.texts_of(feature.name)
            if texts.encode is Encoding.ONE_HOT:
                total += min(distinct.get(feature.name, texts.max_categories), texts.max_categories)
            elif texts.encode is Encoding.HASHING:
                total += texts.hash_columns
    return total


def reading_bytes(rows: int, numbers: int, texts: int) -> int:
    """The most that the columns take while they are read and divided."""
    return int(rows * (_NUMBER * numbers + _TEXT * texts) * _COPIES)


def peak_bytes(load: Load, algorithm: str, values: Mapping[str, Any], fits: int = 1) -> int:
    """The most that a training takes at any time, beside what the process has before it. Each of `fits` leaves some
    behind that the system does not get back at once."""
    copies, model = _MEMORY[algorithm](load, values)
    reading = reading_bytes(load.rows, load.numbers, load.texts)
    return int(_FIXED + reading + load.matrix_bytes * copies + model + min(fits - 1, 5) * _LEFT)


def refusal(load: Load, algorithm: str, values: Mapping[str, Any], limit: int, fits: int = 1) -> str | None:
    """Why this cannot be trained within `limit` bytes, if so."""
    needed = peak_bytes(load, algorithm, values, fits)
    if needed <= limit:
        return None
    return (
        f"training on {load.training_rows:,} rows with {load.width:,} columns after preparation needs about "
        f"{in_bytes(needed)} of memory, and the limit is {in_bytes(limit)}"
    )


def in_bytes(size: int) -> str:
    """`340 MB`, `2.1 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(round(size / 1e6), 1)} MB"


def in_time(seconds: float) -> str:
    """`40 seconds`, `5 minutes`, `2 hours`."""
    for size, unit in ((3_600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            count = round(seconds / size)
            return f"{count:,} {unit}" + "s" * (count != 1)
    count = max(round(seconds), 1)
    return f"{count} second" + "s" * (count != 1)


def fit_seconds(load: Load, algorithm: str, values: Mapping[str, Any], threads: int) -> float:
    """Of preparing the training part and fitting one model to it."""
    work = _TIME[algorithm]
    learning = work.learning(load, values) / (threads if work.parallel else 1)
    return load.training_rows * load.width * _PREPARED + learning


def estimate(
    load: Load,
    algorithm: str,
    values: Mapping[str, Any],
    *,
    fits: int,
    threads: int,
    budget: float | None,
    thorough: bool,
) -> Estimate:
    """Of `fits` models, each scored, and the last of them explained; a search takes its `budget` of seconds."""
    rows = load.training_rows + load.test_rows
    scoring = rows * (_SCORED_CLASSES if load.classes else _SCORED)
    reading = load.rows * _READ * (load.numbers + load.texts)
    if algorithm == AUTOMATIC.name:
        search = budget or DEFAULT_SECONDS
        seconds = (search, 1.3 * search + fits * scoring + reading + 4 * _EXPLAINED)
    else:
        fitting = fit_seconds(load, algorithm, values, threads)
        scoring += _TIME[algorithm].answering(load, values) * rows / threads
        curve = min(_CURVE_FITS * fitting, _CURVE_SECONDS) if thorough else 0.0
        explaining = _EXPLAINED * (4 if _TIME[algorithm].slow else 1)
        total = reading + fits * (fitting + scoring) + explaining + curve
        seconds = (total / _RANGE, total * _RANGE)
    memory = peak_bytes(load, algorithm, values, fits)
    return Estimate(load.training_rows, load.width, load.matrix_bytes, memory, fits, seconds)


_PREPARED = 6e-8
"""Seconds by prepared number."""
_READ = 1.5e-7
"""Seconds by value of the table, to read and divide it."""
_SCORED, _SCORED_CLASSES = 3e-6, 3e-5
"""Seconds by row that is judged: metrics, their bounds, the table of rows."""
_EXPLAINED = 2.0
"""Seconds of explaining a model, which looks at a bounded number of predictions; some take four times as long."""
_CURVE_FITS, _CURVE_SECONDS = 4.0, 20.0
"""A learning curve takes as long as so many fits, and is kept within a time."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Seconds of one thread: `learning` of one fit, `answering` by row that is predicted."""

    learning: Callable[[Load, Mapping[str, Any]], float]
    answering: Callable[[Load, Mapping[str, Any]], float] = lambda load, values: 0.0  # noqa: ARG005
    parallel: bool = False
    slow: bool = False
    """Whether predictions of few rows are slow, so that explaining takes longer."""


def _linear(load: Load, _: Mapping[str, Any]) -> float:
    return load.training_rows * load.width * (6e-8 * sqrt(load.outputs) + 1e-9 * load.width)


def _kernel(load: Load, _: Mapping[str, Any]) -> float:
    return float(load.training_rows) ** 2 * load.width * (1.9e-9 if load.classes else 1.1e-9)


def _kernel_answer(load: Load, _: Mapping[str, Any]) -> float:
    return load.training_rows * load.width * 1e-9


def _neighbour_answer(load: Load, _: Mapping[str, Any]) -> float:
    return sqrt(load.training_rows) * (load.numbers + load.texts) * 2.5e-7


def _forest(share: float) -> Callable[[Load, Mapping[str, Any]], float]:
    def seconds(load: Load, values: Mapping[str, Any]) -> float:
        levels = min(log2(max(load.training_rows, 2)), values["max_depth"] or 64)
        looked_at = max(load.width * values["max_features"], 1)
        return float(load.training_rows * levels * looked_at * values["n_estimators"] * share)

    return seconds


def _boosting(trees: str, leaves: Callable[[Mapping[str, Any]], int], row: float, leaf: float) -> Any:
    """By tree: a pass over the binned training part for each level of it, and a histogram for each leaf."""

    def seconds(load: Load, values: Mapping[str, Any]) -> float:
        count = leaves(values)
        by_tree = load.training_rows * load.width * log2(count + 1) * row + count * load.width * leaf
        return float(values[trees] * load.outputs * by_tree)

    return seconds


def _network(load: Load, values: Mapping[str, Any]) -> float:
    by_row = _weights(load, values) * 4e-10 + 1.3e-4 / values["batch_size"]
    return float(load.training_rows * values["max_iter"] * by_row)


def _weights(load: Load, values: Mapping[str, Any]) -> int:
    layers = [load.width, *(int(units) for units in values["hidden_layers"].split("-")), load.outputs]
    return sum(before * after for before, after in pairwise(layers))


_TIME: Mapping[str, _Work] = {
    "linear_regression": _Work(_linear),
    "ridge": _Work(_linear),
    "lasso": _Work(_linear),
    "elastic_net": _Work(_linear),
    "logistic_regression": _Work(_linear),
    "k_nearest_neighbours": _Work(lambda load, _: load.training_rows * 1e-5, _neighbour_answer, slow=True),
    "support_vector_regression": _Work(_kernel, _kernel_answer, slow=True),
    "support_vector_classification": _Work(_kernel, _kernel_answer, slow=True),
    "random_forest": _Work(_forest(2e-8), lambda _, v: v["n_estimators"] * 5e-7, parallel=True, slow=True),
    "extra_trees": _Work(_forest(1e-8), lambda _, v: v["n_estimators"] * 5e-7, parallel=True, slow=True),
    "hist_gradient_boosting": _Work(
        _boosting("max_iter", lambda v: v["max_leaf_nodes"], 1.3e-9, 1e-6),
        lambda load, v: v["max_iter"] * load.outputs * 1e-7, parallel=True,
    ),
    "lightgbm": _Work(
        _boosting("n_estimators", lambda v: v["num_leaves"], 3e-10, 3e-7),
        lambda load, v: v["n_estimators"] * load.outputs * 1e-7, parallel=True,
    ),
    "xgboost": _Work(
        _boosting("n_estimators", lambda v: 2 ** v["max_depth"], 5e-10, 5e-7),
        lambda load, v: v["n_estimators"] * load.outputs * 1e-7, parallel=True,
    ),
    "catboost": _Work(
        _boosting("iterations", lambda v: 2 ** v["depth"], 5e-10, 3e-7),
        lambda load, v: v["iterations"] * load.outputs * 1e-8, parallel=True,
    ),
    "multilayer_perceptron": _Work(_network, lambda load, v: _weights(load, v) * 1e-9),
}  # fmt: skip


_Memory = Callable[[Load, Mapping[str, Any]], tuple[float, float]]
"""How many times the prepared training part is there, and the bytes of what is beside it."""


def _copies(count: float, model: float = 0.0) -> _Memory:
    return lambda load, values: (count, model)  # noqa: ARG005


def _cached(load: Load, _: Mapping[str, Any]) -> tuple[float, float]:
    """A cache of kernel values, of 4 bytes for each pair of rows."""
    return 3.0, 0.75 * min(4.0 * load.training_rows**2, 500 * 2**20)


def _trees_kept(bootstrapped: float) -> _Memory:
    """Trees that grow until leaves are small hold a share of the rows each; once more while they are stored."""

    def bytes_of(load: Load, values: Mapping[str, Any]) -> tuple[float, float]:
        nodes = 2 * load.training_rows * bootstrapped / (1.5 * values["min_samples_leaf"])
        nodes = min(nodes, 2.0 ** min((values["max_depth"] or 64) + 1, 64))
        return 2.0, values["n_estimators"] * nodes * (64 + 8 * max(load.classes, 1)) * 2.6

    return bytes_of


_MEMORY: Mapping[str, _Memory] = {
    "automatic": _copies(6.0, 200e6),
    "linear_regression": _copies(3.2),
    "ridge": _copies(2.0),
    "lasso": _copies(2.4),
    "elastic_net": _copies(2.4),
    "logistic_regression": _copies(2.0),
    "k_nearest_neighbours": _copies(3.0),
    "support_vector_regression": _cached,
    "support_vector_classification": _cached,
    "random_forest": _trees_kept(0.63),
    "extra_trees": _trees_kept(1.0),
    "hist_gradient_boosting": _copies(2.0),
    "lightgbm": _copies(2.0),
    "xgboost": _copies(2.0),
    "catboost": _copies(3.0),
    "multilayer_perceptron": _copies(2.0),
}
