"""Runs: what came out of an experiment."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import write_specification
from hydroml.application.runs import RunDetail
from hydroml.domain.experiments.runs import Counts, Run, RunId, RunStatus
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, page, seen_revision, tag, whole
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.models import ModelOut
from hydroml.entrypoints.web.api.versions import RowsIn, RowsOut, rows_response
from hydroml.entrypoints.web.downloads import download, file_description

router = Router(tags=["runs"])


class CountsOut(Schema):
    """Rows of the table, rows with a known target, and where those went."""

    rows: int
    used: int
    left_out: int
    train: int
    test: int
    twins: int = Field(description="Test rows that agree with a training row in the target and every feature.")

    @classmethod
    def of(cls, counts: Counts) -> "CountsOut":
        return cls(**asdict(counts))


class MetricsOut(Schema):
    """Metrics by part, and for each baseline its metrics on the test part; empty until the run has succeeded.

    `intervals` holds the bounds of 95 % of the test metrics, by the bootstrap over the test rows: over stretches of
    them where there is a time column.
    """

    test: dict[str, float | None] = Field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    train: dict[str, float | None] = Field(default_factory=dict)
    validation: dict[str, float | None] = Field(
        default_factory=dict, description="Means over the folds within the training part, where there are any."
    )
    baselines: dict[str, dict[str, float | None]] = Field(default_factory=dict)


class TrackedOut(Schema):
    """The run's record in MLflow; `state` is synced, pending (it is to be recorded, which happens by itself), or behind
    (its tags and notes are to follow)."""

    run_id: str | None
    state: str

    @classmethod
    def of(cls, run: Run) -> "TrackedOut":
        state = "pending" if run.mlflow_run_id is None else "behind" if run.mlflow_behind else "synced"
        return cls(run_id=run.mlflow_run_id, state=state)


class RegisteredOut(Schema):
    """A model, and which of its versions was made from the run."""

    id: UUID
    name: str
    version: int


class TwinOut(Schema):
    """The newest run of the same specification whose rows are divided the other way."""

    id: UUID
    job_id: UUID | None
    status: RunStatus
    split: str | None
    metrics: MetricsOut

    @classmethod
    def of(cls, run: Run) -> "TwinOut":
        split = run.outcome.split if run.outcome else run.specification.split.kind
        return cls(id=run.id, job_id=run.job_id, status=run.status, split=split, metrics=metrics_of(run))


class DifferenceOut(Schema):
    """A figure or a version that is not the same in both."""

    what: str
    before: float | str | None
    after: float | str | None


class RepeatOut(Schema):
    """The newest run that repeats it; `differences` is null until it has succeeded, and empty when all is identical."""

    id: UUID
    job_id: UUID | None
    status: RunStatus
    finished_at: datetime | None
    differences: list[DifferenceOut] | None

    @classmethod
    def of(cls, run: Run, again: Run) -> "RepeatOut":
        found = None
        if again.status is RunStatus.SUCCEEDED:
            found = [DifferenceOut(**asdict(one)) for one in run.differences(again)]
        return cls(
            id=again.id, job_id=again.job_id, status=again.status, finished_at=again.finished_at, differences=found
        )


class RunOut(Schema):
    """One execution of an experiment, with the specification as it was then."""

    id: UUID
    experiment_id: UUID
    project_id: UUID
    name: str
    version_id: UUID
    job_id: UUID | None
    suite_id: UUID | None
    trial: int | None
    """Its number among the suite's, from 0."""
    status: RunStatus
    error: str | None
    problem: str
    split: str | None
    target: str
    target_reach: int | None = Field(
        description="How many rows back the nearest earlier value of the target is that the model sees."
    )
    features: list[str]
    classes: list[str]
    algorithm: str
    specification: dict[str, Any]
    parameters: dict[str, Any]
    seed: int
    metrics: MetricsOut
    counts: CountsOut | None
    seconds: float | None
    artifacts: list[str]
    mlflow_run_id: str | None
    mlflow: TrackedOut
    models: list[RegisteredOut]
    twin: TwinOut | None
    twin_of: UUID | None = Field(description="The run it was started for, to divide its rows the other way.")
    repeat: RepeatOut | None
    repeat_of: UUID | None = Field(description="The run that it does once more.")
    environment: dict[str, str] = Field(description="Versions of what computed it.")
    publication_id: UUID | None = Field(description="Its place in the gallery, where one run is asked for.")
    tags: list[str]
    notes: str
    created_by: UUID
    creator: str | None = None
    """Their name, where one run is asked for."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    revision: int

    @classmethod
    def of(cls, detail: RunDetail) -> "RunOut":
        run, outcome = detail.run, detail.run.outcome
        wanted = run.specification
        return cls(
            id=run.id,
            experiment_id=run.experiment_id,
            project_id=run.project_id,
            name=wanted.name,
            version_id=wanted.version_id,
            job_id=run.job_id,
            suite_id=None if run.variation is None else run.variation.suite_id,
            trial=None if run.variation is None else run.variation.number,
            status=run.status,
            error=run.error,
            problem=outcome.problem if outcome else wanted.problem,
            split=outcome.split if outcome else wanted.split.kind,
            target=wanted.target,
            target_reach=wanted.preparation.reach(wanted.target),
            features=[f.name for f in outcome.features] if outcome else list(wanted.features or ()),
            classes=list(outcome.classes) if outcome else [],
            algorithm=wanted.algorithm.name,
            specification=write_specification(wanted),
            parameters=outcome.parameters if outcome else dict(wanted.algorithm.hyperparameters),
            seed=wanted.seed,
            metrics=metrics_of(run),
            counts=CountsOut.of(outcome.counts) if outcome else None,
            seconds=outcome.seconds if outcome else None,
            artifacts=sorted(run.artifacts),
            mlflow_run_id=run.mlflow_run_id,
            mlflow=TrackedOut.of(run),
            models=[
                RegisteredOut(id=model.id, name=model.name, version=version.number)
                for model in detail.models
                for version in model.versions
                if version.run_id == run.id
            ],
            twin=TwinOut.of(detail.twin) if detail.twin else None,
            twin_of=run.twin_of,
            repeat=RepeatOut.of(run, detail.repeat) if detail.repeat else None,
            repeat_of=run.repeat_of,
            environment=outcome.environment if outcome else {},
            publication_id=detail.publication.id if detail.publication else None,
            tags=list(run.tags),
            notes=run.notes,
            created_by=run.created_by,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            revision=run.revision,
        )


class RunPatch(Schema):
    """Tags and notes; what is left out stays."""

    tags: list[str] | None = Field(None, max_length=100)
    notes: str | None = None


class RegisterIn(Schema):
    """The name of a model: a new one, or one of the project's; and a note on the version."""

    model: str
    note: str = ""


