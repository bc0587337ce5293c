"""Notifications of the asker."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.notifications import MOST_KEPT, Notification, NotificationId, Tone
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page

router = Router(tags=["me"])


class NotificationOut(Schema):
    """Something worth hearing of; `href` is the page that shows it."""

    id: UUID
    kind: str = Field(description="job or rules")
    tone: Tone
    title: str
    text: str
    href: str | None
    read: bool
    created_at: datetime

    @classmethod
    def of(cls, one: Notification) -> "NotificationOut":
        return cls(
            id=one.id,
            kind=one.kind,
            tone=one.tone,
            title=one.title,
            text=one.text,
            href=one.href,
            read=one.read,
            created_at=one.created_at,
        )


class NotificationsOut(Page[NotificationOut]):
    """A part of the list, and how many of all are unread."""

    unread: int


class NotificationsIn(Schema):
    """Which part of the list."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=500)
    unread: bool = Field(False, description="Only those that are unread.")


class ReadIn(Schema):
    """Which ones: `ids`, or `all`."""

    ids: list[UUID] = Field(default_factory=list, max_length=MOST_KEPT)
    all: bool = False


@router.get("/notifications", response=NotificationsOut)
def list_notifications(request: HttpRequest, which: Query[NotificationsIn]) -> Any:
    """My notifications, newest first. They are kept for 90 days, and at most 500."""
    listing = Listing(which.limit, which.cursor)
    found, unread = container().notifications().list(request.auth, listing, unread=which.unread)
    items = [NotificationOut.of(one) for one in found.items]
    return NotificationsOut(items=items, next_cursor=found.next_cursor, total=found.total, unread=unread)


@router.post("/notifications/read", response={204: None})
def read_notifications(request: HttpRequest, body: ReadIn) -> Status[None]:
    """They are read from now on."""
    if not body.all and not body.ids:
        raise InvalidInputError.at("ids", msg="name the notifications, or all of them", code="required")
    ids = None if body.all else [NotificationId(one) for one in body.ids]
    container().notifications().mark_read(request.auth, ids)
    return Status(204, None)
