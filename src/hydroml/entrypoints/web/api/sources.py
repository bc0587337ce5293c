"""Data sources: uploaded, listed, renamed, removed."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import write_options
from hydroml.application.sources import SourceDetail
from hydroml.domain.jobs import Job
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import ColumnType, DataSource, Detection, SourceId, SourceStatus, VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web import uploads
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, page, seen_revision, tag, whole
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.versions import VersionOut

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
                            "description": "How to read it, as a JSON object: any of the options of a detection. "
                            "Whatever is left out is detected. Send name and options before the file: it then goes "
                            "straight to storage.",
                        },
                        "file": {"type": "string", "format": "binary", "description": "CSV or TSV, Parquet, or Excel."},
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["upload_ids"],
                    "properties": {
                        "upload_ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                        "name": {"type": "string"},
                        "options": {"type": "object"},
                        "append": {"type": "boolean", "description": "Behind the rows of the current version."},
                    },
                }
            },
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
    follows: UUID | None = Field(description="The data source with whose new versions it is made anew.")
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
            follows=source.following.source_id if source.following else None,
            owner=OwnerOut(id=source.owner_id, username=owner),
            created_at=source.created_at,
            updated_at=source.updated_at,
            revision=source.revision,
        )


class SourcePatch(Schema):
    """What changes: its name, and whether it is made anew whenever the source it was made from gets a new version."""

    name: str | None = None
    follow: bool | None = None


class TrashedOut(Schema):
    """A data source in the trash."""

    id: UUID
    name: str
    versions: int
    deleted_at: datetime | None
    rows: int | None
    columns: int | None

    @classmethod
    def of(cls, detail: SourceDetail) -> "TrashedOut":
        source, current = detail.source, detail.current
        return cls(
            id=source.id,
            name=source.name,
            versions=source.versions,
            deleted_at=source.deleted_at,
            rows=None if current is None else current.rows,
            columns=None if current is None else len(current.columns),
        )


class PurgeOut(Schema):
    """What removing for good frees, and how many runs stand on a version."""

    bytes: int
    versions: int
    runs: int


class PurgeIn(Schema):
    """The name of the data source, to be sure."""

    name: str = Field(max_length=500)


class PurgedOut(Schema):
    """What it freed."""

    freed_bytes: int


class RollbackIn(Schema):
    """The version to go back to."""

    version_id: UUID


class SourceAccepted(Schema):
    """A data source, and the job that fills it."""

    source: SourceOut
    job: JobOut

    @classmethod
    def of(cls, source: DataSource, job: Job) -> "SourceAccepted":
        return cls(source=SourceOut.of(SourceDetail(source, None, job)), job=JobOut.of(job))


class DetectedColumnOut(Schema):
    """A column as it would be read; `misfits` cells would become missing since they do not fit its type."""

    name: str
    type: ColumnType
    misfits: int
    note: str


class MarkerOut(Schema):
    """A text that seems to stand for a missing value; `applied` when it is read as one."""

    text: str
    columns: list[str]
    cells: int
    applied: bool


class ChoiceOut(Schema):
    """An answer, as the value of the question's option."""

    value: str
    label: str


class QuestionOut(Schema):
    """What only the owner of the file can know; the answer is a value of `option`."""

    option: str
    text: str
    columns: list[str]
    choices: list[ChoiceOut]


class RejectedRowOut(Schema):
    """A line that is no row of the table."""

    file: str
    line: int
    reason: str
    text: str


class DetectedFileOut(Schema):
    """One of the files that are read as one table."""

    name: str
    bytes: int