class ArtifactOut(Schema):
    """Something a run left behind."""

    name: str
    href: str = Field(description="Where it is.")


class RunAccepted(Schema):
    """A run, and the job that carries it out."""

    run: RunOut
    job: JobOut = Field(description="Its Location is in the header.")


@router.get("/runs", response=Page[RunOut])
def list_my_runs(request: HttpRequest, which: Query[ListingIn]) -> Any:
    """The runs of all my projects."""
    found = container().runs().mine(request.auth, which.listing())
    return page(found, RunOut, lambda run: RunOut.of(RunDetail(run, ())))


@router.get("/runs/{uuid:run_id}", response=RunOut)
def get_run(request: HttpRequest, response: HttpResponse, run_id: UUID) -> RunOut:
    """A run with its metrics and the models made from it."""
    return _tagged(response, container().runs().get(request.auth, RunId(run_id)))


@router.patch("/runs/{uuid:run_id}", response=RunOut)
def annotate_run(request: HttpRequest, response: HttpResponse, run_id: UUID, body: RunPatch) -> RunOut:
    """Other tags or notes; the run itself never changes."""
    detail = (
        container()
        .runs()
        .annotate(request.auth, RunId(run_id), tags=body.tags, notes=body.notes, revision=seen_revision(request))
    )
    return _tagged(response, detail)


@router.get("/runs/{uuid:run_id}/artifacts", response=Page[ArtifactOut])
def list_artifacts(request: HttpRequest, run_id: UUID) -> Any:
    """What the run left for plots and tables."""
    run = container().runs().get(request.auth, RunId(run_id)).run
    return whole(
        [ArtifactOut(name=n, href=f"/api/v1/runs/{run_id}/artifacts/{n}") for n in sorted(run.artifacts)], ArtifactOut
    )


