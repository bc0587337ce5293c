"""A fitted preparation as what it comes to: numbers go through a few formulas, texts through tables of numbers.

scikit-learn takes milliseconds to do so to one row; this takes a fraction of one, to the same digits. The same
description is what a model is written in ONNX from.
"""

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
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

from hydroml.adapters.learning.frames import Array, text_array


class NotCompiledError(Exception):
    """A part of the preparation has no such description; the message names it."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Missing values become these, one for each column."""

    values: Array

    def of(self, x: Array) -> Array:
        return np.where(np.isnan(x), self.values, x)


@dataclass(frozen=True, slots=True)
class Floor:
    """What lies below becomes these, one for each column."""

    values: Array

    def of(self, x: Array) -> Array:
        return np.clip(x, self.values, None)


@dataclass(frozen=True, slots=True)
class Log1p:
    def of(self, x: Array) -> Array:
        return np.log1p(x)


@dataclass(frozen=True, slots=True)
class Scale:
    """(x − shift) / by, or where `multiply` is set x · by + shift."""

    shift: Array
    by: Array
    multiply: bool = False

    def of(self, x: Array) -> Array:
        return x * self.by + self.shift if self.multiply else (x - self.shift) / self.by


Formula = Fill | Floor | Log1p | Scale


@dataclass(frozen=True, slots=True)
class Numbers:
    """Columns of numbers, and what is done to all of them, in this order."""

    columns: tuple[str, ...]
    formulas: tuple[Formula, ...]

    def of(self, columns: Mapping[str, Any]) -> Array:
        x: Array = np.column_stack([columns[name] for name in self.columns])
        for formula in self.formulas:
            x = formula.of(x)
        return x


@dataclass(frozen=True, slots=True)
class Indicator:
    """1 where a column has no value, else 0."""

    columns: tuple[str, ...]
    texts: bool

    def of(self, columns: Mapping[str, Any]) -> Array:
        if self.texts:
            return np.column_stack([[float(v is None) for v in columns[name]] for name in self.columns])
        return np.column_stack([np.isnan(columns[name]) for name in self.columns]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column of texts: the row of `table` for each category; the last two are of one never seen, and of none."""

    column: str
    rows: Mapping[str, int]
    table: Array

    def of(self, columns: Mapping[str, Any]) -> Array:
        unknown, missing = len(self.table) - 2, len(self.table) - 1
        found = [missing if v is None else self.rows.get(v, unknown) for v in columns[self.column]]
        row: Array = self.table[found]
        return row


Block = Numbers | Indicator | Lookup


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pipeline whose preparation is described, block beside block, and what learnt from it."""

    blocks: tuple[Block, ...]
    estimator: Any

    def matrix(self, columns: Mapping[str, Any]) -> Array:
        """What the estimator sees: `columns` are floats with NaN, and lists of texts with None."""
        return np.hstack([block.of(columns) for block in self.blocks])


def compiled(pipeline: Any) -> Compiled:
    """Raises NotCompiledError, naming the part of the preparation that is in the way."""
    if not isinstance(pipeline, Pipeline) or not isinstance(pipeline[0], ColumnTransformer) or len(pipeline) != 2:
        raise NotCompiledError("an ensemble whose members prepare the columns each in their own way")
    blocks: list[Block] = []
    for name, transformer, columns in pipeline[0].transformers_:
        if len(columns):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a category is not known is what is asked
                blocks += _blocks(name, transformer, list(columns))
    return Compiled(tuple(blocks), pipeline[1])


_known: "WeakKeyDictionary[Any, Compiled | None]" = WeakKeyDictionary()
_lock = threading.Lock()


def known(pipeline: Any) -> Compiled | None:
    """The same, made once for each pipeline that is in memory; None where it cannot be."""
    if pipeline not in _known:
        try:
            made = compiled(pipeline)
        except NotCompiledError:
            made = None
        with _lock:
            _known[pipeline] = made
    return _known[pipeline]


def _blocks(name: str, transformer: Any, columns: list[str]) -> Iterator[Block]:
    steps = [step for _, step in transformer.steps] if isinstance(transformer, Pipeline) else [transformer]
    last = steps[-1]
    if isinstance(last, MissingIndicator):
        if len(last.features_):
            yield Indicator(tuple(columns[at] for at in last.features_), texts=name.startswith("texts"))
    elif isinstance(last, OneHotEncoder | OrdinalEncoder | TargetEncoder | FrozenEstimator):
        yield from _lookups(transformer, last, columns)
    else:
        if isinstance(last, HashingVectorizer):
            raise NotCompiledError(f"the hashed words of {_named(columns)}")
        formulas = [formula for step in steps for formula in _formulas(step, columns)]
        yield Numbers(tuple(columns), tuple(formulas))


def _formulas(step: Any, columns: Sequence[str]) -> Iterator[Formula]:
    match step:
        case SimpleImputer():
            yield Fill(np.asarray(step.statistics_, dtype=np.float64))
        case FunctionTransformer() if step.func is None:
            pass
        case FunctionTransformer() if step.func is np.clip:
            yield Floor(np.asarray(step.kw_args["a_min"], dtype=np.float64))
        case FunctionTransformer() if step.func is np.log1p:
            yield Log1p()
        case StandardScaler():
            yield Scale(step.mean_, step.scale_)
        case RobustScaler():
            yield Scale(step.center_, step.scale_)
        case MinMaxScaler():
            yield Scale(step.min_, step.scale_, multiply=True)
        case _:
            raise NotCompiledError(f"{_WORDS.get(type(step), type(step).__name__)} of {_named(columns)}")


_WORDS: Mapping[type, str] = {
    PowerTransformer: "the power transformation",
    QuantileTransformer: "the quantile transformation",
}


def _lookups(transformer: Any, encoder: Any, columns: list[str]) -> Iterator[Lookup]:
    """A table for each column, read off what the transformer makes of every category, of a new one and of none."""
    encoder = encoder.estimator if isinstance(encoder, FrozenEstimator) else encoder
    known = [[one for one in categories if isinstance(one, str)] for categories in encoder.categories_]
    start = 0
    for at, (column, categories) in enumerate(zip(columns, known, strict=True)):
        new = max(categories, default="") + "\x01"
        asked = [*categories, new, None]
        frame = pd.DataFrame({name: text_array(asked if name == column else [None] * len(asked)) for name in columns})
        width = _width(encoder, at)
        table = np.asarray(transformer.transform(frame), dtype=np.float64)[:, start : start + width]
        yield Lookup(column, {one: row for row, one in enumerate(categories)}, table)
        start += width


def _width(encoder: Any, at: int) -> int:
    if isinstance(encoder, OneHotEncoder):
        infrequent = encoder.infrequent_categories_[at]
        return len(encoder.categories_[at]) - (0 if infrequent is None else len(infrequent) - 1)
    if isinstance(encoder, TargetEncoder) and encoder.target_type_ == "multiclass":
        return len(encoder.classes_)
    return 1


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in columns[:3]) + (" …" if len(columns) > 3 else "")
