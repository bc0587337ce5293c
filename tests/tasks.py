"""Training tasks and a monitor for tests of the learner and the tracker."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from hydroml.adapters.learning import ScikitLearner
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.experiments.runs import ExperimentId, Outcome, Run, RunId
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Specification
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import Column, ColumnType, Origin, OriginKind, SourceId, Version, VersionId

GIGABYTE = 2**30
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_TYPES: list[tuple[Callable[[pa.DataType], bool], ColumnType]] = [
    (pa.types.is_boolean, ColumnType.BOOLEAN),
    (pa.types.is_integer, ColumnType.INTEGER),
    (pa.types.is_floating, ColumnType.NUMBER),
    (pa.types.is_decimal, ColumnType.DECIMAL),
    (pa.types.is_date, ColumnType.DATE),
    (pa.types.is_timestamp, ColumnType.TIMESTAMP),
    (pa.types.is_duration, ColumnType.DURATION),
]


@dataclass
class RecordingMonitor:
    """Remembers what it is told; asks to cancel once `cancel_in` is the phase."""

    cancel_in: str | None = None
    reports: list[tuple[float, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    start: float = 0.0
    end: float = 1.0

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        if progress is not None:
            self.reports.append((self.start + progress * (self.end - self.start), phase or ""))
        if phase is not None and phase == self.cancel_in:
            raise JobCancelledError

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(f"{level}: {message}")

    def interrupting(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    def part(self, start: float, end: float) -> Monitor:
        width = self.end - self.start
        first, last = self.start + start * width, self.start + end * width
        return RecordingMonitor(self.cancel_in, self.reports, self.lines, first, last)

    @property
    def phases(self) -> list[str]:
        return list(dict.fromkeys(phase for _, phase in self.reports))


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    def kind(arrow: pa.DataType) -> ColumnType:
        return next((ours for test, ours in _TYPES if test(arrow)), ColumnType.TEXT)

    return tuple(Column(f.name, kind(f.type), f.nullable) for f in schema)


def table_of(columns: Mapping[str, Any]) -> pa.Table:
    return pa.table({name: v if isinstance(v, pa.Array) else pa.array(v) for name, v in columns.items()})


def task_of(table: pa.Table | Mapping[str, Any], folder: Path, target: str = "y", **specification: Any) -> TrainingTask:
    """A task on a Parquet file in `folder`; `problem` defaults to a regression, `algorithm` to a quick one, and the
    model is not explained beyond its importance."""
    table = table if isinstance(table, pa.Table) else table_of(table)
    file = folder / f"{uuid4().hex}.parquet"
    pq.write_table(table, file)
    columns = columns_of(table.schema)
    problem = specification.pop("problem", Problem.REGRESSION)
    thorough = specification.pop("thorough", False)
    quick = "logistic_regression" if problem.is_classification else "ridge"
    specification.setdefault("algorithm", AlgorithmChoice(quick))
    spec = Specification(name="a run", version_id=VersionId(uuid4()), target=target, problem=problem, **specification)
    return TrainingTask(file, columns, spec, spec.resolved_features(columns), problem, thorough=thorough)


def train(task: TrainingTask, folder: Path, monitor: Monitor | None = None, *, threads: int = 2) -> Trained:
    out = folder / uuid4().hex
    out.mkdir()
    return ScikitLearner(GIGABYTE, threads).train(task, out, monitor or RecordingMonitor())


def run_of(task: TrainingTask, outcome: Outcome, project_id: ProjectId | None = None) -> Run:
    """A run that has succeeded."""
    run = Run(
        id=RunId(uuid4()),
        experiment_id=ExperimentId(uuid4()),
        project_id=project_id or ProjectId(uuid4()),
        specification=task.specification,
        created_by=UserId(uuid4()),
        created_at=NOON,
    )
    run.start(NOON)
    run.succeed(outcome, {}, "blob", "rows", NOON)
    return run


def version_of(task: TrainingTask, rows: int = 100) -> Version:
    return Version(
        id=task.specification.version_id,
        source_id=SourceId(uuid4()),
        number=1,
        columns=task.columns,
        rows=rows,
        size=1_000,
        fingerprint="0123456789abcdef" * 4,
        origin=Origin(OriginKind.UPLOAD),
        created_by=UserId(uuid4()),
        created_at=NOON,
    )