@router.get(
    "/runs/{uuid:run_id}/artifacts/{slug:name}",
    openapi_extra={
        "responses": {
            200: {"description": "A JSON document.", "content": {"application/json": {"schema": {"type": "object"}}}}
        }
    },
)
def get_artifact(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    """Stored data of a plot or table: predictions, scatter, residuals, confusion, roc, importance, groups and such."""
    content = container().runs().artifact(request.auth, RunId(run_id), name)
    return HttpResponse(content, content_type="application/json")


@router.get("/runs/{uuid:run_id}/rows", response=RowsOut)
def get_run_rows(request: HttpRequest, run_id: UUID, which: Query[RowsIn]) -> HttpResponse:
    """The rows a run was judged on: number in the version's table, part (test or train), fold, time and group where
    there are, observed and predicted value, the error and its size, or the probability of the predicted class."""
    tables = container().tables()
    view = tables.run_view(request.auth, RunId(run_id), **which.shown())
    return rows_response(tables.page(view, which.offset, which.limit, total=which.total))


@router.get("/runs/{uuid:run_id}/rows/file", openapi_extra=file_description("The rows, in Parquet."))
def get_run_rows_file(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """All of `rows` as a file."""
    run, stream = container().runs().rows(request.auth, RunId(run_id))
    return download(request, stream, f"{run.specification.name} rows.parquet", run.judged().size)


class CodeIn(Schema):
    """As which file."""

    format: Literal["script", "notebook", "bundle"] = "script"


@router.get(
    "/runs/{uuid:run_id}/code",
    openapi_extra={
        "responses": {
            200: {
                "description": "Python, a Jupyter notebook, or a zip file.",
                "content": {
                    "text/x-python": {"schema": {"type": "string"}},
                    "application/x-ipynb+json": {"schema": {"type": "object"}},
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        }
    },
)
def get_run_code(request: HttpRequest, run_id: UUID, which: Query[CodeIn]) -> HttpResponseBase:
    """The run as a Python script, or the same as a notebook, that computes its figures again with public libraries
    alone; as a bundle, together with the data, the rows of each part and the versions of the libraries. Script and
    notebook read the data of the bundle."""
    service = container().reproductions()
    if which.format == "bundle":
        return download(request, *service.bundle(request.auth, RunId(run_id)))
    run, written = service.code(request.auth, RunId(run_id))
    text, kind, ending = {
        "script": (written.script, "text/x-python", "py"),
        "notebook": (written.notebook, "application/x-ipynb+json", "ipynb"),
    }[which.format]
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    name = f"{run.specification.name}.{ending}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


@router.post("/runs/{uuid:run_id}/divide-otherwise", response={202: RunAccepted})
def divide_otherwise(request: HttpRequest, response: HttpResponse, run_id: UUID) -> Status[RunAccepted]:
    """The price of random splitting: the same again, with rows drawn at random where time or groups were kept, and by
    time or group where they were drawn at random."""
    run, job = container().runs().divide_otherwise(request.auth, RunId(run_id))
    at_job(response, job.id)
    return Status(202, RunAccepted(run=RunOut.of(RunDetail(run, ())), job=JobOut.of(job)))


@router.post("/runs/{uuid:run_id}/repeat", response={202: RunAccepted})
def repeat_run(request: HttpRequest, response: HttpResponse, run_id: UUID) -> Status[RunAccepted]:
    """The same once more; afterwards `repeat` of the first tells whether all is identical, or what differs."""
    run, job = container().runs().repeat(request.auth, RunId(run_id))
    at_job(response, job.id)
    return Status(202, RunAccepted(run=RunOut.of(RunDetail(run, ())), job=JobOut.of(job)))


@router.post("/runs/{uuid:run_id}/register", response={201: ModelOut})
def register(request: HttpRequest, response: HttpResponse, run_id: UUID, body: RegisterIn) -> Status[ModelOut]:
    """The run's model becomes the next version of a registered model. An owner's approval is pending."""
    detail = container().models().register(request.auth, RunId(run_id), body.model, body.note)
    response["Location"] = f"/api/v1/models/{detail.model.id}"
    return Status(201, ModelOut.of(detail))


def _tagged(response: HttpResponse, detail: RunDetail) -> RunOut:
    tag(response, detail.run.revision)
    answer = RunOut.of(detail)
    answer.creator = users.names({detail.run.created_by}).get(detail.run.created_by, "(removed)")
    return answer


def metrics_of(run: Run) -> MetricsOut:
    """A run's metrics by part."""
    if run.outcome is None:
        return MetricsOut()
    return MetricsOut(
        test=dict(run.outcome.metrics.get("test", {})),
        intervals=dict(run.outcome.intervals),
        train=dict(run.outcome.metrics.get("train", {})),
        validation=dict(run.outcome.metrics.get("validation", {})),
        baselines={name: dict(metrics) for name, metrics in run.outcome.baselines.items()},
    )
