"""Arrow columns as the arrays that everything is computed from.

This module imports nothing of HydroML, because its functions go along with the script of a run as they stand.
"""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Array = NDArray[Any]
Label = int | float | str | bool

LARGEST = float(np.finfo(np.float32).max)
"""Trees hold thresholds in single precision and refuse numbers beyond it."""
TEXT: Any = pd.StringDtype("pyarrow", na_value=np.nan)
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def numbers(column: pa.ChunkedArray) -> Array:
    """Floats: a duration in seconds, a boolean as 0 or 1, NaN for what is missing. Raises ArrowException for others."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return numbers(column.cast(kind.value_type))
    if pa.types.is_duration(kind):
        seconds: Array = column.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy() / _PER_SECOND[kind.unit]
        return seconds
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    floats: Array = column.cast(pa.float64(), safe=False).to_numpy()
    return floats


def finite(values: Array) -> Array:
    """The same with NaN for what is infinite or too large for a tree to hold."""
    immense = np.abs(values) > LARGEST
    return np.where(immense, np.nan, values) if immense.any() else values


def texts(column: pa.ChunkedArray) -> Any:
    """Texts, NaN for what is missing."""
    return TEXT.__from_arrow__(column.cast(pa.large_string()))


def moments(column: pa.ChunkedArray) -> Array:
    """Dates and times as datetime64 in microseconds, NaT for what is missing."""
    zone = getattr(column.type, "tz", None)
    whole = column.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    # beside missing ones they would come as floats, of which microseconds would lose their last digits
    values: Array = whole.fill_null(np.iinfo(np.int64).min).to_numpy()  # the smallest stands for NaT
    return values.view("datetime64[us]")


def group_codes(column: pa.ChunkedArray) -> tuple[Array, list[Any]]:
    """Which group each row belongs to, as its place in the list; missing values are a group of their own."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    array = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    return array.indices.to_numpy(), array.dictionary.to_pylist()


def class_codes(column: pa.ChunkedArray) -> tuple[Array, tuple[Label, ...]]:
    """The class of each row as its place among all of them in order, −1 where it is missing."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        kind = pa.float64()
    elif pa.types.is_integer(kind):
        kind = pa.int64()
    elif not pa.types.is_boolean(kind):
        kind = pa.string()
    plain = column.cast(kind, safe=False)
    if kind == pa.float64():
        plain = pc.if_else(pc.is_finite(plain), plain, pa.scalar(None, kind))
    classes = tuple(sorted(v for v in pc.unique(plain).to_pylist() if v is not None))
    if not classes:
        return np.full(len(plain), -1), ()
    codes = pc.fill_null(pc.index_in(plain, value_set=pa.array(classes, kind)), -1)
    return codes.to_numpy().astype(np.int64), classes
