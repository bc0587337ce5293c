"""Predictions of a fitted pipeline: for training's own scores, for rows of JSON and for Parquet tables."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hydroml.adapters.learning.frames import TEXT_TYPES, Array, feature_frame, label_text
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Predictions, PredictionWarning
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.runs import Feature, Outcome
from hydroml.domain.sources import Column, ColumnType

BLOCK = 20_000
_BLOCKS = 8
"""So many at least, of a table that is worth dividing."""
ROW_GROUP = 50_000
MAX_FAULTS = 20
_TOO_LARGE = float(np.finfo(np.float32).max)
"""Trees hold thresholds in single precision and refuse numbers beyond it."""


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
    faults = list(islice(_row_faults(outcome.features, rows), MAX_FAULTS))
    if faults:
        raise InvalidInputError(f"these rows do not fit the model: {faults[0].msg}", tuple(faults))
    if not rows:
        return Predictions((), () if outcome.classes else None, ())
    columns = {}
    for feature in outcome.features:
        values = [row[feature.name] for row in rows]
        if feature.type in TEXT_TYPES:
            columns[feature.name] = pa.array(values, pa.string())
        else:
            columns[feature.name] = pa.array([None if v is None else float(v) for v in values], pa.float64())
    frame, _ = feature_frame(pa.table(columns), _columns(outcome))
    predicted = pipeline.predict(frame).tolist()
    probabilities = None
    if outcome.classes:
        labels = [label_text(c) for c in pipeline.classes_.tolist()]
        probabilities = tuple(dict(zip(labels, p, strict=True)) for p in pipeline.predict_proba(frame).tolist())
    return Predictions(tuple(predicted), probabilities, tuple(_row_warnings(outcome.features, rows)))


def predict_table(  # noqa: PLR0917
    pipeline: Any, outcome: Outcome, target: str, table: Path, out: Path, monitor: Monitor, *, threads: int
) -> None:
    """See the port."""
    with pq.ParquetFile(table) as parquet:
        schema = parquet.schema_arrow.remove_metadata()
        _check_schema(outcome.features, schema)
        added = _added_fields(pipeline, outcome, target, schema)
        total, done = max(parquet.metadata.num_rows, 1), 0
        odd: Counter[tuple[str, str]] = Counter()
        with pq.ParquetWriter(out, pa.schema([*schema, *added]), compression="zstd") as writer:
            for batch in parquet.iter_batches(ROW_GROUP):
                part = pa.Table.from_batches([batch]).replace_schema_metadata(None)
                frame, _ = feature_frame(part, _columns(outcome))
                for field, values in zip(added, _predictions(pipeline, outcome, frame, threads), strict=True):
                    part = part.append_column(field, pa.array(values, field.type))
                writer.write_table(part)
                odd.update(_oddities(outcome.features, frame))
                done += len(part)
                monitor.report(done / total, "predicting")
    for (name, what), count in sorted(odd.items()):
        monitor.log(f"“{name}”: {count:,} of {done:,} rows {what}", "warning")


def _columns(outcome: Outcome) -> list[Column]:
    return [Column(f.name, ColumnType(f.type)) for f in outcome.features]


def _row_faults(features: Sequence[Feature], rows: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    for index, row in enumerate(rows):
        for feature in features:
            place = ("rows", index, feature.name)
            if feature.name not in row:
                yield Fault(place, f"row {index + 1} has no “{feature.name}”; give null if it is missing", "required")
            elif (message := _complaint(feature, row[feature.name])) is not None:
                yield Fault(place, f"row {index + 1}: “{feature.name}” {message}", "wrong_type")


def _complaint(feature: Feature, value: Any) -> str | None:
    if value is None:
        return None
    if feature.type in TEXT_TYPES:
        return None if isinstance(value, str) else "is text"
    if feature.type == ColumnType.BOOLEAN:
        return None if isinstance(value, bool) else "is true or false"
    return None if _is_number(value, feature.type) else "is a number"


def _is_number(value: Any, kind: str) -> bool:
    if isinstance(value, str) and kind in (ColumnType.DECIMAL, ColumnType.INTEGER):
        # the API gives out large integers and decimals as text, so that no digit is lost on the way
        try:
            value = float(value)
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _TOO_LARGE


def _row_warnings(features: Sequence[Feature], rows: Sequence[Mapping[str, Any]]) -> Iterator[PredictionWarning]:
    for index, row in enumerate(rows):
        for feature in features:
            value, name = row[feature.name], feature.name
            if value is None:
                yield PredictionWarning(index, name, "missing", f"“{name}” is missing; the model makes do without it")
            elif feature.categories is not None and value not in feature.categories:
                msg = f"“{name}” was never “{value}” in training"
                yield PredictionWarning(index, name, "unseen_category", msg)
            elif _is_outside(feature, value):
                msg = f"“{name}” lay between {feature.minimum:g} and {feature.maximum:g} in training"
                yield PredictionWarning(index, name, "out_of_range", msg)


def _is_outside(feature: Feature, value: Any) -> bool:
    if feature.minimum is None or feature.maximum is None:
        return False
    return not feature.minimum <= float(value) <= feature.maximum


def _oddities(features: Sequence[Feature], frame: pd.DataFrame) -> dict[tuple[str, str], int]:
    counts = {}
    for feature in features:
        values = frame[feature.name]
        counts[feature.name, "have no value"] = int(values.isna().sum())
        if feature.categories is not None:
            unseen = values.notna() & ~values.isin(feature.categories)
            counts[feature.name, "have a category never seen in training"] = int(unseen.sum())
        elif feature.minimum is not None:
            outside = (values < feature.minimum) | (values > feature.maximum)
            counts[feature.name, "lie outside the range of training"] = int(outside.sum())
    return {key: count for key, count in counts.items() if count}


def _check_schema(features: Sequence[Feature], schema: pa.Schema) -> None:
    faults = []
    for feature in features:
        index = schema.get_field_index(feature.name)
        if index < 0:
            faults.append(Fault(("features", feature.name), f"the table has no column “{feature.name}”", "required"))
        elif not _fits(feature, schema.field(index).type):
            wanted = "text" if feature.type in TEXT_TYPES else feature.type
            msg = f"“{feature.name}” is {schema.field(index).type} in this table; the model was trained on {wanted}"
            faults.append(Fault(("features", feature.name), msg, "wrong_type"))
    if faults:
        raise InvalidInputError(faults[0].msg, tuple(faults))


def _fits(feature: Feature, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return True
    if feature.type in TEXT_TYPES:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
    if feature.type == ColumnType.BOOLEAN:
        return bool(pa.types.is_boolean(kind))
    if feature.type == ColumnType.DURATION:
        return bool(pa.types.is_duration(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _added_fields(pipeline: Any, outcome: Outcome, target: str, schema: pa.Schema) -> list[pa.Field]:
    taken = {name.casefold() for name in schema.names}
    predicted = _free(f"{target}_predicted", taken)
    if not outcome.classes:
        return [pa.field(predicted, pa.float64())]
    label = pipeline.classes_.tolist()[0]
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    probability = _free(f"{target}_probability", taken)
    return [pa.field(predicted, kinds.get(type(label), pa.string())), pa.field(probability, pa.float64())]


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where the table has it already: nothing of the table is overwritten."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _predictions(pipeline: Any, outcome: Outcome, frame: pd.DataFrame, threads: int) -> list[Any]:
    if not outcome.classes:
        return [in_blocks(pipeline.predict, frame, np.arange(len(frame)), threads)]
    probabilities = in_blocks(pipeline.predict_proba, frame, np.arange(len(frame)), threads)
    best = probabilities.argmax(axis=1)
    return [pipeline.classes_[best], probabilities.max(axis=1)]
