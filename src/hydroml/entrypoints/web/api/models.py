"""Registered models: versions, approval, aliases, predictions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.models import ModelDetail
from hydroml.application.ports.learning import Predictions
from hydroml.domain.experiments.portable import onnx_obstacles
from hydroml.domain.experiments.runs import Feature, PredictionInterval, Run
from hydroml.domain.models import Approval, Model, ModelId, ModelVersion
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, page, seen_revision, tag
from hydroml.entrypoints.web.api.sources import SourceAccepted
from hydroml.entrypoints.web.downloads import download, file_description

router = Router(tags=["models"])


class FeatureOut(Schema):
    """An input of a model, and what it saw of it in training; one that is not `direct` serves to find earlier rows or
    parts of a date."""

    name: str
    type: str
    direct: bool
    categories: list[str] | None
    range: tuple[float, float] | None

    @classmethod
    def of(cls, feature: Feature) -> "FeatureOut":
        both = None if feature.minimum is None or feature.maximum is None else (feature.minimum, feature.maximum)
        categories = None if feature.categories is None else list(feature.categories)
        return cls(name=feature.name, type=feature.type, direct=feature.direct, categories=categories, range=both)


class DecisionOut(Schema):
    """Somebody approved or rejected a version; without a name when they are gone."""

    verdict: Approval
    reason: str
    by: UUID
    by_name: str | None
    at: datetime


class ModelVersionOut(Schema):
    """A version, made from a run; its metrics are those of the test part."""

    number: int
    run_id: UUID
    run_name: str | None
    version_id: UUID | None = Field(description="Of the table it was trained on.")
    metrics: dict[str, float | None] | None
    algorithm: str | None
    note: str
    onnx_obstacles: list[str] | None = Field(description="What stands in the way of ONNX; nothing where it is offered.")
    approval: Approval
    decisions: list[DecisionOut] = Field(description="Oldest first.")
    mlflow_version: str | None
    created_by: UUID
    creator: str | None
    created_at: datetime

    @classmethod
    def of(cls, version: ModelVersion, run: Run | None, names: Mapping[UserId, str]) -> "ModelVersionOut":
        return cls(
            number=version.number,
            run_id=version.run_id,
            run_name=run.specification.name if run else None,
            version_id=run.specification.version_id if run else None,
            note=version.note,
            onnx_obstacles=list(onnx_obstacles(run)) if run else None,
            approval=version.approval,
            decisions=[
                DecisionOut(verdict=one.verdict, reason=one.reason, by=one.by, by_name=names.get(one.by), at=one.at)
                for one in version.decisions
            ],
            creator=names.get(version.created_by),
            metrics=dict(run.outcome.metrics.get("test", {})) if run and run.outcome else None,
            algorithm=run.specification.algorithm.name if run else None,
            mlflow_version=version.mlflow_version,
            created_by=version.created_by,
            created_at=version.created_at,
        )


class IntervalOut(Schema):
    """A prediction ± `half_width` is to hold the share `level` of what is observed: how far, the words say."""

    level: float
    half_width: float
    rows: int
    guaranteed: bool
    measured: float | None
    words: str

    @classmethod
    def of(cls, interval: PredictionInterval) -> "IntervalOut":
        return cls(
            level=interval.level,
            half_width=interval.half_width,
            rows=interval.rows,
            guaranteed=interval.guaranteed,
            measured=interval.measured,
            words=interval.words,
        )


class ModelOut(Schema):
    """A named model. Its features, target and problem are those of the champion; without one, of the newest version
    that is not rejected."""

    id: UUID
    project_id: UUID
    name: str
    versions: list[ModelVersionOut]
    aliases: dict[str, int]
    features: list[FeatureOut]
    target: str | None
    problem: str | None
    classes: list[str]
    interval: IntervalOut | None = Field(description="Of numbers, where enough rows tested.")
    created_at: datetime
    revision: int

    @classmethod
    def of(cls, detail: ModelDetail) -> "ModelOut":
        return cls._of(detail.model, detail.runs)

    @classmethod
    def short(cls, model: Model) -> "ModelOut":
        """As in a list: without what stands in its runs."""
        return cls._of(model, {})

    @classmethod
    def _of(cls, model: Model, runs: dict[int, Run]) -> "ModelOut":
        shown = runs.get((model.shown or model.versions[-1]).number) if model.versions else None
        people = {version.created_by for version in model.versions}
        people |= {decision.by for version in model.versions for decision in version.decisions}
        names = users.names(people) if runs else {}
        outcome = shown.outcome if shown else None
        return cls(
            id=model.id,
            project_id=model.project_id,
            name=model.name,
            versions=[ModelVersionOut.of(v, runs.get(v.number), names) for v in reversed(model.versions)],
            aliases=model.aliases,
            features=[FeatureOut.of(feature) for feature in outcome.features] if outcome else [],
            target=shown.specification.target if shown else None,
            problem=outcome.problem if outcome else None,
            classes=list(outcome.classes) if outcome else [],
            interval=IntervalOut.of(outcome.interval) if outcome and outcome.interval else None,
            created_at=model.created_at,
            revision=model.revision,
        )


class AliasIn(Schema):
    """The version an alias points to. An owner who makes a pending version the champion approves it by that, for this
    reason."""

    version: int
    reason: str = ""


class DecisionIn(Schema):
    """Why a version is approved or rejected."""

    reason: str


class NoteIn(Schema):
    """The note of a version."""

    note: str


class PredictIn(Schema):
    """Rows, and by which version; when neither is given, the champion, or the newest version that is not rejected."""

    rows: list[dict[str, Any]]
    alias: str | None = None
    version: int | None = None


class PredictTableIn(Schema):
    """A version of a data source, and by which version of the model."""

    version_id: UUID
    alias: str | None = None
    version: int | None = None


class PredictionWarningOut(Schema):
    """A value the model has not seen the like of; rows count from 0."""

    row: int
    column: str
    code: str
    msg: str


class PredictionsOut(Schema):
    """One prediction a row, in order; for classes also each class's probability, for numbers bounds that hold
    `interval.level` of what is observed, as far as its words say."""

    predictions: list[float | str | bool | None]
    probabilities: list[dict[str, float]] | None
    warnings: list[PredictionWarningOut]
    intervals: list[tuple[float, float]] | None
    version: int

    @classmethod
    def of(cls, version: ModelVersion, found: Predictions) -> "PredictionsOut":
        return cls(
            predictions=list(found.predictions),
            probabilities=None if found.probabilities is None else [dict(p) for p in found.probabilities],
            warnings=[PredictionWarningOut(row=w.row, column=w.column, code=w.code, msg=w.msg) for w in found.warnings],
            intervals=None if found.intervals is None else list(found.intervals),
            version=version.number,
        )


@router.get("/projects/{uuid:project_id}/models", response=Page[ModelOut])
def list_models(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """A project's models, without metrics and features. Sort by `created_at` or `name`."""
    return page(
        container().models().of_project(request.auth, ProjectId(project_id), which.listing()), ModelOut, ModelOut.short
    )


