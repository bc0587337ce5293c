"""Activity: who did what and when."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema

from hydroml.application.ports.repositories import Slice
from hydroml.domain.activity import Activity
from hydroml.domain.errors import ForbiddenError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, page

router = Router(tags=["activity"])


class ActorOut(Schema):
    """Who did it; without a name when they are gone."""

    id: UUID
    name: str | None


class ThingOut(Schema):
    """What it was done to, as it was called then."""

    kind: str
    id: UUID
    name: str


class ActivityOut(Schema):
    """Somebody did something."""

    id: UUID
    at: datetime
    actor: ActorOut
    verb: str
    subject: ThingOut
    text: str


@router.get("/projects/{uuid:project_id}/activity", response=Page[ActivityOut])
def project_activity(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """What was done in a project, newest first; `search` looks for a name."""
    return _page(container().activity().of_project(request.auth, ProjectId(project_id), which.listing()))


@router.get("/sources/{uuid:source_id}/activity", response=Page[ActivityOut])
def source_activity(request: HttpRequest, source_id: UUID, which: Query[ListingIn]) -> Any:
    """What was done with a data source, newest first."""
    return _page(container().activity().of_source(request.auth, SourceId(source_id), which.listing()))


@router.get("/audit", response=Page[ActivityOut])
def audit(request: HttpRequest, which: Query[ListingIn]) -> Any:
    """What everybody did; for administrators."""
    if not request.user.is_superuser:
        raise ForbiddenError("only administrators see what everybody does")
    return _page(container().activity().all(which.listing()))


def _page(found: Slice[Activity]) -> Any:
    members = [UserId(entry.subject.id) for entry in found.items if entry.subject.kind == "member"]
    names = users.names([*(entry.actor_id for entry in found.items), *members])
    return page(found, ActivityOut, _shown(names.get))


def _shown(name_of: Callable[[UserId], str | None]) -> Callable[[Activity], ActivityOut]:
    def shown(entry: Activity) -> ActivityOut:
        subject = entry.subject
        name = subject.name if subject.kind != "member" else name_of(UserId(subject.id)) or ""
        return ActivityOut(
            id=entry.id,
            at=entry.at,
            actor=ActorOut(id=entry.actor_id, name=name_of(entry.actor_id)),
            verb=entry.verb,
            subject=ThingOut(kind=subject.kind, id=subject.id, name=name),
            text=entry.text,
        )

    return shown
