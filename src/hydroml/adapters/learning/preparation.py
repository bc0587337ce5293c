"""What happens to the features before an algorithm sees them: one transformer, fitted to the training part only."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hydroml.adapters.learning.frames import TEXT_TYPES
from hydroml.domain.experiments.algorithms import Algorithm
from hydroml.domain.experiments.specification import Preparation, Scaling
from hydroml.domain.sources import Column, ColumnType

_SAMPLE = 200_000
"""Histogram gradient boosting finds its bins on so many rows, and stumbles over a feature that has no value there."""


def scaling(preparation: Preparation, algorithm: Algorithm) -> Scaling:
    """The scaling in force."""
    if preparation.scale is not None:
        return preparation.scale
    return Scaling.STANDARD if algorithm.needs_scaling else Scaling.NONE


def usable_features(features: Sequence[Column], training: pd.DataFrame) -> tuple[Column, ...]:
    """Those with at least one value in the training part: of the others nothing can be learnt."""
    return tuple(f for f in features if bool(training[f.name].notna().any()))


def width(features: Sequence[Column], training: pd.DataFrame, preparation: Preparation) -> int:
    """How many columns the prepared table will have, at most."""
    total = 0
    for feature in features:
        if feature.type in TEXT_TYPES:
            total += min(int(training[feature.name].nunique(dropna=False)), preparation.max_categories)
        else:
            total += 1 + (preparation.indicator and bool(training[feature.name].isna().any()))
    return total


def build(
    features: Sequence[Column], training: pd.DataFrame, preparation: Preparation, algorithm: Algorithm
) -> ColumnTransformer:
    """The unfitted transformer for features that `usable_features` gave; columns it does not name are ignored."""
    scale = scaling(preparation, algorithm) is Scaling.STANDARD
    scaler: tuple[Any, ...] = (("scale", StandardScaler()),) if scale else ()
    numbers, booleans, texts, sparse = [], [], [], []
    enough = 20 * max(1.0, len(training) / _SAMPLE)
    for feature in features:
        if feature.type in TEXT_TYPES:
            texts.append(feature.name)
        elif algorithm.handles_missing and training[feature.name].count() < enough:
            sparse.append(feature.name)
        elif feature.type is ColumnType.BOOLEAN:
            booleans.append(feature.name)
        else:
            numbers.append(feature.name)

    def imputed(strategy: str, *then: Any) -> Pipeline:
        imputer = SimpleImputer(strategy=strategy, add_indicator=preparation.indicator, keep_empty_features=True)
        return Pipeline([("impute", imputer), *then])

    as_it_is: Any = Pipeline(list(scaler)) if scaler else "passthrough"
    takes_missing = algorithm.handles_missing
    encoder = OneHotEncoder(
        max_categories=preparation.max_categories, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    steps = [
        ("numbers", as_it_is if takes_missing else imputed(preparation.impute.value, *scaler), numbers),
        ("booleans", "passthrough" if takes_missing else imputed("most_frequent"), booleans),
        ("sparse", imputed(preparation.impute.value, *scaler), sparse),
        ("texts", encoder, texts),
    ]
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)
