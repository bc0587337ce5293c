"""Sessions in the Data Studio, and what kinds of steps there are."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema, Status
from pydantic import Field, WithJsonSchema

from hydroml.application.documents import read_step, step_schema, write_step
from hydroml.application.studio import SessionDetail
from hydroml.application.tables import AT_CURSOR, AtCursor
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import SourceId, VersionId
from hydroml.domain.studio.session import EntryId, SessionId
from hydroml.domain.studio.steps import STEPS
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, at_job, inlined, json_response, seen_revision, tag, whole
from hydroml.entrypoints.web.api.sources import SourceAccepted
from hydroml.entrypoints.web.api.versions import (
    ColumnOut,
    FilterIn,
    NamedOut,
    ProfileOut,
    RowsIn,
    RowsOut,
    rows_document,
    rows_response,
)

router = Router(tags=["sessions"])

StepDocument = Annotated[
    dict[str, Any],
    WithJsonSchema({"oneOf": [inlined(step_schema(kind)) for kind in STEPS], "description": "A step, by its `op`."}),
]


class EntryOut(Schema):
    """A step in the history."""

    id: UUID
    parent: UUID | None
    step: StepDocument
    enabled: bool
    status: str = Field(description="applied, undone, off or failed")
    summary: str
    error: str | None
    current: bool


class BranchOut(Schema):
    """Another branch of the history: its last step, and how many steps lead there."""

    tip: UUID
    steps: int
    summary: str


class SessionVersionOut(Schema):
    """The version a session stands on."""

    id: UUID
    number: int
    rows: int


class SessionOut(Schema):
    """A session: what it stands on, its history, and the columns at its cursor."""

    id: UUID
    version_id: UUID
    project_id: UUID
    revision: int
    cursor: UUID | None
    can_undo: bool
    can_redo: bool
    steps: list[EntryOut]
    branches: list[BranchOut]
    schema_: list[ColumnOut] = Field(alias="schema")
    source: NamedOut
    version: SessionVersionOut
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, detail: SessionDetail) -> "SessionOut":
        session = detail.session
        applied = {entry.id for entry in session.path(session.cursor)}

        def status(id_: EntryId, enabled: bool) -> str:
            if id_ in detail.broken:
                return "failed"
            if not enabled:
                return "off"
            return "applied" if id_ in applied else "undone"

        return cls(
            id=session.id,
            version_id=session.version_id,
            project_id=session.project_id,
            revision=session.revision,
            cursor=session.cursor,
            can_undo=session.can_undo,
            can_redo=session.can_redo,
            steps=[
                EntryOut(
                    id=entry.id,
                    parent=entry.parent,
                    step=write_step(entry.step),
                    enabled=entry.enabled,
                    status=status(entry.id, entry.enabled),
                    summary=entry.step.summary(),
                    error=detail.broken.get(entry.id),
                    current=entry.id == session.cursor,
                )
                for entry in session.history()
            ],
            branches=[
                BranchOut(tip=entry.id, steps=len(session.path(entry.id)), summary=entry.step.summary())
                for entry in session.branches()
            ],
            schema=[ColumnOut.of(column) for column in detail.columns],
            source=NamedOut(id=detail.source.id, name=detail.source.name),
            version=SessionVersionOut(id=detail.version.id, number=detail.version.number, rows=detail.version.rows),
            created_at=session.created_at,
            updated_at=session.updated_at,
        )


class OpenIn(Schema):
    """In which project to work; the first one that may be edited otherwise."""

    project_id: UUID | None = None


class JumpIn(Schema):
    """Where to look: a step of any branch, or null for the version as it is."""

    step: UUID | None


class EntryPatch(Schema):
    """Another step in its place, or whether it is switched on."""

    step: StepDocument | None = None
    enabled: bool | None = None


class SaveIn(Schema):
    """A new data source of that name, or the next version of that one; of the session's own when both are left out."""

    name: str | None = None
    source_id: UUID | None = None


