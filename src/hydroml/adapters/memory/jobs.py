"""Jobs: their rows and log, the queue, and the bell."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction, slice_of
from hydroml.application.ports.repositories import JobFilter, Listing, Slice
from hydroml.domain.errors import ConflictError, UnavailableError
from hydroml.domain.jobs import Job, JobId, JobNotFoundError, JobState, LogLine
from hydroml.domain.projects import Project, ProjectId, UserId


class InMemoryJobRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[JobId, Job] = transaction.rows("job")
        self._log: Rows[tuple[JobId, int], LogLine] = transaction.rows("job log")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")
        self._changed: list[Job] = []

    def add(self, entity: Job) -> None:
        if entity.project_id is not None and not self._projects.has(entity.project_id):
            raise ConflictError("the project was removed meanwhile")
        self._rows.put(entity.id, entity)
        self._changed.append(entity)

    def get(self, job_id: JobId) -> Job:
        found = self._rows.get(job_id)
        if found is None:
            raise JobNotFoundError(job_id)
        return found

    def get_for_update(self, job_id: JobId) -> Job:
        self._transaction.lock(("job", job_id))
        return self.get(job_id)

    def save(self, entity: Job) -> None:
        self._transaction.lock(("job", entity.id))
        if not self._rows.has(entity.id):
            raise JobNotFoundError(entity.id)
        self._rows.put(entity.id, entity)
        self._changed.append(entity)

    def number_changes(self) -> None:
        """Gives the changed jobs their sequence; within the commit."""
        numbers: dict[JobId, int] = {}
        for entity in self._changed:
            if entity.id not in numbers:
                numbers[entity.id] = next(self._transaction.store.sequence)
            entity.sequence = numbers[entity.id]
        for job_id, number in numbers.items():
            stored = self._rows.get(job_id)
            if stored is not None:
                stored.sequence = number
                self._rows.put(job_id, stored)
        self._changed.clear()

    def of_user(self, which: JobFilter, listing: Listing) -> Slice[Job]:
        found = [
            job
            for job in self._visible_to(which.user)
            if (not which.states or job.state in which.states) and which.project_id in (None, job.project_id)
        ]
        keys = {"created_at": lambda j: j.created_at}
        return slice_of(found, listing, keys, lambda j: "" if j.subject is None else j.subject.name)

    def changed_since(self, user: UserId, sequence: int, limit: int) -> Sequence[Job]:
        found = [job for job in self._visible_to(user) if job.sequence > sequence]
        return sorted(found, key=lambda job: job.sequence)[:limit]

    def last_sequence(self) -> int:
        return max((job.sequence for job in self._rows.where(lambda _: True)), default=0)

    def unsent(self, before: datetime, limit: int) -> Sequence[JobId]:
        found = self._rows.where(lambda j: j.state is JobState.QUEUED and (j.sent_at is None or j.sent_at < before))
        return [job.id for job in sorted(found, key=lambda j: (j.created_at, j.id))[:limit]]

    def lost(self, now: datetime, limit: int) -> Sequence[JobId]:
        found = [
            (job.lease_until, job.id)
            for job in self._rows.where(lambda j: j.state is JobState.RUNNING)
            if job.lease_until is not None and job.lease_until <= now
        ]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def active(self) -> Sequence[Job]:
        return self._rows.where(lambda j: not j.state.is_final)

    def log(self, job_id: JobId, line: LogLine) -> None:
        self._log.put((job_id, next(self._transaction.store.numbers)), line)

    def log_of(self, job_id: JobId, limit: int = 1_000) -> Sequence[LogLine]:
        keys = sorted(key for key in self._log.keys_where(lambda _: True) if key[0] == job_id)
        return [line for key in keys[-limit:] if (line := self._log.get(key)) is not None]

    def _visible_to(self, user: UserId) -> list[Job]:
        mine = set(self._projects.keys_where(lambda p: user in p.members))
        return self._rows.where(lambda j: j.requested_by == user or j.project_id in mine)


class InMemoryJobQueue:
    """Remembers what was sent, in order; `away` makes it refuse, as when the broker does not answer."""

    def __init__(self) -> None:
        self.sent: list[JobId] = []
        self.away = False

    def send(self, job_id: JobId) -> None:
        if self.away:
            raise UnavailableError("the queue is away")
        self.sent.append(job_id)

    def waiting(self) -> int:
        if self.away:
            raise UnavailableError("the queue is away")
        return len(self.sent)


class InMemoryBell:
    """Rings from any thread, and is heard in any event loop of this process."""

    def __init__(self, interval: float = 2.0) -> None:
        self.rings = 0
        self._interval = interval
        self._mutex = threading.Lock()
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def ring(self) -> None:
        with self._mutex:
            self.rings += 1
            listeners = list(self._listeners.items())
        for heard, loop in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(heard.set)

    async def listen(self) -> AsyncIterator[None]:
        heard = asyncio.Event()
        with self._mutex:
            self._listeners[heard] = asyncio.get_running_loop()
        try:
            while True:
                try:
                    await asyncio.wait_for(heard.wait(), self._interval)
                except TimeoutError:
                    pass
                heard.clear()
                yield
        finally:
            with self._mutex:
                del self._listeners[heard]
