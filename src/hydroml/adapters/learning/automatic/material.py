"""What a search learns from: the training rows, folds among them, and the features as each family wants them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hydroml.adapters.learning import splits
from hydroml.adapters.learning.automatic.learners import Validation
from hydroml.adapters.learning.automatic.scores import floored
from hydroml.adapters.learning.frames import Array
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm
from hydroml.domain.experiments.specification import Split, SplitKind

_CACHED = 5_000_000
"""So many prepared values are kept between candidates; beyond, they are prepared anew each time."""
_UNKNOWN = 1e-6
"""The probability of a class that a fold did not have."""
LIKE: Mapping[str, Algorithm] = {
    "lightgbm": ALGORITHMS["lightgbm"],
    "xgboost": ALGORITHMS["xgboost"],
    "catboost": ALGORITHMS["catboost"],
    "extra_trees": ALGORITHMS["extra_trees"],
    "random_forest": ALGORITHMS["random_forest"],
    "perceptron": ALGORITHMS["multilayer_perceptron"],
    "linear": ALGORITHMS["ridge"],
    "kernel": ALGORITHMS["ridge"],
}
"""Whose features a family takes."""


@dataclass(frozen=True, slots=True)
class Material:
    """`target` has a value for each row of the table: numbers, or codes of the `classes` among the training rows.
    `preparation` gives the unfitted transformer for an algorithm and rows."""

    features: pd.DataFrame
    target: Array
    rows: Array
    classes: int
    preparation: Callable[[Algorithm, Array], Any]

    def transformer(self, family: str, rows: Array) -> Any:
        return self.preparation(LIKE[family], rows)


def inner_folds(kind: SplitKind, split: Split, rows: splits.Rows, folds: int, seed: int) -> list[splits.Parts]:
    """Folds among the training rows, of the kind by which the run itself is judged: rows that test are later where
    time is kept, and other groups where groups stay whole. Raises InvalidInputError where they cannot be drawn."""
    inner = _INNER[kind]
    if inner is SplitKind.GROUP_KFOLD:
        folds = min(folds, len(np.unique(rows.sites)))
    if inner is SplitKind.EXPANDING:
        folds = min(folds, len(np.unique(rows.moments)) - 1)
    if inner is SplitKind.KFOLD and rows.codes is not None:
        _, sizes = np.unique(rows.classes, return_counts=True)
        inner = SplitKind.STRATIFIED_KFOLD if sizes.min() > 1 else inner
    folds = min(folds, len(rows) // splits.MIN_PART)
    if folds < 2:
        raise InvalidInputError.at(
            "algorithm", msg="the training part is too small to be divided again", code="few_rows"
        )
    return splits.draw(
        inner, Split(inner, folds=folds, gap=split.gap if inner.is_chronological else 0.0), rows, seed=seed
    )


_INNER: Mapping[SplitKind, SplitKind] = {
    SplitKind.RANDOM: SplitKind.KFOLD,
    SplitKind.STRATIFIED: SplitKind.KFOLD,
    SplitKind.KFOLD: SplitKind.KFOLD,
    SplitKind.STRATIFIED_KFOLD: SplitKind.KFOLD,
    SplitKind.GROUP: SplitKind.GROUP_KFOLD,
    SplitKind.GROUP_KFOLD: SplitKind.GROUP_KFOLD,
    SplitKind.CHRONOLOGICAL: SplitKind.EXPANDING,
    SplitKind.WATER_YEARS: SplitKind.EXPANDING,
    SplitKind.EXPANDING: SplitKind.EXPANDING,
    SplitKind.SLIDING: SplitKind.EXPANDING,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fold as a learner gets it; classes have the codes 0, 1, 2… among those that train, `known`."""

    features: Array
    target: Array
    validation: Validation
    tested: Array
    """The features of every row that tests."""
    known: Array

    def widened(self, said: Array, classes: int) -> Array:
        """What a model said, with a column for each class there is."""
        if not classes or len(self.known) == classes:
            return said.astype(np.float32)
        wide = np.full((len(said), classes), _UNKNOWN)
        wide[:, self.known] = said
        return floored(wide, _UNKNOWN).astype(np.float32)


@dataclass(slots=True)
class Folds:
    """The folds of a material, prepared for each family once."""

    material: Material
    parts: list[splits.Parts]
    _kept: dict[tuple[int, bool, bool], tuple[Array, Array]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def tested(self) -> Array:
        """The rows that test, fold by fold."""
        return np.concatenate([part.test for part in self.parts])

    @property
    def numbers(self) -> Array:
        """Of each of those rows its fold."""
        return np.repeat(np.arange(len(self.parts)), [len(part.test) for part in self.parts])

    def prepared(self, fold: int, family: str) -> Prepared:
        part, target = self.parts[fold], self.material.target
        features, tested = self._matrices(fold, family)
        train, test = target[part.train], target[part.test]
        if not self.material.classes:
            return Prepared(features, train, Validation(tested, test), tested, np.arange(0))
        known, codes = np.unique(train, return_inverse=True)
        among = np.isin(test, known)
        validation = Validation(tested[among], np.searchsorted(known, test[among]))
        return Prepared(features, codes, validation, tested, known)

    def _matrices(self, fold: int, family: str) -> tuple[Array, Array]:
        like = LIKE[family]
        key = (fold, like.needs_scaling, like.handles_missing)
        if key in self._kept:
            return self._kept[key]
        part, material = self.parts[fold], self.material
        transformer = material.transformer(family, part.train)
        train = transformer.fit_transform(material.features.iloc[part.train], material.target[part.train])
        found = np.asarray(train, np.float64), np.asarray(transformer.transform(material.features.iloc[part.test]))
        if sum(one.size + other.size for one, other in (*self._kept.values(), found)) <= _CACHED:
            self._kept[key] = found
        return found