class AtIn(Schema):
    """As of which step."""

    step: str = Field("", description="A step's id, or `root` for the version as it is; the cursor when empty.")


class SessionRowsIn(AtIn, RowsIn):
    """Which rows, as of which step."""


class SessionFilterIn(AtIn, FilterIn):
    """Which rows, as of which step."""


class PreviewOut(RowsOut):
    """What a step would do, and the first rows after it."""

    added_columns: list[str]
    removed_columns: list[str]
    rows_before: int
    rows_after: int
    changed_cells: dict[str, int] | None


@router.get("/versions/{uuid:version_id}/sessions", response=Page[SessionOut], by_alias=True)
def list_sessions(request: HttpRequest, version_id: UUID) -> Any:
    """My sessions on a version, last changed first."""
    container().access().check(request.auth, "version", version_id)
    found = container().studio().mine(request.auth, version_id=VersionId(version_id))
    return whole([SessionOut.of(detail) for detail in found], SessionOut)


@router.post("/versions/{uuid:version_id}/sessions", response={201: SessionOut}, by_alias=True)
def open_session(
    request: HttpRequest, response: HttpResponse, version_id: UUID, body: OpenIn | None = None
) -> Status[SessionOut]:
    """Begin to work on a version."""
    project_id = body.project_id if body else None
    detail = (
        container()
        .studio()
        .open(request.auth, VersionId(version_id), None if project_id is None else ProjectId(project_id))
    )
    response["Location"] = f"/api/v1/sessions/{detail.session.id}"
    return Status(201, _tagged(response, detail))


