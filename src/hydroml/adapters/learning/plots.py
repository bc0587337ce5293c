"""Data for the plots of a result page, as JSON documents of bounded size."""

from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from hydroml.adapters.learning import metrics
from hydroml.adapters.learning.frames import Array, Times

POINTS = 5_000
CURVE = 500
THRESHOLDS = 201
CALIBRATION_GROUPS = 10
BINS = 50
FEW = 2_000
"""So many points are drawn one by one in a scatter plot."""


def document(value: Any) -> bytes:
    """JSON; numbers that JSON does not know become null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def regression(rows: Array, observed: Array, predicted: Array, times: Times | None) -> dict[str, Any]:
    """`rows` are the table's row numbers of the test part."""
    order = np.arange(len(rows)) if times is None else np.argsort(times.ordinals[rows], kind="stable")
    kept = order[_extremes(observed[order], predicted[order]) if times is not None else _even(len(order), POINTS)]
    residuals = observed - predicted
    duration = {} if times is None else {"flow_duration": _duration(observed, predicted)}
    return duration | {
        "predictions": {
            "observed": observed[kept],
            "predicted": predicted[kept],
            "time": None if times is None else times.texts(rows[kept]),
            "row_numbers": rows[kept],
            "sampled": len(kept) < len(rows),
            "of": len(rows),
        },
        "scatter": _scatter(observed, predicted),
        "residuals": {
            **_histogram(residuals),
            "mean": residuals.mean(),
            "std": residuals.std(),
            "definition": "observed − predicted",
            "over_time": None if times is None else {"time": times.texts(rows[kept]), "residual": residuals[kept]},
        },
    }


def classification(
    rows: Array, times: Times | None, *, labels: list[str], observed: Array, predicted: Array, probabilities: Array
) -> dict[str, Any]:
    """`observed` and `predicted` index `labels`."""
    order = np.arange(len(rows)) if times is None else np.argsort(times.ordinals[rows], kind="stable")
    kept = order[_even(len(order), POINTS)]
    size = len(labels)
    plots: dict[str, Any] = {
        "predictions": {
            "labels": labels,
            "observed": [labels[i] for i in observed[kept]],
            "predicted": [labels[i] for i in predicted[kept]],
            "probability": probabilities[kept, predicted[kept]],
            "time": None if times is None else times.texts(rows[kept]),
            "row_numbers": rows[kept],
            "sampled": len(kept) < len(rows),
            "of": len(rows),
        },
        "confusion": {
            "labels": labels,
            "counts": np.bincount(observed * size + predicted, minlength=size * size).reshape(size, size),
        },
    }
    positive = observed == 1
    if size == 2 and positive.any() and not positive.all():
        false, true = metrics.roc_curve(positive, probabilities[:, 1])
        few = _even(len(false), CURVE)
        plots["roc"] = {
            "fpr": false[few],
            "tpr": true[few],
            "auc": metrics.roc_auc(positive, probabilities[:, 1]),
            "positive": labels[1],
        }
        plots["thresholds"] = _thresholds(positive, probabilities[:, 1]) | {"positive": labels[1]}
        plots["calibration"] = _calibration(probabilities[:, 1], positive) | {"of": labels[1]}
    elif size > 2:
        sure = probabilities[np.arange(len(rows)), predicted]
        plots["calibration"] = _calibration(sure, observed == predicted) | {"of": None}
    return plots


def _thresholds(positive: Array, score: Array) -> dict[str, Any]:
    """What is counted when rows with a probability of at least the threshold are called positive; precision and recall
    follow from it."""
    thresholds = np.linspace(0, 1, THRESHOLDS)
    ranked, yes = np.sort(score[positive]), np.sort(score[~positive])
    true = len(ranked) - np.searchsorted(ranked, thresholds, side="left")
    false = len(yes) - np.searchsorted(yes, thresholds, side="left")
    return {
        "thresholds": thresholds,
        "true_positive": true,
        "false_positive": false,
        "false_negative": len(ranked) - true,
        "true_negative": len(yes) - false,
        "average_precision": metrics.average_precision(positive, score),
    }


def _calibration(probability: Array, happened: Array) -> dict[str, Any]:
    """In ten groups of about equal size, ordered by probability: its mean, and the share in which it happened."""
    parts = np.array_split(np.argsort(probability, kind="stable"), CALIBRATION_GROUPS)
    parts = [part for part in parts if len(part)]
    return {
        "predicted": [float(probability[part].mean()) for part in parts],
        "observed": [float(happened[part].mean()) for part in parts],
        "rows": [len(part) for part in parts],
    }


def _duration(observed: Array, predicted: Array) -> dict[str, Any]:
    """Values from the largest down, against the share of rows that reach them (Weibull's plotting position)."""
    size = len(observed)
    kept = np.unique(np.round(np.geomspace(1, size, CURVE // 2)).astype(np.int64) - 1)
    kept = np.unique(np.concatenate([kept, _even(size, CURVE // 2)]))
    return {
        "exceedance": (kept + 1) / (size + 1),
        "observed": np.sort(observed)[::-1][kept],
        "predicted": np.sort(predicted)[::-1][kept],
    }


def _even(size: int, most: int) -> Array:
    """Positions at even distances, the first and the last among them."""
    return np.arange(size) if size <= most else np.unique(np.linspace(0, size - 1, most).round().astype(np.int64))


def _extremes(observed: Array, predicted: Array) -> Array:
    """Positions in order, at most `POINTS`, that keep each stretch's lowest and highest values of both series."""
    size = len(observed)
    if size <= POINTS:
        return np.arange(size)
    kept = []
    bounds = np.linspace(0, size, POINTS // 4 + 1).astype(np.int64)
    for start, stop in pairwise(bounds):
        for series in (observed, predicted):
            stretch = series[start:stop]
            kept += [start + int(stretch.argmin()), start + int(stretch.argmax())]
    return np.unique(kept)


def _histogram(values: Array) -> dict[str, Any]:
    counts, edges = np.histogram(values, bins=BINS)
    return {"edges": edges, "counts": counts}


def _scatter(observed: Array, predicted: Array) -> dict[str, Any]:
    """Counts in a grid (rows of `counts` follow y), and the points themselves where they are few."""
    counts, x, y = np.histogram2d(observed, predicted, bins=BINS)
    few = len(observed) <= FEW
    return {
        "x": "observed",
        "y": "predicted",
        "x_edges": x,
        "y_edges": y,
        "counts": np.ascontiguousarray(counts.T, dtype=np.int64),
        "points": np.column_stack([observed, predicted]) if few else None,
    }
