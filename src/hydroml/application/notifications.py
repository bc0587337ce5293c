"""Notifications: written in the transaction of what they tell of, and read by whom they are for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.domain.jobs import Job
from hydroml.domain.notifications import KEPT, MOST_KEPT, Notification, NotificationId, of_job
from hydroml.domain.projects import UserId


def notify(uow: UnitOfWork, notification: Notification) -> None:
    """Part of the caller's transaction; old ones of the same user go."""
    uow.notifications.add(notification)
    uow.notifications.trim(notification.user_id, notification.created_at - KEPT, MOST_KEPT)


def tell_end(uow: UnitOfWork, job: Job, at: datetime) -> None:
    """The job has ended, in the caller's transaction."""
    notification = of_job(NotificationId(uuid4()), job, at)
    if notification is not None:
        notify(uow, notification)


class NotificationService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def list(self, user: UserId, listing: Listing, *, unread: bool = False) -> tuple[Slice[Notification], int]:
        """The user's, and how many of all are unread."""
        with self._uow() as uow:
            return uow.notifications.of_user(user, listing, unread=unread), uow.notifications.unread(user)

    def mark_read(self, user: UserId, ids: Collection[NotificationId] | None) -> None:
        """Those of the user's; all when None."""
        with self._uow() as uow:
            uow.notifications.mark_read(user, ids)
            uow.commit()

    def since(self, user: UserId, sequence: int, limit: int = 200) -> Sequence[Notification]:
        """The user's after `sequence`, in the order they came."""
        with self._uow() as uow:
            return uow.notifications.since(user, sequence, limit)

    def last_sequence(self) -> int:
        with self._uow() as uow:
            return uow.notifications.last_sequence()
