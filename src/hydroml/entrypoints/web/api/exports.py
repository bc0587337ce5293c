"""Exports: tables as files in other formats, and the templates they are made by."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import read_shape, write_shape
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.exports import (
    Export,
    ExportFormat,
    ExportId,
    ExportShape,
    ExportStatus,
    ExportTemplate,
    TemplateId,
)
from hydroml.domain.jobs import Job
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.steps import SortKey
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, page, sort_keys, whole
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.downloads import download, file_description

router = Router(tags=["exports"])


class ShapeIn(Schema):
    """Which part of a table, in which order and format."""

    format: ExportFormat | None = Field(None, description="Needed, unless a template gives it.")
    columns: list[str] | None = Field(None, max_length=100_000, description="In this order; all when null.")
    filter: str | None = Field(None, max_length=4_000, description="A formula; rows for which it is true.")
    sort: str = Field("", max_length=5_000, description='`-flow,date`, or `["-flow","date"]` for names with commas.')
    limit: int | None = Field(None, ge=0, description="The first rows; all when null.")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="delimiter (csv), decimal, missing, bom (csv, tsv), header, neutralise (csv, tsv, xlsx).",
    )

    def shape(self, template: ExportShape | None = None) -> ExportShape:
        """What is given goes before what the template says. Raises InvalidInputError that names every fault."""
        document: dict[str, Any] = {} if template is None else write_shape(template)
        given = self.model_dump(include=set(ShapeIn.model_fields), exclude_unset=True)
        if "sort" in given:
            given["sort"] = [{"column": k.column, "descending": k.descending} for k in sort_keys(given["sort"])]
        if "filter" in given:
            given["filter"] = (given["filter"] or "").strip() or None
        given["options"] = {**document.get("options", {}), **self.options}
        document |= {name: value for name, value in given.items() if name != "format" or value is not None}
        if document.get("format") is None:
            raise InvalidInputError.at("format", msg=f"one of {', '.join(ExportFormat)}", code="required")
        return read_shape(document)


class ExportIn(ShapeIn):
    """A file to be made of a version."""

    name: str | None = Field(None, max_length=255, description="Of the file; the data source's otherwise.")
    template_id: UUID | None = None


class TemplateIn(ShapeIn):
    """A shape under a name."""

    name: str


class ShapeOut(Schema):
    """Which part of a table, in which order and format."""

    format: ExportFormat
    columns: list[str] | None
    filter: str | None
    sort: str
    limit: int | None
    options: dict[str, Any]

    @classmethod
    def fields(cls, shape: ExportShape) -> dict[str, Any]:
        return write_shape(shape) | {"sort": _sort_text(shape.sort)}


class ExportOut(ShapeOut):
    """A file made of a version. `job` is the one that writes it, or has failed to."""

    id: UUID
    version_id: UUID
    filename: str
    bytes: int | None
    rows: int | None
    status: ExportStatus
    error: str | None
    job: JobOut | None
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, found: tuple[Export, Job | None]) -> "ExportOut":
        export, job = found
        return cls(
            **cls.fields(export.shape),
            id=export.id,
            version_id=export.version_id,
            filename=export.filename,
            bytes=export.size,
            rows=export.rows,
            status=export.status,
            error=export.error,
            job=JobOut.of(job) if job else None,
            created_at=export.created_at,
            expires_at=export.expires_at,
        )


class ExportAccepted(Schema):
    """An export that has begun."""

    export: ExportOut
    job: JobOut


class TemplateOut(ShapeOut):
    """A shape under a name."""

    id: UUID
    project_id: UUID
    name: str
    created_at: datetime

    @classmethod
    def of(cls, template: ExportTemplate) -> "TemplateOut":
        return cls(
            **cls.fields(template.shape),
            id=template.id,
            project_id=template.project_id,
            name=template.name,
            created_at=template.created_at,
        )


@router.post("/versions/{uuid:version_id}/exports", response={202: ExportAccepted})
def create_export(
    request: HttpRequest, response: HttpResponse, version_id: UUID, body: ExportIn
) -> Status[ExportAccepted]:
    """Make a file of a version; what its format cannot hold is refused at once."""
    exports = container().exports()
    container().access().check(request.auth, "version", version_id)
    template = exports.template(request.auth, TemplateId(body.template_id)).shape if body.template_id else None
    found = exports.request(request.auth, VersionId(version_id), body.shape(template), body.name)
    at_job(response, found[1].id)
    return Status(202, ExportAccepted(export=ExportOut.of(found), job=JobOut.of(found[1])))


@router.get("/versions/{uuid:version_id}/exports", response=Page[ExportOut])
def list_exports(request: HttpRequest, version_id: UUID, which: Query[ListingIn]) -> Any:
    """The files made of a version, newest first."""
    return page(container().exports().list(request.auth, VersionId(version_id), which.listing()), ExportOut)


@router.get("/exports/{uuid:export_id}", response=ExportOut)
def get_export(request: HttpRequest, export_id: UUID) -> ExportOut:
    """How far an export is."""
    return ExportOut.of(container().exports().get(request.auth, ExportId(export_id)))


@router.get("/exports/{uuid:export_id}/file", openapi_extra=file_description("The exported file."))
def get_export_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file; 409 while it is being written, or when it has expired."""
    export, stream = container().exports().open(request.auth, ExportId(export_id))
    return download(request, stream, export.filename, export.size or 0)


@router.delete("/exports/{uuid:export_id}", response={204: None})
def delete_export(request: HttpRequest, export_id: UUID) -> Status[None]:
    """Remove an export with its file; 409 while it is being written."""
    container().exports().delete(request.auth, ExportId(export_id))
    return Status(204, None)


@router.get("/projects/{uuid:project_id}/export_templates", response=Page[TemplateOut])
def list_templates(request: HttpRequest, project_id: UUID) -> Any:
    """The export templates of a project, by name."""
    found = container().exports().templates(request.auth, ProjectId(project_id))
    return whole([TemplateOut.of(template) for template in found], TemplateOut)


@router.post("/projects/{uuid:project_id}/export_templates", response={201: TemplateOut})
def create_template(request: HttpRequest, project_id: UUID, body: TemplateIn) -> Status[TemplateOut]:
    """Keep a shape under a name, for all tables of the project that have its columns."""
    container().access().check(request.auth, "project", project_id)
    made = container().exports().create_template(request.auth, ProjectId(project_id), body.name, body.shape())
    return Status(201, TemplateOut.of(made))


@router.delete("/export_templates/{uuid:template_id}", response={204: None})
def delete_template(request: HttpRequest, template_id: UUID) -> Status[None]:
    """Remove an export template."""
    container().exports().delete_template(request.auth, TemplateId(template_id))
    return Status(204, None)


def _sort_text(keys: Sequence[SortKey]) -> str:
    """As `sort_keys` reads it."""
    names = [f"-{key.column}" if key.descending else key.column for key in keys]
    plain = all("," not in name and name == name.strip() and not name.startswith("[") for name in names)
    return ",".join(names) if plain else json.dumps(names, ensure_ascii=False)
