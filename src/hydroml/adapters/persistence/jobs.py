"""Jobs, their numbered changes and their log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    Identity,
    Index,
    Row,
    Table,
    Uuid,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import Sequence as DatabaseSequence
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.membership import projects_of
from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import slice_of
from hydroml.application.ports.repositories import JobFilter, Listing, Slice
from hydroml.domain.errors import ConflictError
from hydroml.domain.jobs import Job, JobId, JobKind, JobNotFoundError, JobState, LogLine, Subject
from hydroml.domain.projects import ProjectId, UserId

job_sequence = DatabaseSequence("job_sequence", metadata=metadata)

job = Table(
    "job",
    metadata,
    key(),
    text("kind"),
    document("payload"),
    uuid("requested_by"),
    reference("project_id", "project", "SET NULL", nullable=True),
    text("subject_kind", nullable=True),
    uuid("subject_id", nullable=True),
    text("subject_name", nullable=True),
    text("state"),
    Column("progress", Double, nullable=False),
    text("phase"),
    text("message"),
    text("error", nullable=True),
    document("result"),
    number("attempts"),
    text("worker", nullable=True),
    moment("lease_until", nullable=True),
    Column("cancel_requested", Boolean, nullable=False),
    Column("finish_requested", Boolean, nullable=False),
    moment("created_at"),
    moment("sent_at", nullable=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    number("sequence"),
    Index(None, "sequence"),
    Index(None, "requested_by", "created_at", "id"),
    Index(None, "project_id", "created_at", "id"),
)
_is_queued = job.c.state == JobState.QUEUED.value
_is_running = job.c.state == JobState.RUNNING.value
Index("ix_job_queued", job.c.created_at, postgresql_where=_is_queued)
Index("ix_job_running", job.c.lease_until, postgresql_where=_is_running)

job_log = Table(
    "job_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    reference("job_id", "job", "CASCADE"),
    moment("at"),
    text("level"),
    text("message"),
    Index(None, "job_id", "id"),
)

NUMBERING_LOCK = 0x6879_6472_6F6A  # any number, as long as it is always this one


def _to_row(entity: Job) -> dict[str, Any]:
    subject = entity.subject
    return {
        "id": entity.id,
        "kind": entity.kind,
        "payload": entity.payload,
        "requested_by": entity.requested_by,
        "project_id": entity.project_id,
        "subject_kind": None if subject is None else subject.kind,
        "subject_id": None if subject is None else subject.id,
        "subject_name": None if subject is None else subject.name,
        "state": entity.state,
        "progress": entity.progress,
        "phase": _storable(entity.phase),
        "message": _storable(entity.message),
        "error": None if entity.error is None else _storable(entity.error),
        "result": entity.result,
        "attempts": entity.attempts,
        "worker": entity.worker,
        "lease_until": entity.lease_until,
        "cancel_requested": entity.cancel_requested,
        "finish_requested": entity.finish_requested,
        "created_at": entity.created_at,
        "sent_at": entity.sent_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "sequence": entity.sequence,
    }


def _from_row(row: Row[Any]) -> Job:
    return Job(
        id=JobId(row.id),
        kind=JobKind(row.kind),
        payload=row.payload,
        requested_by=UserId(row.requested_by),
        project_id=None if row.project_id is None else ProjectId(row.project_id),
        subject=None if row.subject_id is None else Subject(row.subject_kind, row.subject_id, row.subject_name),
        state=JobState(row.state),
        progress=row.progress,
        phase=row.phase,
        message=row.message,
        error=row.error,
        result=row.result,
        attempts=row.attempts,
        worker=row.worker,
        lease_until=row.lease_until,
        cancel_requested=row.cancel_requested,
        finish_requested=row.finish_requested,
        created_at=row.created_at,
        sent_at=row.sent_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        sequence=row.sequence,
    )


def _storable(words: str) -> str:
    """PostgreSQL keeps no NUL and no half of a surrogate pair, and an error may quote a file's bytes."""
    return words.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _visible_to(user: UserId) -> ColumnElement[bool]:
    return or_(job.c.requested_by == user, job.c.project_id.in_(projects_of(user)))


class SqlAlchemyJobRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed: list[Job] = []

    def add(self, entity: Job) -> None:
        try:
            self._connection.execute(insert(job).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the project was removed meanwhile") from error
        self._changed.append(entity)

    def get(self, job_id: JobId) -> Job:
        row = self._connection.execute(select(job).where(job.c.id == job_id)).one_or_none()
        if row is None:
            raise JobNotFoundError(job_id)
        return _from_row(row)

    def get_for_update(self, job_id: JobId) -> Job:
        row = self._connection.execute(select(job).where(job.c.id == job_id).with_for_update()).one_or_none()
        if row is None:
            raise JobNotFoundError(job_id)
        return _from_row(row)

    def save(self, entity: Job) -> None:
        if self._connection.execute(update(job).where(job.c.id == entity.id).values(_to_row(entity))).rowcount != 1:
            raise JobNotFoundError(entity.id)
        self._changed.append(entity)

    def number_changes(self) -> None:
        """Gives the changed jobs their sequence; the last thing before a commit.

        A sequence alone would not do: its numbers become visible in the order of the commits, so that a reader who has
        seen 8 may have missed 7 for ever. Whoever commits changes to jobs does so one after the other; the lock is
        taken when all others are held, so that nobody waits in a circle.
        """
        if not self._changed:
            return
        self._connection.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
        ids = list(dict.fromkeys(entity.id for entity in self._changed))
        numbered = (
            update(job)
            .where(job.c.id == func.any(literal(ids, ARRAY(Uuid))))
            .values(sequence=job_sequence.next_value())
            .returning(job.c.id, job.c.sequence)
        )
        sequences: dict[UUID, int] = {row.id: row.sequence for row in self._connection.execute(numbered)}
        for entity in self._changed:
            entity.sequence = sequences[entity.id]
        self._changed.clear()

    def of_user(self, which: JobFilter, listing: Listing) -> Slice[Job]:
        query = select(job).where(_visible_to(which.user))
        if which.states:
            query = query.where(job.c.state.in_(which.states))
        if which.project_id is not None:
            query = query.where(job.c.project_id == which.project_id)
        keys = {"created_at": job.c.created_at}
        return slice_of(self._connection, query, job, keys, listing, _from_row, name=job.c.subject_name)

    def changed_since(self, user: UserId, sequence: int, limit: int) -> Sequence[Job]:
        query = select(job).where(job.c.sequence > sequence, _visible_to(user)).order_by(job.c.sequence).limit(limit)
        return [_from_row(row) for row in self._connection.execute(query)]

    def last_sequence(self) -> int:
        return self._connection.execute(select(func.max(job.c.sequence))).scalar() or 0

    def unsent(self, before: datetime, limit: int) -> Sequence[JobId]:
        waiting = or_(job.c.sent_at.is_(None), job.c.sent_at < before)
        query = select(job.c.id).where(_is_queued, waiting).order_by(job.c.created_at, job.c.id).limit(limit)
        return [JobId(id_) for id_ in self._connection.execute(query).scalars()]

    def lost(self, now: datetime, limit: int) -> Sequence[JobId]:
        query = select(job.c.id).where(_is_running, job.c.lease_until <= now).order_by(job.c.lease_until).limit(limit)
        return [JobId(id_) for id_ in self._connection.execute(query).scalars()]

    def active(self) -> Sequence[Job]:
        unfinished = job.c.state.in_((JobState.QUEUED, JobState.RUNNING))
        return [_from_row(row) for row in self._connection.execute(select(job).where(unfinished))]

    def log(self, job_id: JobId, line: LogLine) -> None:
        values = {"job_id": job_id, "at": line.at, "level": line.level, "message": _storable(line.message)}
        self._connection.execute(insert(job_log).values(values))

    def log_of(self, job_id: JobId, limit: int = 1_000) -> Sequence[LogLine]:
        query = select(job_log).where(job_log.c.job_id == job_id).order_by(job_log.c.id.desc()).limit(limit)
        rows = self._connection.execute(query).all()
        return [LogLine(row.at, row.level, row.message) for row in reversed(rows)]
