"""Sessions in the Data Studio: opened, listed, shared, looked at, saved; and what kinds of steps there are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema, Status
from pydantic import Field, WithJsonSchema

from hydroml.application.documents import read_step, step_schema, write_step
from hydroml.application.ports.tables import Differences, MatchReport, TextHit
from hydroml.application.saving import Target
from hydroml.application.studio import ListedSession, SessionDetail, Start
from hydroml.application.tables import AT_CURSOR, AtCursor
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId, VersionId
from hydroml.domain.studio.judging import StepStatus
from hydroml.domain.studio.recipes import RecipeId
from hydroml.domain.studio.session import Branch, Comment, Entry, EntryId, SessionId
from hydroml.domain.studio.steps import STEPS
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import Page, at_job, inlined, json_response, seen_revision, tag, whole
from hydroml.entrypoints.web.api.sources import OwnerOut, SourceAccepted
from hydroml.entrypoints.web.api.versions import (
    ColumnOut,
    DistributionsIn,
    DistributionsOut,
    FilterIn,
    FindIn,
    FindOut,
    FormulaIn,
    FormulaOut,
    NamedOut,
    PageColumnOut,
    ProfileOut,
    RowsIn,
    RowsOut,
    distributions_out,
    rows_document,
    rows_response,
)

router = Router(tags=["sessions"])

_SHOWN_FAILING = 20

StepDocument = Annotated[
    dict[str, Any],
    WithJsonSchema({"oneOf": [inlined(step_schema(kind)) for kind in STEPS], "description": "A step, by its `op`."}),
]

PROGRAM = {
    "responses": {
        200: {"description": "A Python program.", "content": {"text/x-python": {"schema": {"type": "string"}}}}
    }
}


class CommentOut(Schema):
    """What somebody says of a step."""

    id: UUID
    step: UUID
    author: OwnerOut
    text: str
    created_at: datetime

    @classmethod
    def of(cls, comment: Comment, names: Mapping[UserId, str]) -> "CommentOut":
        author = somebody(comment.author_id, names)
        return cls(
            id=comment.id, step=comment.entry_id, author=author, text=comment.text, created_at=comment.created_at
        )


class EntryOut(Schema):
    """A step in the history. `applied` says on which side of the cursor it is."""

    id: UUID
    parent: UUID | None
    states: list[UUID] = Field(description="The ids it had before it, or a step before it, was changed; newest first.")
    step: StepDocument
    enabled: bool
    applied: bool
    status: StepStatus = Field(
        description="ok; disabled; failed: it cannot run, `error` says why; waiting: for the step `waits_for`, which "
        "cannot run. The table is that of all steps that are ok."
    )
    summary: str
    error: str | None
    waits_for: UUID | None
    current: bool
    comments: list[CommentOut]


class BranchOut(Schema):
    """A branch of the history: its last step, and how many steps lead there."""

    tip: UUID
    name: str
    steps: int
    summary: str
    of: UUID | None = Field(description="The step of the history of which it shows an earlier state.")
    was: str | None = Field(description="The first of its steps that the history has in another way, or no longer.")

    @classmethod
    def make(cls, branch: Branch) -> "BranchOut":
        return cls(
            tip=branch.tip.id,
            name=branch.mark.name,
            steps=branch.steps,
            summary=branch.tip.step.summary(),
            of=branch.of,
            was=None if branch.was is None else branch.was.step.summary(),
        )


class SessionVersionOut(Schema):
    """The version a session stands on."""

    id: UUID
    number: int
    rows: int


class SessionOut(Schema):
    """A session: what it stands on, its history, and the columns at its cursor.

    `branches` are the others in view; `earlier` those laid aside: states before a change, and what was taken out of
    view. Both can be gone to.
    """

    id: UUID
    version_id: UUID
    project_id: UUID
    name: str
    shared: bool
    owner: OwnerOut
    editable: bool = Field(description="Whether the asker may change it.")
    revision: int
    cursor: UUID | None
    can_undo: bool
    can_redo: bool
    steps: list[EntryOut]
    branch: BranchOut | None
    branches: list[BranchOut]
    earlier: list[BranchOut]
    schema_: list[ColumnOut] = Field(alias="schema")
    source: NamedOut
    version: SessionVersionOut
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, detail: SessionDetail, asker: UserId) -> "SessionOut":
        session = detail.session
        names = users.names({session.owner_id, *(comment.author_id for comment in detail.comments)})
        applied = {entry.id for entry in session.path(session.cursor)}
        others = session.branches()
        branch, states = session.current_branch(), session.states()
        return cls(
            id=session.id,
            version_id=session.version_id,
            project_id=session.project_id,
            name=session.name,
            shared=session.shared,
            owner=somebody(session.owner_id, names),
            editable=session.owner_id == asker,
            revision=session.revision,
            cursor=session.cursor,
            can_undo=session.can_undo,
            can_redo=session.can_redo,
            steps=[_entry_out(detail, e, states[e.id], names, applied=e.id in applied) for e in session.history()],
            branch=None if branch is None else BranchOut.make(branch),
            branches=[BranchOut.make(other) for other in others if not other.mark.aside],
            earlier=[BranchOut.make(other) for other in others if other.mark.aside],
            schema=[ColumnOut.of(column) for column in detail.columns],
            source=NamedOut(id=detail.source.id, name=detail.source.name),
            version=SessionVersionOut(id=detail.version.id, number=detail.version.number, rows=detail.version.rows),
            created_at=session.created_at,
            updated_at=session.updated_at,
        )


class ListedSessionOut(Schema):
    """A session without its history."""

    id: UUID
    version_id: UUID
    project_id: UUID
    name: str
    shared: bool
    owner: OwnerOut
    applied_steps: int
    source: NamedOut
    version: SessionVersionOut
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, listed: ListedSession, names: Mapping[UserId, str]) -> "ListedSessionOut":
        found, version = listed.summary, listed.version
        return cls(
            id=found.id,
            version_id=found.version_id,
            project_id=found.project_id,
            name=found.name,
            shared=found.shared,
            owner=somebody(found.owner_id, names),
            applied_steps=found.steps,
            source=NamedOut(id=listed.source.id, name=listed.source.name),
            version=SessionVersionOut(id=version.id, number=version.number, rows=version.rows),
            created_at=found.created_at,
            updated_at=found.updated_at,
            deleted_at=found.deleted_at,
        )


class OpenIn(Schema):
    """In which project to work (the first one that may be edited otherwise), and what to begin with."""

    project_id: UUID | None = None
    name: str = ""
    session_id: UUID | None = Field(default=None, description="Begin with the applied steps of this session.")
    recipe_id: UUID | None = Field(default=None, description="Begin with the steps of this recipe.")
    relearn: bool = Field(default=False, description="Whether steps learn here what they have learnt elsewhere.")

    def start(self) -> Start:
        return Start(
            None if self.session_id is None else SessionId(self.session_id),
            None if self.recipe_id is None else RecipeId(self.recipe_id),
            self.relearn,
        )


class SessionPatch(Schema):
    """What changes: its name, and whether the project's members may look at it."""

    name: str | None = None
    shared: bool | None = None