@router.get("/models", response=Page[ModelOut])
def list_my_models(request: HttpRequest, which: Query[ListingIn]) -> Any:
    """The models of all my projects, without metrics and features."""
    return page(container().models().mine(request.auth, which.listing()), ModelOut, ModelOut.short)


@router.get("/models/{uuid:model_id}", response=ModelOut)
def get_model(request: HttpRequest, response: HttpResponse, model_id: UUID) -> ModelOut:
    """A model with its versions, aliases and features."""
    return _tagged(response, container().models().get(request.auth, ModelId(model_id)))


@router.put("/models/{uuid:model_id}/aliases/{slug:alias}", response=ModelOut)
def set_alias(request: HttpRequest, response: HttpResponse, model_id: UUID, alias: str, body: AliasIn) -> ModelOut:
    """Point an alias to a version. The champion is an approved one: 409 otherwise."""
    seen = seen_revision(request)
    models = container().models()
    return _tagged(
        response,
        models.point(request.auth, ModelId(model_id), alias, body.version, reason=body.reason, revision=seen),
    )


@router.delete("/models/{uuid:model_id}/aliases/{slug:alias}", response=ModelOut)
def remove_alias(request: HttpRequest, response: HttpResponse, model_id: UUID, alias: str) -> ModelOut:
    """Take an alias away."""
    return _tagged(
        response, container().models().unpoint(request.auth, ModelId(model_id), alias, seen_revision(request))
    )