class DetectionOut(Schema):
    """What an import would do; `options` are all that are in force, and give the same result when sent back."""

    format: str
    options: dict[str, Any]
    encoding: str | None
    delimiter: str | None
    quote: str | None
    header: bool | None
    decimal: str | None
    sheet: str | None
    sheets: list[str]
    files: list[DetectedFileOut]
    columns: list[DetectedColumnOut]
    rows: list[list[Any]]
    missing: list[MarkerOut]
    questions: list[QuestionOut]
    rejected: int
    rejects: list[RejectedRowOut]
    judged_all: bool
    notes: list[str]

    @classmethod
    def of(cls, found: Detection) -> "DetectionOut":
        options = found.options
        return cls(
            format=found.format,
            options=write_options(options),
            encoding=options.encoding,
            delimiter=options.delimiter,
            quote=options.quote,
            header=options.header,
            decimal=options.decimal,
            sheet=options.sheet,
            sheets=list(found.sheets),
            files=[DetectedFileOut(name=file.name, bytes=file.size) for file in found.files],
            columns=[DetectedColumnOut(**asdict(column)) for column in found.columns],
            rows=[list(row) for row in found.rows],
            missing=[MarkerOut(**asdict(marker)) for marker in found.missing],
            questions=[QuestionOut(**asdict(question)) for question in found.questions],
            rejected=found.rejected,
            rejects=[RejectedRowOut(**asdict(row)) for row in found.rejects],
            judged_all=found.judged_all,
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
    with uploads.given(request) as upload:
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
def change_source(request: HttpRequest, response: HttpResponse, source_id: UUID, body: SourcePatch) -> SourceOut:
    """Give it another name, or keep it up to date with the data source it was made from."""
    sources, seen = container().sources(), seen_revision(request)
    detail = sources.change(request.auth, SourceId(source_id), name=body.name, follow=body.follow, revision=seen)
    tag(response, detail.source.revision)
    return SourceOut.of(detail)


@router.delete("/sources/{uuid:source_id}", response={204: None})
def delete_source(request: HttpRequest, source_id: UUID) -> Status[None]:
    """To the trash, with all its versions."""
    container().sources().delete(request.auth, SourceId(source_id))
    return Status(204, None)


@router.get("/projects/{uuid:project_id}/trash", response=Page[TrashedOut])
def list_trash(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """A project's data sources in the trash."""
    return page(container().sources().trash(request.auth, ProjectId(project_id), which.listing()), TrashedOut)


@router.post("/sources/{uuid:source_id}/restore", response=SourceOut)
def restore_source(request: HttpRequest, source_id: UUID) -> SourceOut:
    """Out of the trash."""
    return SourceOut.of(container().sources().restore(request.auth, SourceId(source_id)))


@router.get("/sources/{uuid:source_id}/purge", response=PurgeOut)
def get_purge(request: HttpRequest, source_id: UUID) -> PurgeOut:
    """What removing it for good would free, and how many runs stand against it."""
    found = container().sources().to_purge(request.auth, SourceId(source_id))
    return PurgeOut(bytes=found.size, versions=found.versions, runs=found.runs)


@router.post("/sources/{uuid:source_id}/purge", response=PurgedOut)
def purge_source(request: HttpRequest, source_id: UUID, body: PurgeIn) -> PurgedOut:
    """Removes what is in the trash for good; 409 while an experiment stands on a version."""
    return PurgedOut(freed_bytes=container().sources().purge(request.auth, SourceId(source_id), body.name))


@router.put("/sources/{uuid:source_id}/projects/{uuid:project_id}", response={204: None})
def put_into_project(request: HttpRequest, source_id: UUID, project_id: UUID) -> Status[None]:
    """It belongs to one more project."""
    container().sources().put_into(request.auth, SourceId(source_id), ProjectId(project_id))
    return Status(204, None)


@router.delete("/sources/{uuid:source_id}/projects/{uuid:project_id}", response={204: None})
def take_from_project(request: HttpRequest, source_id: UUID, project_id: UUID) -> Status[None]:
    """It leaves a project; without any, it is its owner's alone."""
    container().sources().take_from(request.auth, SourceId(source_id), ProjectId(project_id))
    return Status(204, None)


@router.post("/sources/{uuid:source_id}/rollback", response={201: VersionOut})
def roll_back(request: HttpRequest, source_id: UUID, body: RollbackIn) -> Status[VersionOut]:
    """An earlier version once more, as the newest one."""
    found = container().sources().roll_back(request.auth, SourceId(source_id), VersionId(body.version_id))
    return Status(201, VersionOut.of(found))


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
    with uploads.given(request) as upload:
        source, job = container().imports().add_version(request.auth, SourceId(source_id), upload)
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))