class WhichSessions(Schema):
    """Mine; or those that others share with me; or mine in the trash."""

    shared: bool = False
    trashed: bool = False


class SaveIn(Schema):
    """A new data source of that name, or the next version of that one; of the source it is made from when both are left
    out."""

    name: str | None = None
    source_id: UUID | None = None
    follow: bool = Field(
        default=False, description="Make it anew whenever the source it is made from gets a new version."
    )

    def target(self) -> Target:
        return Target(self.name, None if self.source_id is None else SourceId(self.source_id), self.follow)


class AtIn(Schema):
    """As of which step."""

    step: str = Field("", description="A step's id, or `root` for the version as it is; the cursor when empty.")


class SessionRowsIn(AtIn, RowsIn):
    """Which rows, as of which step."""


class SessionFilterIn(AtIn, FilterIn):
    """Which rows, as of which step."""


class FailingCellOut(Schema):
    """A cell that has no value after the step though what it comes from has one, or an edit that does not fit."""

    row: int
    column: str
    value: Any
    reason: str


class DifferencesOut(Schema):
    """Rows as the step leaves them: the first, and some that change, leave, come or fail, in their order."""

    columns: list[PageColumnOut] = Field(description="Of both tables; one that leaves stands where it was.")
    rows: list[list[Any]] = Field(description="After the step; a row that leaves as it was.")
    numbers: list[int] = Field(description="Of the rows before the step; of those that come, after it.")
    fates: list[Literal["kept", "removed", "added"]]
    was: list[dict[str, Any]] = Field(description="What the cells of each row that change held, by column.")
    failing: list[FailingCellOut]
    failing_cells: int

    @classmethod
    def of(cls, found: Differences) -> dict[str, Any]:
        """As a plain document: the cells need no checking."""
        return {
            "columns": [{"name": column.name, "type": column.type} for column in found.columns],
            "rows": found.rows,
            "numbers": found.numbers,
            "fates": found.fates,
            "was": [dict(was) for was in found.was],
            "failing": [asdict(cell) for cell in found.failing[:_SHOWN_FAILING]],
            "failing_cells": found.failing_cells,
        }


class SessionDistributionsIn(AtIn, DistributionsIn):
    """Of which columns and rows, as of which step."""


