"""What the in-memory repositories stand on: rows that several transactions share, each with its own unsaved changes.

They behave as the database does: others see nothing before the commit, what is handed in and out is a copy, locked rows
make others wait, and of two that change the same row the second loses.
"""

import itertools
import threading
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from hydroml.adapters.cursors import Key, Position, read_order, write_cursor
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConcurrentUpdateError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LOCK_SECONDS = 10.0


class Identified(Protocol):
    @property
    def id(self) -> UUID: ...


class Revised(Protocol):
    @property
    def id(self) -> UUID: ...

    revision: int


I = TypeVar("I", bound=Identified)  # noqa: E741
R = TypeVar("R", bound=Revised)


class InMemoryStore:
    """What has been committed. Share one among the units of work that are to see each other's work."""

    def __init__(self) -> None:
        self.mutex = threading.RLock()
        self.sequence = itertools.count(1)
        self.numbers = itertools.count(1)
        self._tables: dict[str, dict[Any, Any]] = {}
        self._locks: dict[Hashable, threading.Lock] = {}

    def table(self, name: str) -> dict[Any, Any]:
        with self.mutex:
            return self._tables.setdefault(name, {})

    def lock(self, key: Hashable) -> threading.Lock:
        with self.mutex:
            return self._locks.setdefault(key, threading.Lock())


class Transaction:
    """The changes of one unit of work, and the locks it holds."""

    def __init__(self, store: InMemoryStore) -> None:
        self.store = store
        self._rows: dict[str, Rows[Any, Any]] = {}
        self._held: dict[Hashable, threading.Lock] = {}

    def rows(self, name: str) -> "Rows[Any, Any]":
        if name not in self._rows:
            self._rows[name] = Rows(self.store.table(name), self.store.mutex)
        return self._rows[name]

    def lock(self, key: Hashable) -> None:
        """Waits until no other transaction holds the lock. Raises ConcurrentUpdateError when that takes too long."""
        if key in self._held:
            return
        lock = self.store.lock(key)
        if not lock.acquire(timeout=LOCK_SECONDS):
            raise ConcurrentUpdateError("somebody else is changing the same; try again")
        self._held[key] = lock

    def claim(self, key: Hashable) -> bool:
        """Whether no other transaction has claimed it; unlike `lock`, it does not wait."""
        claim = ("claim", key)
        lock = self.store.lock(claim)
        if claim not in self._held and not lock.acquire(blocking=False):
            return False
        self._held[claim] = lock
        return True

    def commit(self) -> None:
        with self.store.mutex:
            for rows in self._rows.values():
                rows.check()
            for rows in self._rows.values():
                rows.apply()
        self._release()

    def rollback(self) -> None:
        for rows in self._rows.values():
            rows.forget()
        self._release()

    def _release(self) -> None:
        for lock in self._held.values():
            lock.release()
        self._held.clear()


class Rows(Generic[K, V]):
    """One kind of rows as a transaction sees them: what is committed, and its own changes on top."""

    def __init__(self, committed: dict[K, V], mutex: threading.RLock) -> None:
        self._committed, self._mutex = committed, mutex
        self._written: dict[K, V | None] = {}
        self._seen: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return deepcopy(self.peek(key))

    def peek(self, key: K) -> V | None:
        """The row itself: to be looked at only."""
        if key in self._written:
            return self._written[key]
        with self._mutex:
            return self._committed.get(key)

    def has(self, key: K) -> bool:
        return self.peek(key) is not None

    def put(self, key: K, value: V) -> None:
        self._note(key)
        self._written[key] = deepcopy(value)

    def remove(self, key: K) -> None:
        self._note(key)
        self._written[key] = None

    def keys_where(self, wanted: Callable[[V], bool]) -> list[K]:
        with self._mutex:
            merged: dict[K, V | None] = {**self._committed, **self._written}
        return [key for key, value in merged.items() if value is not None and wanted(value)]

    def where(self, wanted: Callable[[V], bool]) -> list[V]:
        found = (self.get(key) for key in self.keys_where(wanted))
        return [value for value in found if value is not None]

    def count(self, wanted: Callable[[V], bool]) -> int:
        return len(self.keys_where(wanted))

    def check(self) -> None:
        for key, seen in self._seen.items():
            if self._committed.get(key) is not seen:
                raise ConcurrentUpdateError(f"{key} was changed meanwhile")

    def apply(self) -> None:
        for key, value in self._written.items():
            if value is None:
                self._committed.pop(key, None)
            else:
                self._committed[key] = value
        self.forget()

    def forget(self) -> None:
        self._written.clear()
        self._seen.clear()

    def _note(self, key: K) -> None:
        if key not in self._seen:
            with self._mutex:
                self._seen[key] = self._committed.get(key)


def save_revised(rows: Rows[Any, R], entity: R) -> None:
    """Raises ConcurrentUpdateError when the row has another revision by now, or is gone."""
    current = rows.peek(entity.id)
    if current is None or current.revision != entity.revision:
        raise ConcurrentUpdateError(f"{entity.id} was changed meanwhile")
    entity.revision += 1
    rows.put(entity.id, entity)


def slice_of(
    items: list[I], listing: Listing, keys: Mapping[str, Callable[[I], Key]], name: Callable[[I], str]
) -> Slice[I]:
    """The part of `items` that `listing` asks for; `keys` are the fields it can be sorted by."""
    order = read_order(listing, tuple(keys))
    key = keys[order.field]

    def place(item: I) -> tuple[Any, UUID]:
        return key(item), item.id

    wanted = [item for item in items if listing.search.lower() in name(item).lower()]
    wanted.sort(key=place, reverse=order.descending)
    rest = wanted
    if order.after is not None:
        last = (order.after.key, order.after.id)
        rest = [item for item in wanted if (place(item) < last if order.descending else place(item) > last)]
    shown = rest[: listing.limit]
    cursor = write_cursor(listing.sort, Position(*place(shown[-1]))) if len(rest) > len(shown) else None
    return Slice(tuple(shown), cursor, len(wanted))
