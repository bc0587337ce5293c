"""What a model does with its features: partial dependence, and Shapley values of single predictions.

Both ask the whole pipeline about rows of the table, so that features have their own names and values, whatever the
preparation makes of them, and for any algorithm. They are bounded by a count of predictions, so that the same task
always looks at the same rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hydroml.adapters.learning.algorithms import effort
from hydroml.adapters.learning.frames import Array, label_text
from hydroml.adapters.learning.predicting import in_blocks

DEPENDENT, VALUES, DEPENDENCE_ROWS = 8, 20, 200
EXPLAINED, BACKGROUND, MOST_FEATURES = 100, 10, 40
_WORK = 12_000_000
"""Rows times trees."""
_MOST_CLASSES = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """A fitted pipeline, the rows it has not seen, and where they stand in the table."""

    pipeline: Any
    features: pd.DataFrame
    rows: Array
    classes: bool
    seed: int
    threads: int

    def sample(self, most: int) -> Array:
        """Places of so many rows, drawn by the seed, in order."""
        chosen = np.random.default_rng(self.seed).permutation(len(self.features))[:most]
        return np.sort(chosen)

    def predict(self, features: pd.DataFrame) -> Array:
        """A column for numbers, or for each class its probability."""
        ask = self.pipeline.predict_proba if self.classes else self.pipeline.predict
        found = in_blocks(ask, features, np.arange(len(features)), self.threads)
        return found if found.ndim == 2 else found[:, np.newaxis]

    @property
    def labels(self) -> list[str]:
        """Of the columns of `predict`."""
        return [label_text(label) for label in self.pipeline.classes_.tolist()] if self.classes else [""]

    @property
    def affordable(self) -> int:
        return _WORK // effort(self.pipeline[-1])


def dependence(asked: Asked, names: Sequence[str], report: Callable[[float], None]) -> dict[str, Any]:
    """Partial dependence (Friedman 2001, Ann. Statist. 29): the mean prediction over rows when a feature is set to each
    of up to 20 of its values, with the 10 % and 90 % quantiles of the single rows' predictions."""
    wanted = list(names[:DEPENDENT])
    rows = max(min(DEPENDENCE_ROWS, asked.affordable // max(len(wanted) * VALUES, 1), len(asked.features)), 1)
    sample = asked.features.iloc[asked.sample(rows)]
    shown = [1] if asked.classes and len(asked.labels) == 2 else list(range(min(len(asked.labels), _MOST_CLASSES)))
    items = []
    for number, name in enumerate(wanted):
        report(number / len(wanted))
        values = _values(asked.features[name])
        if len(values) < 2:
            continue
        several = pd.concat([sample] * len(values), ignore_index=True)
        several[name] = values.take(np.repeat(np.arange(len(values)), len(sample)))
        predicted = asked.predict(several).reshape(len(values), len(sample), -1)[:, :, shown]
        low, high = np.quantile(predicted, (0.1, 0.9), axis=1)
        items.append(
            {
                "feature": name,
                "values": [value if isinstance(value, str) else float(value) for value in values],
                "lines": [
                    {
                        "label": asked.labels[column],
                        "mean": predicted[:, :, place].mean(axis=1),
                        "low": low[:, place].copy(),
                        "high": high[:, place].copy(),
                    }
                    for place, column in enumerate(shown)
                ],
            }
        )
    return {"items": items, "rows": len(sample), "of": len(asked.features)}


def shapley(asked: Asked, names: Sequence[str]) -> dict[str, Any]:
    """Shapley values of single predictions: how far each feature moves it from where a background row stands.

    Estimated over random orders of the features, each also walked backwards (Štrumbelj & Kononenko 2014, Knowl. Inf.
    Syst. 41; Mitchell et al. 2022, J. Mach. Learn. Res. 23), one order for each background row, which are the same for
    all rows. In each row they sum up to its prediction − its `base`. For classes it is the probability of the second of
    two, or of the predicted one of several. Features beyond the first 40 keep the row's own values.
    """
    used = list(names[:MOST_FEATURES])
    walks = 2 * BACKGROUND
    count = max(min(EXPLAINED, asked.affordable // (walks * (len(used) + 1)), len(asked.features)), 1)
    random = np.random.default_rng(asked.seed)
    places = asked.sample(count)
    explained = asked.features.iloc[places].reset_index(drop=True)
    background = asked.features.iloc[random.integers(0, len(asked.features), BACKGROUND)]
    forward = random.random((BACKGROUND, count, len(used))).argsort(axis=2)
    orders = np.concatenate([forward, forward[:, :, ::-1]])
    path = asked.predict(_walked(explained, background, used, orders)).reshape(walks, len(used) + 1, count, -1)
    own = path[0, -1]
    column = _explained_class(asked, own)
    path = np.take_along_axis(path, column[np.newaxis, np.newaxis, :, np.newaxis], axis=3)[..., 0]
    gains = np.empty(orders.shape)
    np.put_along_axis(gains, orders, np.diff(path, axis=1).transpose(0, 2, 1), axis=2)
    return {
        "features": used,
        "rows": asked.rows[places],
        "values": gains.mean(axis=0),
        "shown": [_cells(explained[name]) for name in used],
        "base": path[:, 0].mean(axis=0),
        "predicted": own[np.arange(count), column],
        "label": [asked.labels[at] for at in column] if asked.classes else None,
        "of": len(asked.features),
        "left_out": len(names) - len(used),
    }


def _walked(explained: pd.DataFrame, background: pd.DataFrame, used: Sequence[str], orders: Array) -> pd.DataFrame:
    """For each walk, step and row: the row after so many steps, in each of which one more feature changes from the
    background row's value to its own, in the walk's order."""
    walks, count, width = orders.shape
    turn = orders.argsort(axis=2)  # at which step each feature changes
    own = np.arange(count)
    from_ = count + np.arange(walks) % len(background)
    columns = {}
    for name in explained.columns:
        steps = np.broadcast_to(own, (walks, width + 1, count))
        if name in used:
            changed = turn[:, np.newaxis, :, used.index(name)] < np.arange(width + 1)[:, np.newaxis]
            steps = np.where(changed, own, from_[:, np.newaxis, np.newaxis])
        columns[name] = pd.concat([explained[name], background[name]]).array.take(steps.ravel())
    return pd.DataFrame(columns, copy=False)


def _explained_class(asked: Asked, predicted: Array) -> Array:
    if not asked.classes:
        return np.zeros(len(predicted), dtype=np.int64)
    return np.ones(len(predicted), dtype=np.int64) if predicted.shape[1] == 2 else predicted.argmax(axis=1)


def _values(column: pd.Series) -> Any:
    """Up to 20 values: the most frequent texts, or quantiles of the numbers."""
    known = column.dropna()
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return known.value_counts().index[:VALUES].array
    distinct = np.unique(known.to_numpy())
    if len(distinct) > VALUES:
        distinct = np.unique(np.quantile(known, np.linspace(0.02, 0.98, VALUES)))
    return pd.Series(distinct, dtype=column.dtype).array


def _cells(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value if isinstance(value, str) else float(value) for value in column]
