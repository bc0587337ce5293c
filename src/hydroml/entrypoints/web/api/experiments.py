"""Experiments: written, checked, started."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema, Status
from pydantic import Field, TypeAdapter, WithJsonSchema

from hydroml.application.documents import read_specification, write_specification
from hydroml.application.experiments import ExperimentDetail
from hydroml.application.preflight import Preflight
from hydroml.application.runs import RunDetail
from hydroml.domain.experiments.cost import Estimate
from hydroml.domain.experiments.runs import ExperimentId
from hydroml.domain.experiments.specification import Problem, Specification, SplitKind
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, inlined, page, seen_revision, tag
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.runs import RunAccepted, RunOut

router = Router(tags=["experiments"])

SpecificationDocument = Annotated[dict[str, Any], WithJsonSchema(inlined(TypeAdapter(Specification).json_schema()))]


class ExperimentOut(Schema):
    """A specification under a name."""

    id: UUID
    project_id: UUID
    name: str
    specification: SpecificationDocument
    parent_id: UUID | None = Field(description="The experiment it was made from.")
    runs: int
    created_by: UUID
    created_at: datetime
    revision: int

    @classmethod
    def of(cls, detail: ExperimentDetail) -> "ExperimentOut":
        experiment = detail.experiment
        return cls(
            id=experiment.id,
            project_id=experiment.project_id,
            name=experiment.name,
            specification=write_specification(experiment.specification),
            parent_id=experiment.parent_id,
            runs=detail.runs,
            created_by=experiment.created_by,
            created_at=experiment.created_at,
            revision=experiment.revision,
        )


class ExperimentPatch(Schema):
    """Another name, or another specification."""

    name: str | None = None
    specification: SpecificationDocument | None = None


class ParentIn(Schema):
    """The experiment it is made from."""

    parent_id: UUID | None = None


class FaultOut(Schema):
    """What would stop a run, and where in the specification it stands."""

    loc: list[str | int]
    msg: str
    code: str


class DoubtOut(Schema):
    """What makes a result doubtful."""

    code: str
    msg: str
    columns: list[str]


class TreatmentOut(Schema):
    """What happens to a column before the algorithm sees it; `group` is empty where its settings are those of all."""

    column: str
    group: str
    words: str


class CostOut(Schema):
    """What a training takes: the columns after preparation, bytes of the prepared training part and of memory at the
    peak, how many models are fitted, and the range in which its time may lie."""

    training_rows: int
    columns: int
    matrix_bytes: int
    memory_bytes: int
    fits: int
    least_seconds: float
    most_seconds: float
    words: str


class AlternativeOut(Schema):
    """What would do where a training takes too much; `changes` are to be merged into the specification."""

    kind: str
    words: str
    changes: dict[str, Any]


class PreflightOut(Schema):
    """What would happen if it were run."""

    errors: list[FaultOut]
    warnings: list[DoubtOut]
    problem: Problem | None
    split: SplitKind | None
    features: list[str]
    rows: int
    training_rows: int
    test_rows: int
    preparation: list[TreatmentOut]
    estimate: CostOut | None = Field(description="None while something else is wrong.")
    alternatives: list[AlternativeOut] = Field(description="Of errors with code memory, time or too_many_rows.")

    @classmethod
    def of(cls, checked: Preflight) -> "PreflightOut":
        return cls(
            errors=[FaultOut(loc=list(f.loc), msg=f.msg, code=f.code) for f in checked.faults],
            warnings=[DoubtOut(code=w.code, msg=w.msg, columns=list(w.columns)) for w in checked.warnings],
            problem=checked.problem,
            split=checked.split,
            features=list(checked.features),
            rows=checked.rows,
            training_rows=checked.training_rows,
            test_rows=checked.test_rows,
            preparation=[TreatmentOut(column=t.column, group=t.group, words=t.words) for t in checked.treatments],
            estimate=None if checked.estimate is None else _estimate(checked.estimate),
            alternatives=[
                AlternativeOut(kind=a.kind, words=a.words, changes=dict(a.changes)) for a in checked.alternatives
            ],
        )


def _estimate(estimate: Estimate) -> CostOut:
    least, most = estimate.seconds
    return CostOut(
        training_rows=estimate.training_rows,
        columns=estimate.columns,
        matrix_bytes=estimate.matrix_bytes,
        memory_bytes=estimate.memory_bytes,
        fits=estimate.fits,
        least_seconds=least,
        most_seconds=most,
        words=estimate.words,
    )


@router.get("/projects/{uuid:project_id}/experiments", response=Page[ExperimentOut])
def list_experiments(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """A project's experiments. Sort by `created_at` or `name`."""
    found = container().experiments().list(request.auth, ProjectId(project_id), which.listing())
    return page(found, ExperimentOut)


