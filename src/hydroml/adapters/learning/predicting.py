"""Predictions of a fitted pipeline: for training's own scores, for rows of JSON and for Parquet tables."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import config_context
from threadpoolctl import ThreadpoolController, threadpool_limits  # type: ignore[import-untyped]

from hydroml.adapters.learning import compiled, inputs
from hydroml.adapters.learning.frames import Array, label_text
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Predictions, PredictionWarning
from hydroml.domain.experiments.runs import DerivedFeature, Feature, Outcome

BLOCK = 20_000
_BLOCKS = 8
"""So many at least, of a table that is worth dividing."""
ROW_GROUP = 50_000


def in_blocks(
    predict: Callable[[Any], Any],
    features: pd.DataFrame,
    rows: Array,
    threads: int,
    report: Callable[[float], None] = lambda _: None,
) -> Array:
    """What `predict` gives for these rows, block by block on several threads: bounded memory, and the same digits
    for any number of threads, as the blocks are the same. Each thread keeps to itself, rather than start as many
    again by OpenMP."""
    size = min(BLOCK, max(len(rows) // _BLOCKS, 1_000))
    bounds = range(0, len(rows), size)
    if len(bounds) == 1:
        with threadpool_limits(threads, "openmp"), threadpool_limits(1, "blas"):
            return np.asarray(predict(features.iloc[rows]))
    parts: list[Any] = []
    with (
        threadpool_limits(1, "blas"),
        ThreadPoolExecutor(threads, initializer=partial(threadpool_limits, 1, "openmp")) as pool,
    ):
        blocks = (rows[start : start + size] for start in bounds)
        while batch := list(islice(blocks, threads)):
            parts += pool.map(lambda block: predict(features.iloc[block]), batch)
            report(len(parts) / len(bounds))
    return np.concatenate(parts)


def predict_rows(pipeline: Any, outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> Predictions:
    """See the port."""
    columns = inputs.of_rows(outcome, rows)
    if not rows:
        return Predictions((), () if outcome.classes else None, ())
    fast = compiled.known(pipeline)
    model, seen = (pipeline, inputs.framed(columns)) if fast is None else (fast.estimator, fast.matrix(columns))
    probabilities = intervals = None
    # waking threads, once for each tree, takes longer than these rows do on one
    with _openmp(_loaded()).limit(limits=1, user_api="openmp"), config_context(assume_finite=True):
        if outcome.classes:
            labels, shares = model.classes_.tolist(), model.predict_proba(seen)
            predicted = model.predict(seen).tolist()
            texts = [label_text(label) for label in labels]
            probabilities = tuple(dict(zip(texts, p, strict=True)) for p in shares.tolist())
        else:
            predicted = model.predict(seen).tolist()
    if outcome.interval is not None:
        half = outcome.interval.half_width
        intervals = tuple((value - half, value + half) for value in predicted)
    return Predictions(tuple(predicted), probabilities, tuple(_row_warnings(outcome, rows, columns)), intervals)


@cache
def _openmp(_: tuple[str, ...]) -> ThreadpoolController:
    """The libraries with threads that are loaded; to look for them takes a millisecond."""
    return ThreadpoolController()


def _loaded() -> tuple[str, ...]:
    return tuple(name for name in ("lightgbm", "xgboost", "catboost") if name in sys.modules)


def predict_table(  # noqa: PLR0917
    pipeline: Any, outcome: Outcome, target: str, table: Path, out: Path, monitor: Monitor, *, threads: int, limit: int
) -> None:
    """See the port."""
    with pq.ParquetFile(table) as parquet:
        schema = parquet.schema_arrow.remove_metadata()
        reader = inputs.TableReader(outcome, parquet, limit)
        added = _added_fields(pipeline, outcome, target, schema)
        total, done = max(parquet.metadata.num_rows, 1), 0
        counts: Counter[tuple[str, str]] = Counter()
        with pq.ParquetWriter(out, pa.schema([*schema, *added]), compression="zstd") as writer:
            for batch in parquet.iter_batches(ROW_GROUP):
                part = pa.Table.from_batches([batch]).replace_schema_metadata(None)
                frame = reader.frame(part, done)
                odd = _oddities(outcome, frame)
                found = [*_predictions(pipeline, outcome, frame, threads), _remarks(odd, len(frame))]
                for field, values in zip(added, found, strict=True):
                    part = part.append_column(field, pa.array(values, field.type))
                writer.write_table(part)
                counts.update({(one.name, one.of_all): int(one.rows.sum()) for one in odd})
                done += len(part)
                monitor.report(done / total, "predicting")
    for (name, what), count in sorted(counts.items()):
        monitor.log(f"“{name}”: {count:,} of {done:,} rows {what}", "warning")


def _row_warnings(
    outcome: Outcome, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]
) -> Iterator[PredictionWarning]:
    derived = [(one, columns[one.name].tolist()) for one in outcome.derived]
    for index, row in enumerate(rows):
        for feature in (feature for feature in outcome.features if feature.direct):
            value, name = row[feature.name], feature.name
            if value is None:
                yield PredictionWarning(index, name, "missing", f"“{name}” is missing; the model makes do without it")
            elif feature.categories is not None and value not in feature.categories:
                msg = f"“{name}” was never “{value}” in training"
                yield PredictionWarning(index, name, "unseen_category", msg)
            elif _is_outside(feature, value):
                msg = f"“{name}” lay between {feature.minimum:g} and {feature.maximum:g} in training"
                yield PredictionWarning(index, name, "out_of_range", msg)
        for one, values in derived:
            value, column = values[index], one.derived.column
            if isnan(value) and one.derived.is_past:
                msg = f"“{one.name}” is not known: the earlier rows are not among those given, or lack “{column}”"
                yield PredictionWarning(index, column, "no_history", msg)
            elif not isnan(value) and _is_outside(one, value):
                msg = f"“{one.name}” lay between {one.minimum:g} and {one.maximum:g} in training"
                yield PredictionWarning(index, column, "out_of_range", msg)


def _is_outside(feature: Feature | DerivedFeature, value: Any) -> bool:
    if feature.minimum is None or feature.maximum is None:
        return False
    return not feature.minimum <= float(value) <= feature.maximum


@dataclass(frozen=True, slots=True)
class _Odd:
    """Rows in which a feature is not as in training, said of all of them and of each."""

    name: str
    of_all: str
    rows: Array
    remark: str | Array = ""
    """Of each row, or the same of all; none where it is not worth one."""


def _oddities(outcome: Outcome, frame: pd.DataFrame) -> list[_Odd]:
    odd = []
    for feature in outcome.seen:
        values, name = frame[feature.name], feature.name
        missing = values.isna().to_numpy()
        past = isinstance(feature, DerivedFeature) and feature.derived.is_past
        odd.append(_Odd(name, "have no value", missing, f"“{name}” is not known" if past else ""))
        categories = feature.categories if isinstance(feature, Feature) else None
        if categories is not None:
            unseen = ~missing & ~values.isin(categories).to_numpy()
            never = np.array([f"“{name}” was never “{value}”" for value in values[unseen]], dtype=object)
            odd.append(_Odd(name, "have a category never seen in training", unseen, never))
        elif feature.minimum is not None:
            outside = ((values < feature.minimum) | (values > feature.maximum)).to_numpy()
            remark = f"“{name}” outside {feature.minimum:g} to {feature.maximum:g}"
            odd.append(_Odd(name, "lie outside the range of training", outside, remark))
    return [one for one in odd if one.rows.any()]


def _remarks(odd: Sequence[_Odd], rows: int) -> Array:
    """What is odd in each row, None where nothing is."""
    remarks = np.full(rows, "", dtype=object)
    for one in odd:
        if not isinstance(one.remark, str) or one.remark:
            before = remarks[one.rows]
            remarks[one.rows] = np.where(before == "", "", before + "; ") + one.remark
    remarks[remarks == ""] = None
    return remarks


def _added_fields(pipeline: Any, outcome: Outcome, target: str, schema: pa.Schema) -> list[pa.Field]:
    taken = {name.casefold() for name in schema.names}
    remarks = pa.field(_free(f"{target}_remarks", taken), pa.string())
    predicted = _free(f"{target}_predicted", taken)
    if not outcome.classes:
        bounds = ("lower", "upper") if outcome.interval is not None else ()
        names = [predicted, *(_free(f"{target}_{bound}", taken) for bound in bounds)]
        return [*(pa.field(name, pa.float64()) for name in names), remarks]
    label = pipeline.classes_.tolist()[0]
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    probability = pa.field(_free(f"{target}_probability", taken), pa.float64())
    return [pa.field(predicted, kinds.get(type(label), pa.string())), probability, remarks]


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where the table has it already: nothing of the table is overwritten."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _predictions(pipeline: Any, outcome: Outcome, frame: pd.DataFrame, threads: int) -> list[Any]:
    if not outcome.classes:
        predicted = in_blocks(pipeline.predict, frame, np.arange(len(frame)), threads)
        half = None if outcome.interval is None else outcome.interval.half_width
        return [predicted] if half is None else [predicted, predicted - half, predicted + half]
    probabilities = in_blocks(pipeline.predict_proba, frame, np.arange(len(frame)), threads)
    best = probabilities.argmax(axis=1)
    return [pipeline.classes_[best], probabilities.max(axis=1)]
