"""Permutation importance: how much worse the model gets on test rows when one feature is shuffled."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from hydroml.adapters.learning import metrics
from hydroml.adapters.learning.algorithms import effort
from hydroml.adapters.learning.frames import Array
from hydroml.adapters.learning.predicting import in_blocks
from hydroml.application.ports.jobs import Monitor

ROWS, FEATURES, REPEATS = 2_000, 50, 3
_WORK = 6_000_000
"""Rows times trees: keeps it to seconds, by a count, so that the same task always looks at the same rows."""
_SECONDS = 60.0
"""A last resort for models that predict slower than that count foresees; what is missing then is said."""


def permutation(
    pipeline: Any,
    features: pd.DataFrame,
    used: list[str],
    target: Array,
    *,
    classes: bool,
    seed: int,
    threads: int,
    monitor: Monitor,
) -> dict[str, Any]:
    """The plot data; `target` holds numbers or indices of the model's classes, −1 for one it does not know."""
    random = np.random.default_rng(seed)
    if classes:
        features, target = features[target >= 0], target[target >= 0]
    explained = used[:FEATURES] if len(features) else []
    repeats = REPEATS
    affordable = _WORK // (effort(pipeline[-1]) * repeats * max(len(explained), 1))
    rows = min(len(features), ROWS, max(affordable, 50))
    chosen = np.sort(random.permutation(len(features))[:rows])
    sample, target = features.iloc[chosen].reset_index(drop=True), target[chosen]
    metric, measure = _measure(classes, target, len(getattr(pipeline, "classes_", ())))
    predict = pipeline.predict_proba if classes else pipeline.predict
    base = measure(target, predict(sample)) if explained else 0.0
    several = pd.concat([sample] * repeats, ignore_index=True)
    items: list[dict[str, Any]] = []
    deadline = time.monotonic() + _SECONDS
    for number, name in enumerate(explained):
        monitor.report(number / len(explained), "explaining")
        if time.monotonic() > deadline:
            break
        order = np.concatenate([random.permutation(rows) for _ in range(repeats)])
        shuffled = several.copy(deep=False)
        shuffled[name] = sample[name].array.take(order)
        predicted = in_blocks(predict, shuffled, np.arange(len(shuffled)), threads)
        gains = np.array([measure(target, p) for p in np.split(predicted, repeats)]) - base
        items.append({"feature": name, "mean": float(gains.mean()), "std": float(gains.std())})
    items.sort(key=lambda item: (-item["mean"], item["feature"]))
    return {
        "items": items,
        "metric": metric,
        "rows": rows,
        "repeats": repeats,
        "features": len(used),
        "explained": len(items),
    }


def _measure(classes: bool, target: Array, count: int) -> tuple[str, Callable[[Array, Array], float]]:
    """A metric's name, and what grows as predictions get worse in it. Not the log loss: a forest that is sure of
    itself and wrong in a single row outweighs everything else in it."""
    if not classes:
        return "rmse", metrics.rmse
    if count == 2 and 0 < np.sum(target == 1) < len(target):
        return "roc_auc", lambda o, p: -metrics.roc_auc(o == 1, p[:, 1])
    return "balanced_accuracy", lambda o, p: -metrics.balanced_accuracy(metrics.confusion(o, p.argmax(axis=1)))
