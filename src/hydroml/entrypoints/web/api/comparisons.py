"""Runs and specifications side by side."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.application.run_comparison import RunComparison
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.comparison import MetricRow, Setting
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.metrics import Better
from hydroml.domain.experiments.runs import ExperimentId, Run, RunId, RunStatus
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import json_response, names

router = Router(tags=["runs"])


class ComparedRunOut(Schema):
    """A run that is compared; `artifacts` names what it left for plots. One that was `logged` with MLflow has no
    experiment, and no problem, target and algorithm that HydroML knows."""

    id: UUID
    experiment_id: UUID | None
    project_id: UUID
    name: str
    status: RunStatus
    problem: str
    target: str
    algorithm: str
    data: str
    tags: list[str]
    test_rows: int | None
    seconds: float | None
    artifacts: list[str]
    logged: bool

    @classmethod
    def of(cls, run: Run | LoggedRun, data: str) -> "ComparedRunOut":
        if isinstance(run, LoggedRun):
            return cls(
                id=run.id,
                experiment_id=None,
                project_id=run.project_id,
                name=run.name,
                status=run.status,
                problem="",
                target="",
                algorithm="",
                data=data,
                tags=list(run.labels),
                test_rows=None,
                seconds=run.seconds,
                artifacts=[],
                logged=True,
            )
        return cls(
            id=run.id,
            experiment_id=run.experiment_id,
            project_id=run.project_id,
            name=run.specification.name,
            status=run.status,
            problem=run.outcome.problem if run.outcome else run.specification.problem,
            target=run.specification.target,
            algorithm=run.specification.algorithm.name,
            data=data,
            tags=list(run.tags),
            test_rows=run.outcome.counts.test if run.outcome else None,
            seconds=run.outcome.seconds if run.outcome else None,
            artifacts=sorted(run.artifacts),
            logged=False,
        )


class SettingOut(Schema):
    """A place in the specification, with its value in each run; null where it has none."""

    place: str
    values: list[Any]

    @classmethod
    def of(cls, setting: Setting) -> "SettingOut":
        return cls(place=setting.place, values=list(setting.values))


class MetricRowOut(Schema):
    """A metric of the test part, run by run; `best` are the places of the runs that nothing beats."""

    name: str
    title: str
    better: Better | None
    definition: str
    unit: str
    values: list[float | None]
    intervals: list[tuple[float, float] | None]
    best: list[int]

    @classmethod
    def of(cls, row: MetricRow) -> "MetricRowOut":
        return cls(
            name=row.name,
            title=row.title,
            better=row.better,
            definition=row.definition,
            unit=row.unit,
            values=list(row.values),
            intervals=list(row.intervals),
            best=list(row.best),
        )


class ObstacleOut(Schema):
    """Why figures of these runs do not say which is better."""

    code: str
    msg: str


class RunComparisonOut(Schema):
    """Runs side by side: lists of values stand in the order of `runs`."""

    runs: list[ComparedRunOut]
    differ: list[SettingOut] = Field(description="Where the specifications differ, as they took effect.")
    same: list[SettingOut]
    metrics: list[MetricRowOut]
    obstacles: list[ObstacleOut]

    @classmethod
    def of(cls, found: RunComparison) -> "RunComparisonOut":
        return cls(
            runs=[ComparedRunOut.of(run, data) for run, data in zip(found.runs, found.data, strict=True)],
            differ=[SettingOut.of(setting) for setting in found.differ],
            same=[SettingOut.of(setting) for setting in found.same],
            metrics=[MetricRowOut.of(row) for row in found.metrics],
            obstacles=[ObstacleOut(code=one.code, msg=one.msg) for one in found.obstacles],
        )


class ComparedIn(Schema):
    """Which runs: 2 to 100 ids with commas between them."""

    ids: str = Field(max_length=4_000)

    def run_ids(self) -> list[RunId]:
        try:
            return [RunId(UUID(text)) for text in names(self.ids, "ids")]
        except ValueError:
            raise InvalidInputError.at("ids", msg="ids of runs with commas between them", code="uuid") from None


class OtherIn(Schema):
    """The other experiment."""

    with_: UUID = Field(alias="with")


class DifferencesOut(Schema):
    """Where two specifications differ: the asked one's value first."""

    items: list[SettingOut]


@router.get("/runs/compare", response=RunComparisonOut)
def compare_runs(request: HttpRequest, which: Query[ComparedIn]) -> HttpResponse:
    """Runs side by side: what differs, what is the same, their metrics, and whether they may be compared."""
    found = container().run_comparisons().compare(request.auth, which.run_ids())
    return json_response(RunComparisonOut.of(found).model_dump(mode="json"))


@router.get("/experiments/{uuid:experiment_id}/differences", response=DifferencesOut)
def compare_experiments(request: HttpRequest, experiment_id: UUID, other: Query[OtherIn]) -> DifferencesOut:
    """Where the specifications of two experiments differ."""
    found = (
        container().run_comparisons().experiments(request.auth, ExperimentId(experiment_id), ExperimentId(other.with_))
    )
    return DifferencesOut(items=[SettingOut.of(setting) for setting in found])
