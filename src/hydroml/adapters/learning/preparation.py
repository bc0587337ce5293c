"""What happens to the features before an algorithm sees them: one transformer, fitted to the training part only.

It consists of scikit-learn's own classes, so that a model can be read without HydroML.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from hydroml.adapters.learning.frames import TEXT_TYPES, Array
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments import cost
from hydroml.domain.experiments.algorithms import Algorithm
from hydroml.domain.experiments.preparation import Encoding, Imputation, Numbers, Scaling, Texts, Transform
from hydroml.domain.experiments.treatment import imputation, scaling
from hydroml.domain.sources import Column, ColumnType

SAMPLE, ENOUGH = 200_000, 20
"""Histogram gradient boosting finds its bins on so many rows, and stumbles over a feature that has no value there: some
are to be expected."""
_UNKNOWN, _MISSING = -1, -2
"""Ordinal codes of a category never seen, and of none."""
QUANTILES = 1_000


class Facts(Protocol):
    """What of the training part some transformers are made by."""

    def quantiles(self, most: int) -> Any:
        """How many there are, at most."""

    def folds(self, kind: type[Any], most: int, seed: int) -> Any:
        """A splitter into so many shuffled folds, or as many as there are rows."""

    def floor(self, columns: list[str]) -> Any:
        """The lowest value of each column, or 0. Raises InvalidInputError for one of −1 and less."""

    def frequencies(self, columns: list[str], filler: Any) -> Any:
        """An encoder by the shares of categories, once `filler`, where there is one, has filled the missing ones."""


@dataclass(frozen=True, slots=True)
class _Training:
    """The facts of a training part that is there."""

    frame: pd.DataFrame

    def quantiles(self, most: int) -> int:
        return min(most, len(self.frame))

    def folds(self, kind: type[Any], most: int, seed: int) -> Any:
        return kind(min(most, len(self.frame)), shuffle=True, random_state=seed)

    def floor(self, columns: list[str]) -> Array:
        lowest = self.frame[columns].min()
        for name, value in lowest[lowest <= -1].items():
            raise InvalidInputError.at(
                "preparation",
                msg=f"“{name}” has values of −1 and less ({value:g}), which have no log1p; take power",
                code="wrong_value",
            )
        floor: Array = np.minimum(lowest.to_numpy(dtype=np.float64), 0.0)
        return floor

    def frequencies(self, columns: list[str], filler: Any) -> TargetEncoder:
        filled = self.frame[columns]
        return frequencies(filled if filler is None else filler.fit_transform(filled))


def usable_features(features: Sequence[Column], training: pd.DataFrame) -> tuple[Column, ...]:
    """Those with at least one value in the training part: of the others nothing can be learnt."""
    return tuple(f for f in features if bool(training[f.name].notna().any()))


def width(task: TrainingTask, features: Sequence[Column], training: pd.DataFrame) -> int:
    """How many columns the prepared table will have, at most."""
    distinct = {f.name: int(training[f.name].nunique()) for f in features if f.type in TEXT_TYPES}
    gaps = {f.name for f in features if bool(training[f.name].isna().any())}
    return cost.width(features, task.specification.preparation, distinct, gaps)


def build(
    task: TrainingTask, features: Sequence[Column], training: pd.DataFrame, algorithm: Algorithm
) -> ColumnTransformer:
    """The unfitted transformer for features that `usable_features` gave; columns it does not name are ignored.

    Raises InvalidInputError where a setting does not suit the training part.
    """
    steps: list[Step] = []
    kinds: Counter[str] = Counter()
    facts = _Training(training)
    for block, names in _blocks(task, features, training, algorithm).items():
        kinds[block.kind] += 1
        number = kinds[block.kind]
        steps += block.steps(block.kind if number == 1 else f"{block.kind} {number}", names, task, facts)
    return ColumnTransformer(steps, sparse_threshold=0)


Step = tuple[str, Any, list[str]]
"""A name, a transformer, and the columns it takes."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Settings in force for some numbers: with `impute` none, an algorithm takes the missing ones as they are."""

    kind: str
    settings: Numbers
    impute: Imputation
    scale: Scaling

    def steps(self, name: str, columns: list[str], _: TrainingTask, facts: Facts) -> Iterator[Step]:
        settings = self.settings
        done: list[tuple[str, Any]] = []
        if self.impute is not Imputation.NONE:
            filler = SimpleImputer(strategy=self.impute.value, fill_value=settings.fill, keep_empty_features=True)
            done.append(("impute", filler))
        done += _transformed(settings.transform, columns, facts)
        if self.scale is not Scaling.NONE:
            done.append(("scale", _SCALERS[self.scale]()))
        yield name, Pipeline(done) if done else "passthrough", columns
        if self.impute is not Imputation.NONE and settings.indicator:
            yield f"{name} missing", _indicator(), columns