class SessionFindIn(AtIn, FindIn):
    """What to look for, as of which step."""


class PreviewOut(RowsOut):
    """What a step would do, and the first rows after it."""

    added_columns: list[str]
    removed_columns: list[str]
    rows_before: int
    rows_after: int
    changed_cells: dict[str, int] | None
    compared_rows: int | None
    differences: DifferencesOut | None = Field(
        description="Null where the rows after the step are no longer those before it."
    )


class MatchOut(Schema):
    """How the keys of a join would meet: left is the session's table, right the other one.

    The unmatched are some of the keys without a partner, the most frequent first.
    """

    rows_left: int
    rows_right: int
    matched_left: int
    matched_right: int
    unmatched_left: list[list[Any]]
    unmatched_right: list[list[Any]]
    rows_after: int
    most_partners: int = Field(description="Of one row of the left.")
    largest_key: list[Any] | None = Field(description="The key that gives most rows of the result.")
    largest_rows: int
    repeated_left: int = Field(description="How many keys are there more than once.")
    repeated_right: int


@router.get("/versions/{uuid:version_id}/sessions", response=Page[ListedSessionOut])
def list_sessions(request: HttpRequest, version_id: UUID, which: Query[WhichSessions]) -> Any:
    """Sessions on a version, last changed first."""
    return _listed(container().studio().list(request.auth, version_id=VersionId(version_id), **which.dict()))


@router.get("/projects/{uuid:project_id}/sessions", response=Page[ListedSessionOut])
def list_project_sessions(request: HttpRequest, project_id: UUID, which: Query[WhichSessions]) -> Any:
    """Sessions in a project, last changed first."""
    return _listed(container().studio().list(request.auth, project_id=ProjectId(project_id), **which.dict()))


@router.post("/versions/{uuid:version_id}/sessions", response={201: SessionOut}, by_alias=True)
def open_session(
    request: HttpRequest, response: HttpResponse, version_id: UUID, body: OpenIn | None = None
) -> Status[SessionOut]:
    """Begin to work on a version; steps to begin with that cannot run on it are marked."""
    given = body or OpenIn()
    project_id = None if given.project_id is None else ProjectId(given.project_id)
    studio = container().studio()
    detail = studio.open(request.auth, VersionId(version_id), project_id, name=given.name, start=given.start())
    response["Location"] = f"/api/v1/sessions/{detail.session.id}"
    return Status(201, tagged(request, response, detail))


@router.get("/sessions/{uuid:session_id}", response=SessionOut, by_alias=True)
def get_session(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """A session with its history."""
    return tagged(request, response, container().studio().get(request.auth, SessionId(session_id)))


@router.patch("/sessions/{uuid:session_id}", response=SessionOut, by_alias=True)
def change_session(request: HttpRequest, response: HttpResponse, session_id: UUID, body: SessionPatch) -> SessionOut:
    """Name a session, or let the project's members look at it; they may copy it, and only its owner changes it."""
    studio, seen = container().studio(), seen_revision(request)
    detail = studio.describe(request.auth, SessionId(session_id), name=body.name, shared=body.shared, revision=seen)
    return tagged(request, response, detail)


@router.delete("/sessions/{uuid:session_id}", response={204: None})
def discard_session(request: HttpRequest, session_id: UUID) -> Status[None]:
    """To the trash, for thirty days; what was saved from it stays."""
    container().studio().discard(request.auth, SessionId(session_id))
    return Status(204, None)


@router.post("/sessions/{uuid:session_id}/restore", response=SessionOut, by_alias=True)
def restore_session(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """Out of the trash."""
    return tagged(request, response, container().studio().restore(request.auth, SessionId(session_id)))


@router.post("/sessions/{uuid:session_id}/preview", response=PreviewOut)
def preview(request: HttpRequest, session_id: UUID, which: Query[AtIn], body: Body[StepDocument]) -> HttpResponse:
    """What a step would do after the cursor or any step; nothing is stored."""
    found = container().tables().preview(request.auth, SessionId(session_id), read_step(body), step_at(which.step))
    return json_response(
        rows_document(found.page)
        | {
            "added_columns": found.added_columns,
            "removed_columns": found.removed_columns,
            "rows_before": found.rows_before,
            "rows_after": found.rows_after,
            "changed_cells": dict(found.changed_cells) or None,
            "compared_rows": found.compared_rows,
            "differences": None if found.differences is None else DifferencesOut.of(found.differences),
        }
    )


@router.post("/sessions/{uuid:session_id}/match", response=MatchOut)
def match(request: HttpRequest, session_id: UUID, which: Query[AtIn], body: Body[StepDocument]) -> MatchReport:
    """How the keys of a join would meet after the cursor or any step; nothing is stored."""
    return container().tables().match(request.auth, SessionId(session_id), read_step(body), step_at(which.step))


@router.post("/sessions/{uuid:session_id}/formulas/check", response=FormulaOut)
def check_session_formula(request: HttpRequest, session_id: UUID, which: Query[AtIn], body: FormulaIn) -> FormulaOut:
    """The type of a formula over the columns as of the cursor or any step, or its faults; reads no row."""
    tables = container().tables()
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(which.step))
    return FormulaOut.of(tables.check_formula(view, body.formula, body.kind))


@router.post("/sessions/{uuid:session_id}/save", response={202: SourceAccepted})
def save_session(
    request: HttpRequest, response: HttpResponse, session_id: UUID, body: SaveIn | None = None
) -> Status[SourceAccepted]:
    """The table at the cursor becomes a version, with its lineage."""
    source, job = container().saving().request(request.auth, SessionId(session_id), (body or SaveIn()).target())
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


@router.get("/sessions/{uuid:session_id}/rows", response=RowsOut)
def get_session_rows(request: HttpRequest, session_id: UUID, which: Query[SessionRowsIn]) -> HttpResponse:
    """A page of the table as of the cursor or any step."""
    tables = container().tables()
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(which.step), **which.shown())
    return rows_response(tables.page(view, which.offset, which.limit, total=which.total))


