"""The gallery: runs that their authors show to everybody here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import write_specification
from hydroml.application.gallery import Published
from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.gallery import PublicationId
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import Page, page
from hydroml.entrypoints.web.api.experiments import ExperimentOut
from hydroml.entrypoints.web.api.runs import CountsOut, MetricsOut, metrics_of

router = Router(tags=["gallery"])


class PublicationOut(Schema):
    """A finished run in the gallery, read only. Values of its table are seen only where `shares_data`."""

    id: UUID
    title: str
    summary: str
    shares_data: bool
    author: str
    published_at: datetime
    mine: bool = Field(description="Whether I may withdraw it.")
    run_id: UUID | None = Field(description="Where it is mine.")
    problem: str
    target: str
    algorithm: str
    data: str = Field(description="The name of the table it was trained on.")
    metrics: MetricsOut
    counts: CountsOut | None
    features: list[str]
    specification: dict[str, Any]
    artifacts: list[str]

    @classmethod
    def of(cls, found: Published, names: Mapping[UserId, str]) -> "PublicationOut":
        publication, run = found.publication, found.run
        outcome, wanted = run.outcome, run.specification
        specification = write_specification(wanted)
        del specification["version_id"]
        return cls(
            id=publication.id,
            title=publication.title,
            summary=publication.summary,
            shares_data=publication.shares_data,
            author=names.get(publication.author_id, "(removed)"),
            published_at=publication.published_at,
            mine=found.mine,
            run_id=publication.run_id if found.mine else None,
            problem=outcome.problem if outcome else wanted.problem,
            target=wanted.target,
            algorithm=wanted.algorithm.name,
            data=found.data,
            metrics=metrics_of(run),
            counts=CountsOut.of(outcome.counts) if outcome else None,
            features=[feature.name for feature in outcome.features] if outcome else [],
            specification=specification,
            artifacts=list(found.artifacts),
        )


class PublishIn(Schema):
    """How it is shown."""

    title: str | None = Field(None, max_length=200, description="The experiment's name, if not given.")
    summary: str = Field("", max_length=5_000)
    shares_data: bool = Field(False, description="Whoever forks it gets a copy of its table.")


class GalleryIn(Schema):
    """Which part of the gallery."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the answer before.")
    sort: str = Field("-published_at", max_length=50, description="published_at or title; with - descending.")
    search: str = Field("", max_length=200, description="A part of title or summary.")


class ForkIn(Schema):
    """Into which project; on which version of one's own data, if not on a copy of the published one."""

    project_id: UUID
    version_id: UUID | None = None


@router.post("/runs/{uuid:run_id}/publish", response={201: PublicationOut})
def publish(request: HttpRequest, response: HttpResponse, run_id: UUID, body: PublishIn) -> Status[PublicationOut]:
    """Show a finished run to everybody here; its data only where that is said."""
    found = (
        container()
        .gallery()
        .publish(request.auth, RunId(run_id), title=body.title, summary=body.summary, shares_data=body.shares_data)
    )
    response["Location"] = f"/api/v1/gallery/{found.publication.id}"
    return Status(201, _named(found))


@router.get("/gallery", response=Page[PublicationOut])
def list_gallery(request: HttpRequest, which: Query[GalleryIn]) -> Any:
    """What others have published, the newest first."""
    listing = Listing(which.limit, which.cursor, which.sort, which.search)
    found = container().gallery().list(listing, request.auth)
    names = users.names({one.publication.author_id for one in found.items})
    return page(found, PublicationOut, lambda one: PublicationOut.of(one, names))


@router.get("/gallery/{uuid:publication_id}", response=PublicationOut)
def get_publication(request: HttpRequest, publication_id: UUID) -> PublicationOut:
    """A published run."""
    return _named(container().gallery().get(request.auth, PublicationId(publication_id)))


@router.get(
    "/gallery/{uuid:publication_id}/artifacts/{slug:name}",
    openapi_extra={
        "responses": {
            200: {"description": "A JSON document.", "content": {"application/json": {"schema": {"type": "object"}}}}
        }
    },
)
def get_published_artifact(request: HttpRequest, publication_id: UUID, name: str) -> HttpResponse:
    """Stored data of a plot; those that hold values of the table only where it is shared."""
    content = container().gallery().artifact(request.auth, PublicationId(publication_id), name)
    return HttpResponse(content, content_type="application/json")


@router.post("/gallery/{uuid:publication_id}/fork", response={201: ExperimentOut})
def fork(request: HttpRequest, response: HttpResponse, publication_id: UUID, body: ForkIn) -> Status[ExperimentOut]:
    """An experiment of the same specification in a project of mine."""
    version = None if body.version_id is None else VersionId(body.version_id)
    detail = (
        container().gallery().fork(request.auth, PublicationId(publication_id), ProjectId(body.project_id), version)
    )
    response["Location"] = f"/api/v1/experiments/{detail.experiment.id}"
    return Status(201, ExperimentOut.of(detail))


@router.delete("/gallery/{uuid:publication_id}", response={204: None})
def withdraw(request: HttpRequest, publication_id: UUID) -> Status[None]:
    """Take it out of the gallery; forks stay."""
    container().gallery().withdraw(request.auth, PublicationId(publication_id))
    return Status(204, None)


def _named(found: Published) -> PublicationOut:
    return PublicationOut.of(found, users.names({found.publication.author_id}))