@router.get("/sessions/{uuid:session_id}", response=SessionOut, by_alias=True)
def get_session(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """A session with its history."""
    return _tagged(response, container().studio().get(request.auth, SessionId(session_id)))


@router.delete("/sessions/{uuid:session_id}", response={204: None})
def discard_session(request: HttpRequest, session_id: UUID) -> Status[None]:
    """Forget a session; what was saved from it stays."""
    container().studio().discard(request.auth, SessionId(session_id))
    return Status(204, None)


@router.post("/sessions/{uuid:session_id}/steps", response={201: SessionOut}, by_alias=True)
def add_step(
    request: HttpRequest, response: HttpResponse, session_id: UUID, step: Body[StepDocument]
) -> Status[SessionOut]:
    """Put a step after the cursor; 422 says what is wrong with it for these columns."""
    detail = container().studio().add(request.auth, SessionId(session_id), read_step(step), seen_revision(request))
    return Status(201, _tagged(response, detail))


@router.patch("/sessions/{uuid:session_id}/steps/{uuid:step_id}", response=SessionOut, by_alias=True)
def change_step(
    request: HttpRequest, response: HttpResponse, session_id: UUID, step_id: UUID, body: EntryPatch
) -> SessionOut:
    """Edit a step, or switch it on or off; the steps after it are replayed."""
    if body.step is None and body.enabled is None:
        raise InvalidInputError.at("step", msg="give a step, or enabled", code="required")
    detail = (
        container()
        .studio()
        .change(
            request.auth,
            SessionId(session_id),
            EntryId(step_id),
            step=None if body.step is None else read_step(body.step),
            enabled=body.enabled,
            revision=seen_revision(request),
        )
    )
    return _tagged(response, detail)


@router.delete("/sessions/{uuid:session_id}/steps/{uuid:step_id}", response=SessionOut, by_alias=True)
def remove_step(request: HttpRequest, response: HttpResponse, session_id: UUID, step_id: UUID) -> SessionOut:
    """Take a step out; the steps after it are replayed."""
    detail = container().studio().remove(request.auth, SessionId(session_id), EntryId(step_id), seen_revision(request))
    return _tagged(response, detail)


@router.post("/sessions/{uuid:session_id}/undo", response=SessionOut, by_alias=True)
def undo(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """One step back; 409 when there is none."""
    return _tagged(response, container().studio().undo(request.auth, SessionId(session_id), seen_revision(request)))


@router.post("/sessions/{uuid:session_id}/redo", response=SessionOut, by_alias=True)
def redo(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """One step forward again; 409 when there is none."""
    return _tagged(response, container().studio().redo(request.auth, SessionId(session_id), seen_revision(request)))


@router.post("/sessions/{uuid:session_id}/jump", response=SessionOut, by_alias=True)
def jump(request: HttpRequest, response: HttpResponse, session_id: UUID, body: JumpIn) -> SessionOut:
    """Look at the table as of any step of any branch."""
    to = None if body.step is None else EntryId(body.step)
    return _tagged(response, container().studio().jump(request.auth, SessionId(session_id), to, seen_revision(request)))


@router.post("/sessions/{uuid:session_id}/preview", response=PreviewOut)
def preview(request: HttpRequest, session_id: UUID, which: Query[AtIn], body: Body[StepDocument]) -> HttpResponse:
    """What a step would do after the cursor or any step; nothing is stored."""
    found = container().tables().preview(request.auth, SessionId(session_id), read_step(body), _at(which.step))
    return json_response(
        rows_document(found.page)
        | {
            "added_columns": found.added_columns,
            "removed_columns": found.removed_columns,
            "rows_before": found.rows_before,
            "rows_after": found.rows_after,
            "changed_cells": dict(found.changed_cells) or None,
        }
    )


@router.post("/sessions/{uuid:session_id}/save", response={202: SourceAccepted})
def save_session(
    request: HttpRequest, response: HttpResponse, session_id: UUID, body: SaveIn | None = None
) -> Status[SourceAccepted]:
    """The table at the cursor becomes a version, with its lineage."""
    given = body or SaveIn()
    source, job = (
        container()
        .saving()
        .request(
            request.auth,
            SessionId(session_id),
            name=given.name,
            source_id=None if given.source_id is None else SourceId(given.source_id),
        )
    )
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


@router.get("/sessions/{uuid:session_id}/rows", response=RowsOut)
def get_session_rows(request: HttpRequest, session_id: UUID, which: Query[SessionRowsIn]) -> HttpResponse:
    """A page of the table as of the cursor or any step."""
    tables = container().tables()
    view = tables.session_view(request.auth, SessionId(session_id), at=_at(which.step), **which.shown())
    return rows_response(tables.page(view, which.offset, which.limit, total=which.total))


@router.get("/sessions/{uuid:session_id}/profile", response=ProfileOut)
def get_session_profile(request: HttpRequest, session_id: UUID, which: Query[SessionFilterIn]) -> ProfileOut:
    """Figures of all columns as of the cursor or any step."""
    tables = container().tables()
    formula = which.filter.strip() or None
    view = tables.session_view(request.auth, SessionId(session_id), at=_at(which.step), filter=formula)
    return ProfileOut.of(tables.profile(view))


@router.get(
    "/sessions/{uuid:session_id}/code",
    openapi_extra={
        "responses": {
            200: {"description": "A Python program.", "content": {"text/x-python": {"schema": {"type": "string"}}}}
        }
    },
)
def get_session_code(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The applied steps as a Python program that needs DuckDB alone."""
    code = container().studio().code(request.auth, SessionId(session_id))
    return HttpResponse(code, content_type="text/x-python; charset=utf-8")


def _tagged(response: HttpResponse, detail: SessionDetail) -> SessionOut:
    tag(response, detail.session.revision)
    return SessionOut.of(detail)


def _at(step: str) -> EntryId | AtCursor | None:
    if not step:
        return AT_CURSOR
    if step == "root":
        return None
    try:
        return EntryId(UUID(step))
    except ValueError:
        raise InvalidInputError.at("step", msg="a step's id, or root", code="uuid") from None