@router.patch("/models/{uuid:model_id}/versions/{int:number}", response=ModelOut)
def annotate_version(
    request: HttpRequest, response: HttpResponse, model_id: UUID, number: int, body: NoteIn
) -> ModelOut:
    """Write a version's note."""
    seen = seen_revision(request)
    return _tagged(response, container().models().annotate(request.auth, ModelId(model_id), number, body.note, seen))


@router.post("/models/{uuid:model_id}/versions/{int:number}/approve", response=ModelOut)
def approve_version(
    request: HttpRequest, response: HttpResponse, model_id: UUID, number: int, body: DecisionIn
) -> ModelOut:
    """As an owner, approve a version: it may become the champion."""
    return _decided(request, response, model_id, number, Approval.APPROVED, body.reason)


@router.post("/models/{uuid:model_id}/versions/{int:number}/reject", response=ModelOut)
def reject_version(
    request: HttpRequest, response: HttpResponse, model_id: UUID, number: int, body: DecisionIn
) -> ModelOut:
    """As an owner, reject a version, or withdraw an approved one: it loses its aliases and predicts no more."""
    return _decided(request, response, model_id, number, Approval.REJECTED, body.reason)


@router.post("/models/{uuid:model_id}/predict", response=PredictionsOut)
def predict(request: HttpRequest, model_id: UUID, body: PredictIn) -> PredictionsOut:
    """Predict rows at once; 422 names the row and column of a value that does not fit."""
    found = (
        container()
        .predictions()
        .rows(request.auth, ModelId(model_id), body.rows, alias=body.alias, number=body.version)
    )
    return PredictionsOut.of(*found)


@router.post("/models/{uuid:model_id}/predictions", response={202: SourceAccepted})
def predict_table(
    request: HttpRequest, response: HttpResponse, model_id: UUID, body: PredictTableIn
) -> Status[SourceAccepted]:
    """Predict a whole table into a new data source."""
    source, job = (
        container()
        .predictions()
        .request(request.auth, ModelId(model_id), VersionId(body.version_id), alias=body.alias, number=body.version)
    )
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


@router.get(
    "/models/{uuid:model_id}/versions/{int:number}/file",
    openapi_extra=file_description("A zip file with the model, a script that predicts with it, and how."),
)
def download_model(request: HttpRequest, model_id: UUID, number: int) -> HttpResponseBase:
    """A version as a folder that predicts without HydroML, with one command and public libraries only."""
    stream, name, size = container().predictions().bundle(request.auth, ModelId(model_id), number)
    return download(request, stream, name, size)


@router.get(
    "/models/{uuid:model_id}/versions/{int:number}/onnx",
    openapi_extra=file_description("The model with its preparation as one ONNX graph."),
)
def download_onnx(request: HttpRequest, model_id: UUID, number: int) -> HttpResponseBase:
    """A version as ONNX: numbers are doubles with NaN for missing, texts are strings with “” for missing; 422 names the
    parts that cannot be written."""
    stream, name, size = container().predictions().onnx(request.auth, ModelId(model_id), number)
    return download(request, stream, name, size)


def _tagged(response: HttpResponse, detail: ModelDetail) -> ModelOut:
    tag(response, detail.model.revision)
    return ModelOut.of(detail)


def _decided(  # noqa: PLR0917
    request: HttpRequest, response: HttpResponse, model_id: UUID, number: int, verdict: Approval, reason: str
) -> ModelOut:
    models = container().models()
    return _tagged(
        response, models.decide(request.auth, ModelId(model_id), number, verdict, reason, seen_revision(request))
    )
