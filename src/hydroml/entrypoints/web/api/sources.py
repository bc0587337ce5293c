"""Data sources: uploaded, listed, renamed, removed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status

from hydroml.application.sources import SourceDetail
from hydroml.domain.jobs import Job
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import DataSource, Detection, SourceId, SourceStatus
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web import uploads
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, page, seen_revision, tag, whole
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.versions import ColumnOut, VersionOut

router = Router(tags=["data sources"])

UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "name": {"type": "string", "description": "Of the new data source; the file's name otherwise."},
                        "options": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "How to read it, as a JSON object with any of delimiter, encoding, quote, "
                            "decimal, header, sheet, missing. Whatever is left out is detected. Send name and options "
                            "before the file: it then goes straight to storage.",
                        },
                        "file": {"type": "string", "format": "binary", "description": "CSV or TSV, Parquet, or Excel."},
                    },
                }
            }
        },
    }
}


class OwnerOut(Schema):
    """Somebody, by name."""

    id: UUID
    username: str


class SourceOut(Schema):
    """A named table with a history of versions."""

    id: UUID
    name: str
    status: SourceStatus
    error: str | None
    current_version: VersionOut | None
    versions: int
    project_ids: list[UUID]
    job: JobOut | None
    owner: OwnerOut
    created_at: datetime
    updated_at: datetime
    revision: int

    @classmethod
    def of(cls, detail: SourceDetail) -> "SourceOut":
        return cls.many([detail])[0]

    @classmethod
    def many(cls, details: list[SourceDetail]) -> "list[SourceOut]":
        names = users.names({detail.source.owner_id for detail in details})
        return [cls._of(detail, names.get(detail.source.owner_id, "(removed)")) for detail in details]

    @classmethod
    def _of(cls, detail: SourceDetail, owner: str) -> "SourceOut":
        source = detail.source
        return cls(
            id=source.id,
            name=source.name,
            status=source.status,
            error=source.error,
            current_version=VersionOut.of(detail.current) if detail.current else None,
            versions=source.versions,
            project_ids=sorted(source.project_ids),
            job=JobOut.of(detail.job) if detail.job else None,
            owner=OwnerOut(id=source.owner_id, username=owner),
            created_at=source.created_at,
            updated_at=source.updated_at,
            revision=source.revision,
        )


class SourcePatch(Schema):
    """What changes."""

    name: str


class SourceAccepted(Schema):
    """A data source, and the job that fills it."""

    source: SourceOut
    job: JobOut

    @classmethod
    def of(cls, source: DataSource, job: Job) -> "SourceAccepted":
        return cls(source=SourceOut.of(SourceDetail(source, None, job)), job=JobOut.of(job))


class DetectionOut(Schema):
    """What an import of a file would do."""

    format: str
    encoding: str | None
    delimiter: str | None
    quote: str | None
    header: bool | None
    decimal: str | None
    sheet: str | None
    sheets: list[str]
    columns: list[ColumnOut]
    rows: list[list[Any]]
    notes: list[str]

    @classmethod
    def of(cls, found: Detection) -> "DetectionOut":
        options = found.options
        return cls(
            format=found.format,
            encoding=options.encoding,
            delimiter=options.delimiter,
            quote=options.quote,
            header=options.header,
            decimal=options.decimal,
            sheet=options.sheet,
            sheets=list(found.sheets),
            columns=[ColumnOut.of(column) for column in found.columns],
            rows=[list(row) for row in found.rows],
            notes=list(found.notes),
        )


@router.get("/projects/{uuid:project_id}/sources", response=Page[SourceOut])
def list_sources(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """A project's data sources. Sort by `created_at`, `updated_at` or `name`."""
    found = container().sources().list(request.auth, ProjectId(project_id), which.listing())
    shown = {
        detail.source.id: source for detail, source in zip(found.items, SourceOut.many(list(found.items)), strict=True)
    }
    return page(found, SourceOut, lambda detail: shown[detail.source.id])


@router.post("/projects/{uuid:project_id}/sources", response={202: SourceAccepted}, openapi_extra=UPLOAD)
def upload_source(request: HttpRequest, response: HttpResponse, project_id: UUID) -> Status[SourceAccepted]:
    """A file becomes a new data source; the job that reads it makes version 1."""
    container().access().check(request.auth, "project", project_id)  # before gigabytes come in
    with uploads.received(request) as upload:
        source, job = container().imports().create(request.auth, ProjectId(project_id), upload)
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


@router.post("/sources/detect", response=DetectionOut, openapi_extra=UPLOAD)
def detect(request: HttpRequest) -> DetectionOut:
    """What an import of this file would do; nothing is kept. The first megabyte is enough for text."""
    with uploads.received(request) as upload:
        return DetectionOut.of(container().imports().detect(upload))


@router.get("/sources/{uuid:source_id}", response=SourceOut)
def get_source(request: HttpRequest, response: HttpResponse, source_id: UUID) -> SourceOut:
    """A data source with its current version, and the job that makes, or failed to make, the newest."""
    detail = container().sources().get(request.auth, SourceId(source_id))
    tag(response, detail.source.revision)
    return SourceOut.of(detail)


@router.patch("/sources/{uuid:source_id}", response=SourceOut)
def rename_source(request: HttpRequest, response: HttpResponse, source_id: UUID, body: SourcePatch) -> SourceOut:
    """Give it another name."""
    detail = container().sources().rename(request.auth, SourceId(source_id), body.name, seen_revision(request))
    tag(response, detail.source.revision)
    return SourceOut.of(detail)


@router.delete("/sources/{uuid:source_id}", response={204: None})
def delete_source(request: HttpRequest, source_id: UUID) -> Status[None]:
    """Removes it with its versions and sessions; 409 while an experiment stands on a version."""
    container().sources().delete(request.auth, SourceId(source_id))
    return Status(204, None)


@router.get("/sources/{uuid:source_id}/versions", response=Page[VersionOut])
def list_versions(request: HttpRequest, source_id: UUID) -> Any:
    """All versions, newest first."""
    return whole(
        [VersionOut.of(v) for v in container().sources().versions(request.auth, SourceId(source_id))], VersionOut
    )


@router.post("/sources/{uuid:source_id}/versions", response={202: SourceAccepted}, openapi_extra=UPLOAD)
def upload_version(request: HttpRequest, response: HttpResponse, source_id: UUID) -> Status[SourceAccepted]:
    """A file becomes the next version."""
    container().access().check(request.auth, "source", source_id)
    with uploads.received(request) as upload:
        source, job = container().imports().add_version(request.auth, SourceId(source_id), upload)
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))
