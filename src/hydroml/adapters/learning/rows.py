"""The rows a run was judged on, each with its part, what was observed and what a model said: every metric's origin."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hydroml.adapters.learning.frames import Array, Frame, label_text
from hydroml.adapters.learning.judging import Answers
from hydroml.adapters.learning.splits import Parts
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.experiments.runs import RowTable
from hydroml.domain.sources import Column, ColumnType

GROUP_ROWS = 122_880
_ROW, _PART, _FOLD = "row", "part", "fold"


class RowWriter:
    """Writes one Parquet file, fold by fold and part by part: rows in their table's order, numbered from 1.

    Columns: row, fold (where there are several), part (test or train), the time and the group where the task names
    them, observed, predicted, error (predicted − observed) and its absolute value, or for classes the predicted one's
    probability and whether it is correct.
    """

    def __init__(self, task: TrainingTask, frame: Frame, file: Path, *, folded: bool) -> None:
        self._frame, self._file, self._folded, self._rows = frame, file, folded, 0
        self._labels = np.array([label_text(label) for label in frame.target.classes] or [""], dtype=object)
        types = {_ROW: ColumnType.INTEGER, _FOLD: ColumnType.INTEGER, _PART: ColumnType.TEXT}
        if not folded:
            del types[_FOLD]
        if task.problem.is_classification:
            kinds = (ColumnType.TEXT, ColumnType.TEXT, ColumnType.NUMBER, ColumnType.BOOLEAN)
            own = dict(zip(("observed", "predicted", "probability", "correct"), kinds, strict=True))
        else:
            own = dict.fromkeys(("observed", "predicted", "error", "absolute_error"), ColumnType.NUMBER)
        wanted = task.specification
        self._time = _free(wanted.time_column, types | own) if frame.times else None
        self._group = _free(wanted.group_column, types | own) if frame.groups else None
        if self._time and frame.times:
            types[self._time] = frame.times.type if frame.times.is_calendar else ColumnType.NUMBER
        if self._group:
            types[self._group] = ColumnType.TEXT
        self._columns = tuple(Column(name, kind) for name, kind in (types | own).items())
        self._schema = pa.schema([(name, self._arrow(kind)) for name, kind in (types | own).items()])
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd", compression_level=1)

    @property
    def table(self) -> RowTable:
        """Of the file, once it is closed."""
        return RowTable(self._columns, self._rows, self._file.stat().st_size)

    def add(self, fold: int, part: str, answers: Answers) -> None:
        answers = answers.at(np.argsort(answers.rows, kind="stable"))
        values: dict[str, Any] = {_ROW: answers.rows + 1, _PART: np.full(len(answers.rows), part, dtype=object)}
        if self._folded:
            values[_FOLD] = np.full(len(answers.rows), fold)
        if self._time and self._frame.times:
            values[self._time] = self._frame.times.values[answers.rows]
        if self._group and self._frame.groups:
            names = np.array(self._frame.groups.names, dtype=object)
            values[self._group] = names[self._frame.groups.codes[answers.rows]]
        values |= self._said(answers)
        arrays = [pa.array(values[field.name], from_pandas=True).cast(field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), GROUP_ROWS)
        self._rows += len(answers.rows)

    def _said(self, answers: Answers) -> Mapping[str, Array]:
        if answers.probabilities is None:
            observed, predicted = answers.observed, answers.predicted
            error = predicted - observed
            return {"observed": observed, "predicted": predicted, "error": error, "absolute_error": np.abs(error)}
        return {
            "observed": self._labels[answers.observed],
            "predicted": self._labels[answers.predicted],
            "probability": answers.probabilities[np.arange(len(answers.rows)), answers.predicted],
            "correct": answers.observed == answers.predicted,
        }

    def _arrow(self, kind: ColumnType) -> pa.DataType:
        match kind:
            case ColumnType.INTEGER:
                return pa.int64()
            case ColumnType.NUMBER:
                return pa.float64()
            case ColumnType.BOOLEAN:
                return pa.bool_()
            case ColumnType.DATE:
                return pa.date32()
            case ColumnType.TEXT:
                return pa.string()
            case _:
                zoned = self._frame.times is not None and self._frame.times.zoned
                return pa.timestamp("us", "UTC" if zoned else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def twins(frame: Frame, parts: Parts) -> int:
    """How many test rows agree with a training row in the target and every feature, by a hash of 64 bits."""
    if not len(frame.features.columns):
        return 0
    used = np.concatenate([parts.train, parts.test])
    hashes = pd.util.hash_pandas_object(frame.features.iloc[used], index=False).to_numpy()
    hashes = hashes * np.uint64(31) + pd.util.hash_array(frame.target.values[used])
    return int(np.isin(hashes[len(parts.train) :], hashes[: len(parts.train)]).sum())


def _free(name: str | None, taken: Mapping[str, Any]) -> str | None:
    return f"{name} of the table" if name in taken else name