@router.post("/projects/{uuid:project_id}/experiments", response={201: ExperimentOut})
def create_experiment(
    request: HttpRequest,
    response: HttpResponse,
    project_id: UUID,
    specification: Body[SpecificationDocument],
    parent: Query[ParentIn],
) -> Status[ExperimentOut]:
    """A specification; everything but name, version and target has a sensible default. With `parent_id` it is a fork
    that remembers the experiment it was made from."""
    container().access().check(request.auth, "project", project_id)
    if parent.parent_id is not None:
        container().access().check(request.auth, "experiment", parent.parent_id)
    parent_id = None if parent.parent_id is None else ExperimentId(parent.parent_id)
    read = read_specification(specification)
    detail = container().experiments().create(request.auth, ProjectId(project_id), read, parent_id)
    response["Location"] = f"/api/v1/experiments/{detail.experiment.id}"
    return Status(201, _tagged(response, detail))


@router.post("/projects/{uuid:project_id}/preflight", response=PreflightOut)
def preflight(request: HttpRequest, project_id: UUID, specification: Body[SpecificationDocument]) -> PreflightOut:
    """What would stop a run of this specification or make its result doubtful; nothing is stored."""
    container().access().check(request.auth, "project", project_id)
    checked = container().preflight().ask(request.auth, ProjectId(project_id), read_specification(specification))
    return PreflightOut.of(checked)


@router.get("/experiments/{uuid:experiment_id}", response=ExperimentOut)
def get_experiment(request: HttpRequest, response: HttpResponse, experiment_id: UUID) -> ExperimentOut:
    """An experiment with its specification."""
    return _tagged(response, container().experiments().get(request.auth, ExperimentId(experiment_id)))


@router.patch("/experiments/{uuid:experiment_id}", response=ExperimentOut)
def change_experiment(
    request: HttpRequest, response: HttpResponse, experiment_id: UUID, body: ExperimentPatch
) -> ExperimentOut:
    """Another name or specification; earlier runs keep the one they had."""
    detail = (
        container()
        .experiments()
        .update(
            request.auth,
            ExperimentId(experiment_id),
            name=body.name,
            specification=None if body.specification is None else read_specification(body.specification),
            revision=seen_revision(request),
        )
    )
    return _tagged(response, detail)


@router.delete("/experiments/{uuid:experiment_id}", response={204: None})
def delete_experiment(request: HttpRequest, experiment_id: UUID) -> Status[None]:
    """Removes it with its runs; 409 while a model is made from one of them."""
    container().experiments().delete(request.auth, ExperimentId(experiment_id))
    return Status(204, None)


@router.post("/experiments/{uuid:experiment_id}/preflight", response=PreflightOut)
def preflight_experiment(request: HttpRequest, experiment_id: UUID) -> PreflightOut:
    """What would stop a run or make its result doubtful."""
    experiment = container().experiments().get(request.auth, ExperimentId(experiment_id)).experiment
    checked = container().preflight().ask(request.auth, experiment.project_id, experiment.specification)
    return PreflightOut.of(checked)


@router.post("/experiments/{uuid:experiment_id}/runs", response={202: RunAccepted})
def start_run(request: HttpRequest, response: HttpResponse, experiment_id: UUID) -> Status[RunAccepted]:
    """Train; 422 names everything that stands in the way."""
    run, job = container().runs().request(request.auth, ExperimentId(experiment_id))
    at_job(response, job.id)
    return Status(202, RunAccepted(run=RunOut.of(RunDetail(run, ())), job=JobOut.of(job)))


@router.get("/experiments/{uuid:experiment_id}/runs", response=Page[RunOut])
def list_runs_of_experiment(request: HttpRequest, experiment_id: UUID, which: Query[ListingIn]) -> Any:
    """An experiment's runs."""
    found = container().runs().of_experiment(request.auth, ExperimentId(experiment_id), which.listing())
    return page(found, RunOut, lambda run: RunOut.of(RunDetail(run, ())))


def _tagged(response: HttpResponse, detail: ExperimentDetail) -> ExperimentOut:
    tag(response, detail.experiment.revision)
    return ExperimentOut.of(detail)
