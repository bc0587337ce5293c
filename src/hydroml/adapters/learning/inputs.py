"""What comes in for a prediction: checked against what the model learnt from, and made into what it sees."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hydroml.adapters.learning.frames import (
    TEXT_TYPES,
    Array,
    check_memory,
    derive,
    feature_frame,
    text_array,
)
from hydroml.adapters.learning.reading import LARGEST
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.preparation import Derived
from hydroml.domain.experiments.runs import Feature, Outcome
from hydroml.domain.sources import Column, ColumnType

MAX_FAULTS = 20
_SHOWN = 40
_MOMENT = pa.timestamp("us")


def of_rows(outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the model sees of rows of JSON, whose earlier rows are among them: columns of floats, missing as NaN, and of
    texts, missing as None.

    Raises InvalidInputError for a missing column or a value of the wrong type, naming row and column.
    """
    faults = list(islice(_row_faults(outcome, rows), MAX_FAULTS))
    if faults:
        raise InvalidInputError(f"these rows do not fit the model: {faults[0].msg}", tuple(faults))
    columns: dict[str, Any] = {}
    for feature in outcome.features:
        if feature.direct:
            values = [row[feature.name] for row in rows]
            texts = feature.type in TEXT_TYPES
            columns[feature.name] = values if texts else np.array([nan if v is None else float(v) for v in values])
    if outcome.derived:
        table = pa.table({f.name: _array(f, [row[f.name] for row in rows]) for f in outcome.features})
        columns |= derive(table, _derived(outcome), *_order(outcome))
    return columns


def framed(columns: Mapping[str, Any]) -> pd.DataFrame:
    """The same as a frame, as pipelines take it."""
    return pd.DataFrame(
        {name: text_array(values) if isinstance(values, list) else values for name, values in columns.items()}
    )


class TableReader:
    """What the model sees of a Parquet file, part by part; what is past is looked up beforehand in all of its rows.

    Raises InvalidInputError when a column is missing or has another type, TooLargeError when the past does not fit.
    """

    def __init__(self, outcome: Outcome, parquet: pq.ParquetFile, limit: int) -> None:
        _check_schema(outcome.features, parquet.schema_arrow)
        self._outcome = outcome
        self._dates = [one for one in _derived(outcome) if not one.is_past]
        past = [one for one in _derived(outcome) if one.is_past]
        self._past: dict[str, Array] = {}
        if past:
            time, group = _order(outcome)
            needed = [c.name for c in (time, group) if c is not None] + [one.column for one in past]
            check_memory(parquet.metadata.num_rows, len(past) + len(needed), 0, limit)
            table = parquet.read(columns=list(dict.fromkeys(needed)))
            self._past = derive(table, past, time, group)

    def frame(self, part: pa.Table, start: int) -> pd.DataFrame:
        """Of the rows in `part`, of which the first is row `start` of the table."""
        frame, _ = feature_frame(part, _direct(self._outcome))
        made = derive(part, self._dates)
        past = {name: values[start : start + len(part)] for name, values in self._past.items()}
        return frame.assign(**made, **past) if made or past else frame


def _direct(outcome: Outcome) -> list[Column]:
    return [_column(feature) for feature in outcome.features if feature.direct]


def _derived(outcome: Outcome) -> list[Derived]:
    return [one.derived for one in outcome.derived]


def _order(outcome: Outcome) -> tuple[Column | None, Column | None]:
    """The columns of time and group by which earlier rows are known."""
    by_name = {feature.name: _column(feature) for feature in outcome.features}
    return by_name.get(outcome.time_column or ""), by_name.get(outcome.group_column or "")


def _column(feature: Feature) -> Column:
    return Column(feature.name, ColumnType(feature.type))


def _row_faults(outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    for index, row in enumerate(rows):
        for feature in outcome.features:
            place = ("rows", index, feature.name)
            if feature.name not in row:
                yield Fault(place, f"row {index + 1} has no “{feature.name}”; give null if it is missing", "required")
            elif (message := _complaint(feature, row[feature.name])) is not None:
                words = f"row {index + 1}: “{feature.name}” {message}, not {_shown(row[feature.name])}"
                yield Fault(place, words, "wrong_type")


def _shown(value: Any) -> str:
    """What was given, in short, as it stands in JSON."""
    text = f"“{value}”" if isinstance(value, str) else json.dumps(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
    return f"{text} (null is a missing value)" if isinstance(value, float) and not isfinite(value) else text


def _complaint(feature: Feature, value: Any) -> str | None:
    if value is None:
        return None
    if feature.type in TEXT_TYPES:
        return None if isinstance(value, str) else "is text"
    if feature.type == ColumnType.BOOLEAN:
        return None if isinstance(value, bool) else "is true or false"
    if ColumnType(feature.type).is_temporal:
        return None if _moment(value) is not None else "is a date or time such as 2026-03-01 or 2026-03-01T12:00:00"
    return None if _is_number(value, feature.type) else "is a number"


def _moment(value: Any) -> datetime | None:
    """In UTC where it says of which zone it is."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _is_number(value: Any, kind: str) -> bool:
    if isinstance(value, str) and kind in (ColumnType.DECIMAL, ColumnType.INTEGER):
        # the API gives out large integers and decimals as text, so that no digit is lost on the way
        try:
            value = float(value)
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _array(feature: Feature, values: Sequence[Any]) -> pa.Array:
    if feature.type in TEXT_TYPES:
        return pa.array(values, pa.string())
    if ColumnType(feature.type).is_temporal:
        return pa.array([None if v is None else _moment(v) for v in values], _MOMENT)
    return pa.array([None if v is None else float(v) for v in values], pa.float64())


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
    if ColumnType(feature.type).is_temporal:
        return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
