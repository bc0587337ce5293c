"""The table of a project's runs."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.application.ports.repositories import MAX_LIMIT
from hydroml.application.ports.run_table import RunGroup, RunQuery, RunRow
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.runs import ExperimentId, RunStatus, SuiteId
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, names, whole

router = Router(tags=["runs"])

_USUAL = tuple(f"metrics.test.{name}" for name in METRICS)


class ScoreOut(Schema):
    """The metric that stands for a run, on its test part, beside that of the strongest baseline."""

    metric: str
    value: float
    baseline: str | None
    baseline_value: float | None


class RunRowOut(Schema):
    """A run in the table. `metrics` and `parameters` hold the columns that were asked for, in their places in the
    run's document: `metrics.test.rmse` is `{"test": {"rmse": …}}`. One that was `logged` with MLflow has no experiment,
    data version and seed; its `source` is what logged it."""

    id: UUID
    logged: bool
    experiment_id: UUID | None
    suite_id: UUID | None
    project_id: UUID
    version_id: UUID | None
    source_id: UUID | None
    source: str
    version: int | None
    job_id: UUID | None
    name: str
    status: RunStatus
    error: str | None
    problem: str
    split: str | None
    target: str
    algorithm: str
    seed: int | None
    seconds: float | None
    score: ScoreOut | None
    metrics: dict[str, Any]
    parameters: dict[str, Any]
    tags: list[str]
    notes: str = Field(description="How they begin.")
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: RunRow) -> "RunRowOut":
        placed = _placed(row.values)
        return cls.model_construct(
            id=row.id,
            logged=row.logged,
            experiment_id=row.experiment_id,
            suite_id=row.suite_id,
            project_id=row.project_id,
            version_id=row.version_id,
            source_id=row.source_id,
            source=row.source,
            version=row.version,
            job_id=row.job_id,
            name=row.name,
            status=row.status,
            error=row.error,
            problem=row.problem,
            split=row.split,
            target=row.target,
            algorithm=row.algorithm,
            seed=row.seed,
            seconds=row.seconds,
            score=None
            if row.score is None
            else ScoreOut(
                metric=row.score.metric,
                value=row.score.value,
                baseline=row.score.baseline,
                baseline_value=row.score.baseline_value,
            ),
            metrics=placed.get("metrics", {}),
            parameters=placed.get("parameters", {}),
            tags=list(row.tags),
            notes=row.notes,
            created_by=row.created_by,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


class RunTableIn(Schema):
    """Which runs, in what order, with which columns."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the answer before.")
    offset: int = Field(0, ge=0, description="How many to pass over; a cursor does so by itself.")
    sort: str = Field(
        "-created_at",
        max_length=500,
        description="A field, or a column such as `metrics.test.rmse` or `parameters.max_depth`; with - before it, "
        "descending. Runs without it come last.",
    )
    q: str = Field("", max_length=200, description="Words in name, algorithm, target, data source, tags and notes.")
    status: str = Field("", max_length=100, description="One state, or several with commas between them.")
    experiment_id: UUID | None = None
    suite_id: UUID | None = None
    group_by: str | None = Field(
        None,
        max_length=500,
        description="algorithm, source, version, target, split, status, tag, origin (hydroml or mlflow), "
        "or a parameter.",
    )
    group: str | None = Field(None, max_length=500, description="Only those of this group: its key.")
    columns: str | None = Field(
        None,
        max_length=20_000,
        description="Which metrics and parameters, with commas between them or as a JSON list; without it, the test "
        "metrics that HydroML knows.",
    )

    def query(self, project_id: UUID) -> RunQuery:
        return RunQuery(
            project_id=ProjectId(project_id),
            words=self.q,
            statuses=_statuses(self.status),
            experiment_id=None if self.experiment_id is None else ExperimentId(self.experiment_id),
            suite_id=None if self.suite_id is None else SuiteId(self.suite_id),
            group_by=self.group_by,
            group=self.group,
            sort=self.sort,
            columns=_USUAL if self.columns is None else names(self.columns, "columns"),
            limit=self.limit,
            offset=self.offset if self.cursor is None else _read_cursor(self.cursor),
        )


class RunGroupOut(Schema):
    """Runs that have the same. The figures are those of the column that is sorted by, where it is a number."""

    key: str
    title: str
    runs: int
    minimum: float | None
    mean: float | None
    maximum: float | None

    @classmethod
    def of(cls, group: RunGroup) -> "RunGroupOut":
        return cls(
            key=group.key,
            title=group.title,
            runs=group.runs,
            minimum=group.minimum,
            mean=group.mean,
            maximum=group.maximum,
        )


class ColumnNameOut(Schema):
    """A column that some run of the project has, under its place in the run's document."""

    name: str


@router.get("/projects/{uuid:project_id}/runs", response=Page[RunRowOut])
def list_runs(request: HttpRequest, project_id: UUID, which: Query[RunTableIn]) -> Any:
    """A project's runs: searched, sorted by any metric or parameter, with the columns one asks for."""
    query = which.query(project_id)
    found = container().run_table().page(request.auth, query)
    end = query.offset + len(found.rows)
    return Page[RunRowOut].model_construct(
        items=[RunRowOut.of(row) for row in found.rows],
        next_cursor=_write_cursor(end) if end < found.total and found.rows else None,
        total=found.total,
    )


@router.get("/projects/{uuid:project_id}/runs/groups", response=Page[RunGroupOut])
def list_run_groups(request: HttpRequest, project_id: UUID, which: Query[RunTableIn]) -> Any:
    """How many of those runs have the same `group_by` (the algorithm, if not given), and how well they did."""
    query = which.query(project_id)
    found = container().run_table().groups(request.auth, replace(query, group_by=query.group_by or "algorithm"))
    return whole([RunGroupOut.of(group) for group in found], RunGroupOut)


@router.get("/projects/{uuid:project_id}/runs/columns", response=Page[ColumnNameOut])
def list_run_columns(request: HttpRequest, project_id: UUID) -> Any:
    """Metrics and parameters that can be columns of the project's runs."""
    found = container().run_table().columns(request.auth, ProjectId(project_id))
    return whole([ColumnNameOut(name=name) for name in found], ColumnNameOut)


def _statuses(text: str) -> tuple[RunStatus, ...]:
    try:
        return tuple(RunStatus(part) for part in names(text, "status"))
    except ValueError:
        raise InvalidInputError.at("status", msg=f"one of {', '.join(RunStatus)}", code="enum") from None


def _write_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"run:{offset}".encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.b64decode((cursor + "=" * (-len(cursor) % 4)).encode("ascii"), altchars=b"-_", validate=True)
        kind, _, offset = text.decode("ascii").partition(":")
        if kind != "run" or not offset.isdecimal():
            raise ValueError("not of this list")
        return int(offset)
    except (ValueError, binascii.Error):
        raise InvalidInputError.at("cursor", msg="not a cursor of this list", code="cursor") from None


def _placed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns in the places their names tell."""
    document: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        at, rest = document, name
        while "." in rest and isinstance(at.get(rest.partition(".")[0], {}), dict):
            part, _, rest = rest.partition(".")
            at = at.setdefault(part, {})
        at[rest] = value
    return document
