"""Parquet to numbers and text that scikit-learn takes, through Arrow and with the needed columns only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hydroml.adapters.learning import past, reading
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.experiments import cost
from hydroml.domain.experiments.preparation import Derived
from hydroml.domain.sources import Column, ColumnType

Array = reading.Array
Label = reading.Label

TEXT_TYPES = cost.TEXTS


@dataclass(frozen=True, slots=True)
class Times:
    """A time column: `values` are datetime64 or floats, missing as NaT or NaN."""

    values: Array
    type: ColumnType
    zoned: bool = False

    @property
    def known(self) -> Array:
        known: Array = ~(np.isnat(self.values) if self.is_calendar else np.isnan(self.values))
        return known

    @property
    def is_calendar(self) -> bool:
        return self.type.is_temporal

    @property
    def ordinals(self) -> Array:
        """Values that can be compared and subtracted; only those of known times mean anything."""
        return self.values.view(np.int64) if self.is_calendar else self.values

    def texts(self, rows: Array) -> list[Any]:
        """ISO dates and times, or the numbers, for JSON."""
        values = self.values[rows]
        if not self.is_calendar:
            return [None if np.isnan(v) else float(v) for v in values]
        day, second = values.astype("datetime64[D]"), values.astype("datetime64[s]")
        if self.type is ColumnType.DATE:
            values = day
        elif bool(np.all((second == values) | np.isnat(values))):
            values = second
        suffix = "Z" if self.zoned else ""
        return [None if t == "NaT" else t + suffix for t in np.datetime_as_string(values).tolist()]


@dataclass(frozen=True, slots=True)
class Target:
    """A target column: floats for a regression, else the index of each row's class, −1 where it is missing."""

    values: Array
    classes: tuple[Label, ...] = ()

    @property
    def known(self) -> Array:
        known: Array = self.values >= 0 if self.classes else ~np.isnan(self.values)
        return known

    def labels(self, rows: Array) -> Array:
        """What an estimator is fitted to: the numbers, or the classes in their own type."""
        if not self.classes:
            values: Array = self.values[rows]
            return values
        return label_array(self.classes)[self.values[rows]]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group each row belongs to, as an index of `names`; missing values are a group of their own."""

    codes: Array
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    features: pd.DataFrame
    """What a model sees of each row: features as they are, and what is derived."""
    target: Target
    times: Times | None
    groups: Groups | None
    infinite: dict[str, int]
    """How many infinite values of a feature count as missing."""


def label_array(classes: Sequence[Label]) -> Array:
    """The classes in the narrowest type that keeps them; text as objects, since rows of it may differ in length."""
    return np.array(classes, dtype=object if isinstance(classes[0], str) else None)


def label_text(label: Label) -> str:
    """A class as the name of a JSON member."""
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def check_memory(rows: int, numbers: int, texts: int, limit: int) -> None:
    """Raises TooLargeError when reading so many columns would not fit into `limit` bytes."""
    needed = cost.reading_bytes(rows, numbers, texts)
    if needed > limit:
        raise TooLargeError(
            f"reading {rows:,} rows with {numbers + texts:,} columns needs about {cost.in_bytes(needed)} of memory, "
            f"and the limit is {cost.in_bytes(limit)}; take fewer features, or fewer rows by a filter"
        )


def read_frame(
    file: Path,
    *,
    features: Sequence[Column],
    derived: Sequence[Derived] = (),
    target: Column,
    classes: bool,
    time: Column | None,
    group: Column | None,
    limit: int,
) -> Frame:
    """The needed columns of a Parquet file; raises TooLargeError before it would read too much."""
    needed = [*features, target, *(c for c in (time, group) if c is not None)]
    names = list(dict.fromkeys([*(c.name for c in needed), *(one.column for one in derived)]))
    with pq.ParquetFile(file) as parquet:
        texts = sum(feature.type in TEXT_TYPES for feature in features)
        check_memory(parquet.metadata.num_rows, len(names) + len(derived) - texts, texts, limit)
        absent = [name for name in names if name not in parquet.schema_arrow.names]
        if absent:
            raise InvalidInputError.at("target", msg=f"the table has no column “{absent[0]}”", code="unknown_column")
        table = parquet.read(columns=names).select(names)
    frame, infinite = feature_frame(table, features)
    if derived:
        made = derive(table, derived, time, group)
        frame = pd.concat([frame, pd.DataFrame(made, copy=False)], axis=1)
    return Frame(
        frame,
        _classes(table[target.name]) if classes else Target(_numbers(table[target.name])[0]),
        _times(table[time.name], time) if time is not None else None,
        _groups(table[group.name]) if group is not None else None,
        infinite,
    )


def derive(
    table: pa.Table, derived: Sequence[Derived], time: Column | None = None, group: Column | None = None
) -> dict[str, Array]:
    """Derived columns, by name, for all rows of a table: what is past needs `time`, and all of the table's rows."""
    made: dict[str, Array] = {}
    dates: dict[str, Array] = {}
    values: dict[str, Array] = {}
    timeline = None
    for one in derived:
        if one.part is not None:
            if one.column not in dates:
                dates[one.column] = _times(table[one.column], Column(one.column, ColumnType.TIMESTAMP)).values
            made[one.name] = past.date_part(dates[one.column], one.part, one.wave)
            continue
        if timeline is None:
            if time is None:
                raise ValueError("earlier rows are known by their time")
            times = _times(table[time.name], time)
            codes = None if group is None else _groups(table[group.name]).codes
            timeline = past.Timeline(times.ordinals, times.known, codes)
        if one.column not in values:
            values[one.column] = _numbers(table[one.column])[0]
        made[one.name] = timeline.before(values[one.column], one.lag, one.rows, one.statistic)
    return made


def feature_frame(table: pa.Table, features: Sequence[Column]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The features as floats and text, missing as NaN; and how many infinite values became missing in each."""
    columns: dict[str, Any] = {}
    infinite = {}
    for feature in features:
        if feature.type in TEXT_TYPES:
            columns[feature.name] = reading.texts(table[feature.name])
        else:
            columns[feature.name], count = _numbers(table[feature.name])
            if count:
                infinite[feature.name] = count
    return pd.DataFrame(columns, copy=False), infinite


def _numbers(column: pa.ChunkedArray) -> tuple[Array, int]:
    """Floats, and how many infinite ones, or too large for a tree to hold, were turned into missing ones."""
    try:
        values = reading.numbers(column)
    except pa.ArrowException:
        raise InvalidInputError(f"values of type {column.type} cannot be used as numbers") from None
    finite = reading.finite(values)
    return finite, 0 if finite is values else int(np.isnan(finite).sum() - np.isnan(values).sum())


def text_array(values: Sequence[str | None]) -> Any:
    """Texts as a frame of features holds them."""
    return reading.TEXT.__from_arrow__(pa.array(values, pa.large_string()))


def _times(column: pa.ChunkedArray, declared: Column) -> Times:
    if not declared.type.is_temporal:
        return Times(_numbers(column)[0], declared.type)
    return Times(reading.moments(column), declared.type, getattr(column.type, "tz", None) is not None)


def _groups(column: pa.ChunkedArray) -> Groups:
    codes, names = reading.group_codes(column)
    return Groups(codes, tuple("missing" if n is None else label_text(n) for n in names))


def _classes(column: pa.ChunkedArray) -> Target:
    codes, classes = reading.class_codes(column)
    return Target(codes, classes or (0,))
