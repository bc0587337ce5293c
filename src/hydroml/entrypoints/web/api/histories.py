"""The history of a session: its steps changed, its branches named and compared, and what people say of it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import read_step
from hydroml.application.studio import SessionComparison
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.recipes import MAX_STEPS
from hydroml.domain.studio.session import CommentId, Entry, EntryId, SessionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import seen_revision
from hydroml.entrypoints.web.api.sessions import CommentOut, SessionOut, StepDocument, tagged
from hydroml.entrypoints.web.api.versions import ColumnOut

router = Router(tags=["sessions"])


class JumpIn(Schema):
    """Where to look: a step of any branch, or null for the version as it is."""

    step: UUID | None


class EntryPatch(Schema):
    """Another step in its place, or whether it is switched on."""

    step: StepDocument | None = None
    enabled: bool | None = None


class MoveIn(Schema):
    """Behind which step of the history; null to make it the first."""

    after: UUID | None


class CopyIn(Schema):
    """Steps of another session, in the order in which they are to be put."""

    session_id: UUID
    steps: list[UUID] = Field(min_length=1, max_length=MAX_STEPS)


class BranchPatch(Schema):
    """What changes: its name, and whether it is laid aside. One that gets a name is in view."""

    name: str | None = None
    hidden: bool | None = None


class CompareIn(Schema):
    """With which step, such as the last one of a branch."""

    with_: UUID = Field(alias="with")


class CommentIn(Schema):
    """What to say of a step."""

    text: str


class ComparedStep(Schema):
    """A step of one branch or both: its id here, there, what it does, and whether it is switched on."""

    here: UUID | None
    there: UUID | None
    summary: str
    enabled: bool

    @classmethod
    def of(cls, shown: Entry, *, here: EntryId | None = None, there: EntryId | None = None) -> "ComparedStep":
        return cls(here=here, there=there, summary=shown.step.summary(), enabled=shown.enabled)


class RetypedOut(Schema):
    """A column of different types."""

    name: str
    here: ColumnType
    there: ColumnType


class SessionComparisonOut(Schema):
    """The table at the cursor (here) beside that as of another step (there)."""

    common: list[ComparedStep]
    only_here: list[ComparedStep]
    only_there: list[ComparedStep]
    columns_only_here: list[ColumnOut]
    columns_only_there: list[ColumnOut]
    columns_retyped: list[RetypedOut]
    rows_here: int | None = Field(description="Null where counting takes too long.")
    rows_there: int | None

    @classmethod
    def of(cls, found: SessionComparison) -> "SessionComparisonOut":
        here = {column.name: column for column in found.columns_here}
        there = {column.name: column for column in found.columns_there}
        return cls(
            common=[ComparedStep.of(a, here=a.id, there=b.id) for a, b in found.common],
            only_here=[ComparedStep.of(entry, here=entry.id) for entry in found.here],
            only_there=[ComparedStep.of(entry, there=entry.id) for entry in found.there],
            columns_only_here=[ColumnOut.of(column) for name, column in here.items() if name not in there],
            columns_only_there=[ColumnOut.of(column) for name, column in there.items() if name not in here],
            columns_retyped=[
                RetypedOut(name=name, here=column.type, there=there[name].type)
                for name, column in here.items()
                if name in there and there[name].type is not column.type
            ],
            rows_here=found.rows_here,
            rows_there=found.rows_there,
        )


@router.post("/sessions/{uuid:session_id}/steps", response={201: SessionOut}, by_alias=True)
def add_step(
    request: HttpRequest, response: HttpResponse, session_id: UUID, step: Body[StepDocument]
) -> Status[SessionOut]:
    """Put a step after the cursor; 422 says what is wrong with it for these columns."""
    detail = container().studio().add(request.auth, SessionId(session_id), read_step(step), seen_revision(request))
    return Status(201, tagged(request, response, detail))


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
    return tagged(request, response, detail)


@router.delete("/sessions/{uuid:session_id}/steps/{uuid:step_id}", response=SessionOut, by_alias=True)
def remove_step(request: HttpRequest, response: HttpResponse, session_id: UUID, step_id: UUID) -> SessionOut:
    """Take a step out; the steps after it are replayed."""
    detail = container().studio().remove(request.auth, SessionId(session_id), EntryId(step_id), seen_revision(request))
    return tagged(request, response, detail)


@router.post("/sessions/{uuid:session_id}/steps/{uuid:step_id}/move", response=SessionOut, by_alias=True)
def move_step(
    request: HttpRequest, response: HttpResponse, session_id: UUID, step_id: UUID, body: MoveIn
) -> SessionOut:
    """Put a step elsewhere in the history; it and the steps after it are replayed."""
    after = None if body.after is None else EntryId(body.after)
    studio, seen = container().studio(), seen_revision(request)
    return tagged(request, response, studio.move(request.auth, SessionId(session_id), EntryId(step_id), after, seen))


@router.post("/sessions/{uuid:session_id}/steps/copy", response={201: SessionOut}, by_alias=True)
def copy_steps(request: HttpRequest, response: HttpResponse, session_id: UUID, body: CopyIn) -> Status[SessionOut]:
    """Put steps of another session after the cursor, where they learn anew: all of them, or none if one cannot run."""
    steps = [EntryId(step) for step in body.steps]
    studio, seen = container().studio(), seen_revision(request)
    detail = studio.copy(request.auth, SessionId(session_id), SessionId(body.session_id), steps, seen)
    return Status(201, tagged(request, response, detail))


@router.post("/sessions/{uuid:session_id}/undo", response=SessionOut, by_alias=True)
def undo(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """One step back; 409 when there is none."""
    detail = container().studio().undo(request.auth, SessionId(session_id), seen_revision(request))
    return tagged(request, response, detail)


@router.post("/sessions/{uuid:session_id}/redo", response=SessionOut, by_alias=True)
def redo(request: HttpRequest, response: HttpResponse, session_id: UUID) -> SessionOut:
    """One step forward again; 409 when there is none."""
    detail = container().studio().redo(request.auth, SessionId(session_id), seen_revision(request))
    return tagged(request, response, detail)


@router.post("/sessions/{uuid:session_id}/jump", response=SessionOut, by_alias=True)
def jump(request: HttpRequest, response: HttpResponse, session_id: UUID, body: JumpIn) -> SessionOut:
    """Look at the table as of any step of any branch, also of one laid aside."""
    to = None if body.step is None else EntryId(body.step)
    detail = container().studio().jump(request.auth, SessionId(session_id), to, seen_revision(request))
    return tagged(request, response, detail)


@router.patch("/sessions/{uuid:session_id}/branches/{uuid:tip}", response=SessionOut, by_alias=True)
def change_branch(
    request: HttpRequest, response: HttpResponse, session_id: UUID, tip: UUID, body: BranchPatch
) -> SessionOut:
    """Name a branch by its last step, lay it aside or bring it back."""
    studio, seen = container().studio(), seen_revision(request)
    detail = studio.mark(
        request.auth, SessionId(session_id), EntryId(tip), name=body.name, aside=body.hidden, revision=seen
    )
    return tagged(request, response, detail)


@router.delete("/sessions/{uuid:session_id}/branches/{uuid:tip}", response=SessionOut, by_alias=True)
def hide_branch(request: HttpRequest, response: HttpResponse, session_id: UUID, tip: UUID) -> SessionOut:
    """Lay a branch aside. Nothing of it is removed: `{"hidden": false}` brings it back."""
    studio, seen = container().studio(), seen_revision(request)
    detail = studio.mark(request.auth, SessionId(session_id), EntryId(tip), aside=True, revision=seen)
    return tagged(request, response, detail)


@router.get("/sessions/{uuid:session_id}/compare", response=SessionComparisonOut)
def compare_branches(request: HttpRequest, session_id: UUID, which: Query[CompareIn]) -> SessionComparisonOut:
    """The table at the cursor beside that as of another step, such as the last one of a branch."""
    found = container().studio().compare(request.auth, SessionId(session_id), EntryId(which.with_))
    return SessionComparisonOut.of(found)


@router.post("/sessions/{uuid:session_id}/steps/{uuid:step_id}/comments", response={201: CommentOut})
def comment_on_step(request: HttpRequest, session_id: UUID, step_id: UUID, body: CommentIn) -> Status[CommentOut]:
    """Say something of a step; whoever sees the session may. It stays with the step when that is changed."""
    made = container().studio().comment(request.auth, SessionId(session_id), EntryId(step_id), body.text)
    return Status(201, CommentOut.of(made, users.names({made.author_id})))


@router.delete("/sessions/{uuid:session_id}/comments/{uuid:comment_id}", response={204: None})
def delete_comment(request: HttpRequest, session_id: UUID, comment_id: UUID) -> Status[None]:
    """Remove a comment: one's own, or any of one's session."""
    container().studio().remove_comment(request.auth, SessionId(session_id), CommentId(comment_id))
    return Status(204, None)
