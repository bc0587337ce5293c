"""Registered models: versions, aliases, predictions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.models import ModelDetail
from hydroml.application.ports.learning import Predictions
from hydroml.domain.experiments.runs import Feature, PredictionInterval, Run
from hydroml.domain.models import Model, ModelId, ModelVersion
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
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


class ModelVersionOut(Schema):
    """A version, made from a run; its metrics are those of the test part."""

    number: int
    run_id: UUID
    metrics: dict[str, float | None] | None
    algorithm: str | None
    note: str | None = None
    mlflow_version: str | None
    created_by: UUID
    created_at: datetime

    @classmethod
    def of(cls, version: ModelVersion, run: Run | None) -> "ModelVersionOut":
        return cls(
            number=version.number,
            run_id=version.run_id,
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
    """A named model. Its features, target and problem are those of the champion, or of the newest version."""

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
        shown = runs.get(model.aliases.get("champion", len(model.versions)))
        outcome = shown.outcome if shown else None
        return cls(
            id=model.id,
            project_id=model.project_id,
            name=model.name,
            versions=[ModelVersionOut.of(v, runs.get(v.number)) for v in reversed(model.versions)],
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
    """The version an alias points to."""

    version: int


class PredictIn(Schema):
    """Rows, and by which version; the champion when neither is given."""

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
    """Point an alias to a version."""
    detail = container().models().point(request.auth, ModelId(model_id), alias, body.version, seen_revision(request))
    return _tagged(response, detail)


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


def _tagged(response: HttpResponse, detail: ModelDetail) -> ModelOut:
    tag(response, detail.model.revision)
    return ModelOut.of(detail)