@dataclass(frozen=True, slots=True)
class _Texts:
    kind: str
    settings: Texts

    def steps(self, name: str, columns: list[str], task: TrainingTask, facts: Facts) -> Iterator[Step]:
        settings = self.settings
        fillers: list[tuple[str, Any]] = []
        if settings.impute is not Imputation.NONE:
            fillers = [("impute", SimpleImputer(strategy=settings.impute.value, fill_value=settings.fill))]
        if settings.encode is Encoding.HASHING:
            for number, column in enumerate(columns, start=1):
                yield f"{name} hashed {number}", Pipeline(_hashing(settings, fillers)), [column]
        else:
            encoder = _encoder(settings, task, columns, fillers[0][1] if fillers else None, facts)
            yield name, Pipeline([*fillers, ("encode", encoder)]) if fillers else encoder, columns
        if fillers and settings.indicator:
            yield f"{name} missing", _indicator(), columns


def _blocks(
    task: TrainingTask, features: Sequence[Column], training: pd.DataFrame, algorithm: Algorithm
) -> Mapping["Block", list[str]]:
    """Features by what happens to them: those of one treatment share a transformer."""
    enough = ENOUGH * max(1.0, len(training) / SAMPLE)
    found: dict[Block, list[str]] = {}
    for feature in features:
        sparse = bool(training[feature.name].count() < enough)
        found.setdefault(block_of(task, feature, algorithm, sparse=sparse), []).append(feature.name)
    return found


def block_of(task: TrainingTask, feature: Column, algorithm: Algorithm, *, sparse: bool) -> "Block":
    """What happens to a feature, `sparse` where it has few values in training."""
    wanted, name = task.specification.preparation, feature.name
    if feature.type in TEXT_TYPES:
        return _Texts("texts", wanted.texts_of(name))
    derived = next((one for one in task.derived if one.name == name), None)
    numbers = wanted.numbers_of(name) if derived is None else wanted.numbers_of_derived(derived)
    return _numbers(numbers, feature, algorithm, sparse=sparse and algorithm.handles_missing)


def _numbers(settings: Numbers, feature: Column, algorithm: Algorithm, *, sparse: bool) -> _Numbers:
    truth = feature.type is ColumnType.BOOLEAN
    impute = imputation(settings, None if sparse else algorithm, truth=truth)
    if truth:
        plain = Numbers(settings.impute, settings.fill, settings.indicator)
        return _Numbers("booleans", plain, impute, Scaling.NONE)
    return _Numbers("sparse" if sparse else "numbers", settings, impute, scaling(settings, algorithm))


Block = _Numbers | _Texts
_SCALERS = {Scaling.STANDARD: StandardScaler, Scaling.ROBUST: RobustScaler, Scaling.MIN_MAX: MinMaxScaler}


def _indicator() -> Any:
    return MissingIndicator(features="missing-only", error_on_new=False)


def _transformed(transform: Transform, columns: list[str], facts: Facts) -> list[tuple[str, Any]]:
    match transform:
        case Transform.NONE:
            return []
        case Transform.POWER:
            return [("transform", PowerTransformer())]
        case Transform.QUANTILE:
            quantiles = facts.quantiles(QUANTILES)
            normal = QuantileTransformer(n_quantiles=quantiles, output_distribution="normal", random_state=0)
            return [("transform", normal)]
        case Transform.LOG1P:
            # what lies below anything in training counts as the lowest there: its logarithm may not exist
            bounded = FunctionTransformer(np.clip, kw_args={"a_min": facts.floor(columns), "a_max": None})
            return [("floor", bounded), ("transform", FunctionTransformer(np.log1p))]


def _encoder(settings: Texts, task: TrainingTask, columns: list[str], filler: Any, facts: Facts) -> Any:
    rare: Any = {"max_categories": settings.max_categories, "min_frequency": settings.rare or None}
    match settings.encode:
        case Encoding.ORDINAL:
            return OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=_UNKNOWN, encoded_missing_value=_MISSING, **rare
            )
        case Encoding.TARGET:
            kind = StratifiedKFold if task.problem.is_classification else KFold
            folds = facts.folds(kind, settings.folds, task.specification.seed)
            return TargetEncoder(target_type="auto" if task.problem.is_classification else "continuous", cv=folds)
        case Encoding.FREQUENCY:
            return FrozenEstimator(facts.frequencies(columns, filler))
        case _:
            return OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, **rare)


def frequencies(filled: pd.DataFrame | Array) -> TargetEncoder:
    """An encoder of shares of the training rows, 0 for a category that is new. scikit-learn has none; its target
    encoder looks up a number for each category, whatever the number is."""
    encoder = TargetEncoder(target_type="continuous", cv=2).fit(filled, np.zeros(len(filled)))
    encoder.target_mean_ = 0.0
    encoder.encodings_ = []
    for categories, (_, column) in zip(encoder.categories_, pd.DataFrame(filled).items(), strict=True):
        counts, missing = column.value_counts(), int(column.isna().sum())
        shares = [missing if pd.isna(one) else counts[one] for one in categories]
        encoder.encodings_.append(np.array(shares, dtype=np.float64) / len(filled))
    return encoder


def _hashing(settings: Texts, fillers: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Words, each in one of so many columns by its hash (Weinberger et al. 2009, arXiv 0902.2206)."""
    plain = fillers or [("impute", SimpleImputer(strategy="constant", fill_value=""))]
    words = HashingVectorizer(n_features=settings.hash_columns)
    return [*plain, ("line", FunctionTransformer(np.ravel)), ("hash", words)]