@router.get("/sessions/{uuid:session_id}/profile", response=ProfileOut)
def get_session_profile(request: HttpRequest, session_id: UUID, which: Query[SessionFilterIn]) -> ProfileOut:
    """Figures of all columns as of the cursor or any step."""
    tables = container().tables()
    formula = which.filter.strip() or None
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(which.step), filter=formula)
    found = tables.profile(view)
    return ProfileOut.of(found, len(found.columns))


@router.get("/sessions/{uuid:session_id}/distributions", response=DistributionsOut)
def get_session_distributions(
    request: HttpRequest, session_id: UUID, which: Query[SessionDistributionsIn]
) -> DistributionsOut:
    """How the values of columns are spread over all rows, and over those the filter keeps, as of any step."""
    tables = container().tables()
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(which.step), **which.shown())
    return distributions_out(tables.distributions(view))


@router.get("/sessions/{uuid:session_id}/find", response=FindOut)
def find_in_session(request: HttpRequest, session_id: UUID, which: Query[SessionFindIn]) -> TextHit:
    """The next cell that holds a text; answers within about two seconds, if need be before the search has ended."""
    tables = container().tables()
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(which.step), **which.shown())
    return tables.find(view, which.search())


@router.get("/sessions/{uuid:session_id}/code", openapi_extra=PROGRAM)
def get_session_code(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The applied steps that can run as a Python program that needs DuckDB alone."""
    return program(container().studio().code(request.auth, SessionId(session_id)))


def tagged(request: HttpRequest, response: HttpResponse, detail: SessionDetail) -> SessionOut:
    """A session as the asker sees it, with its revision as the answer's tag."""
    tag(response, detail.session.revision)
    return SessionOut.of(detail, request.auth)


def program(code: str) -> HttpResponse:
    """Python as an answer."""
    return HttpResponse(code, content_type="text/x-python; charset=utf-8")


def _entry_out(
    detail: SessionDetail, entry: Entry, states: Sequence[EntryId], names: Mapping[UserId, str], *, applied: bool
) -> EntryOut:
    verdict = detail.verdicts[entry.id]
    return EntryOut(
        id=entry.id,
        parent=entry.parent,
        states=list(states),
        step=write_step(entry.step),
        enabled=entry.enabled,
        applied=applied,
        status=verdict.status,
        summary=entry.step.summary(),
        error=verdict.reason or None,
        waits_for=verdict.waits_for,
        current=entry.id == detail.session.cursor,
        comments=[
            CommentOut.of(comment, names) for comment in detail.comments if comment.entry_id in (entry.id, *states)
        ],
    )


def somebody(user_id: UserId, names: Mapping[UserId, str]) -> OwnerOut:
    """A person by name, also one who has gone."""
    return OwnerOut(id=user_id, username=names.get(user_id, "(removed)"))


def _listed(found: Sequence[ListedSession]) -> Any:
    names = users.names({listed.summary.owner_id for listed in found})
    return whole([ListedSessionOut.of(listed, names) for listed in found], ListedSessionOut)


def step_at(step: str) -> EntryId | AtCursor | None:
    """Where in a session, as addresses say it."""
    if not step:
        return AT_CURSOR
    if step == "root":
        return None
    try:
        return EntryId(UUID(step))
    except ValueError:
        raise InvalidInputError.at("step", msg="a step's id, or root", code="uuid") from None
