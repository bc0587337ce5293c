"""Notifications, numbered in one row with the changes of jobs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.notifications import Notification, NotificationId
from hydroml.domain.projects import UserId


class InMemoryNotificationRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[NotificationId, Notification] = transaction.rows("notification")
        self._added: list[Notification] = []

    def add(self, entity: Notification) -> None:
        self._rows.put(entity.id, entity)
        self._added.append(entity)

    def number_added(self) -> None:
        """Gives what was added its sequence; within the commit."""
        for entity in self._added:
            entity.sequence = next(self._transaction.store.sequence)
            if self._rows.has(entity.id):
                self._rows.put(entity.id, entity)
        self._added.clear()

    def of_user(self, user: UserId, listing: Listing, *, unread: bool = False) -> Slice[Notification]:
        found = self._rows.where(lambda n: n.user_id == user and not (unread and n.read))
        return slice_of(found, listing, {"created_at": lambda n: n.created_at}, lambda n: n.title)

    def unread(self, user: UserId) -> int:
        return self._rows.count(lambda n: n.user_id == user and not n.read)

    def mark_read(self, user: UserId, ids: Collection[NotificationId] | None) -> None:
        for found in self._rows.where(lambda n: n.user_id == user and (ids is None or n.id in ids)):
            found.read = True
            self._rows.put(found.id, found)

    def since(self, user: UserId, sequence: int, limit: int) -> Sequence[Notification]:
        found = self._rows.where(lambda n: n.user_id == user and n.sequence > sequence)
        return sorted(found, key=lambda n: n.sequence)[:limit]

    def last_sequence(self) -> int:
        return max((n.sequence for n in self._rows.where(lambda _: True)), default=0)

    def trim(self, user: UserId, before: datetime, most: int) -> None:
        mine = sorted(self._rows.where(lambda n: n.user_id == user), key=lambda n: (n.created_at, n.id), reverse=True)
        for at, found in enumerate(mine):
            if at >= most or found.created_at < before:
                self._rows.remove(found.id)
