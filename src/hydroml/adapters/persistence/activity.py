"""Activity, chained in the order of the commits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Row, Select, Table, Text, Uuid, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from hydroml.adapters.persistence.metadata import key, metadata, moment, text, uuid
from hydroml.adapters.persistence.paging import slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.activity import Activity, ActivityId, Head, Link, chained
from hydroml.domain.jobs import Subject
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId

# No foreign keys: an entry stays when what it tells of is gone.
activity = Table(
    "activity",
    metadata,
    key(),
    Column("sequence", BigInteger, nullable=False, unique=True),
    moment("at"),
    uuid("actor_id"),
    text("verb"),
    text("subject_kind"),
    uuid("subject_id"),
    text("subject_name"),
    text("text"),
    Column("project_ids", ARRAY(Uuid), nullable=False),
    uuid("source_id", nullable=True),
    Column("hash", Text, nullable=False),
    Index(None, "project_ids", postgresql_using="gin"),
    Index(None, "source_id", "at", "id"),
    Index(None, "at", "id"),
)

activity_head = Table(
    "activity_head",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
_ONLY = 1
"""The id of the only row."""


def _to_row(link: Link) -> dict[str, Any]:
    entry = link.activity
    return {
        "id": entry.id,
        "sequence": link.place.sequence,
        "at": entry.at,
        "actor_id": entry.actor_id,
        "verb": entry.verb,
        "subject_kind": entry.subject.kind,
        "subject_id": entry.subject.id,
        "subject_name": entry.subject.name,
        "text": entry.text,
        "project_ids": sorted(entry.project_ids),
        "source_id": entry.source_id,
        "hash": link.place.hash,
    }


def _from_row(row: Row[Any]) -> Activity:
    return Activity(
        id=ActivityId(row.id),
        at=row.at,
        actor_id=UserId(row.actor_id),
        verb=row.verb,
        subject=Subject(row.subject_kind, row.subject_id, row.subject_name),
        text=row.text,
        project_ids=frozenset(ProjectId(id_) for id_ in row.project_ids),
        source_id=None if row.source_id is None else SourceId(row.source_id),
    )


class SqlAlchemyActivityRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._added: list[Activity] = []

    def add(self, entry: Activity) -> None:
        self._added.append(entry)

    def chain_added(self) -> None:
        """Puts what was added at the end of the chain; the last thing before a commit, since others wait for it."""
        if not self._added:
            return
        head = self._locked_head()
        links = []
        for entry in self._added:
            links.append(chained(entry, head))
            head = links[-1].place
        self._connection.execute(insert(activity), [_to_row(link) for link in links])
        moved = update(activity_head).where(activity_head.c.id == _ONLY)
        self._connection.execute(moved.values(sequence=head.sequence, hash=head.hash))
        self._added.clear()

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Activity]:
        return self._slice(select(activity).where(activity.c.project_ids.contains([project_id])), listing)

    def of_source(self, source_id: SourceId, listing: Listing) -> Slice[Activity]:
        return self._slice(select(activity).where(activity.c.source_id == source_id), listing)

    def all(self, listing: Listing) -> Slice[Activity]:
        return self._slice(select(activity), listing)

    def chain(self, after: int, limit: int) -> Sequence[Link]:
        query = select(activity).where(activity.c.sequence > after).order_by(activity.c.sequence).limit(limit)
        return [Link(_from_row(row), Head(row.sequence, row.hash)) for row in self._connection.execute(query)]

    def head(self) -> Head:
        row = self._connection.execute(select(activity_head)).one_or_none()
        return Head() if row is None else Head(row.sequence, row.hash)

    def _locked_head(self) -> Head:
        locked = select(activity_head).with_for_update()
        row = self._connection.execute(locked).one_or_none()
        if row is None:
            first = upsert(activity_head).values(id=_ONLY, sequence=0, hash="").on_conflict_do_nothing()
            self._connection.execute(first)
            row = self._connection.execute(locked).one()
        return Head(row.sequence, row.hash)

    def _slice(self, query: Select[Any], listing: Listing) -> Slice[Activity]:
        keys = {"created_at": activity.c.at}
        return slice_of(self._connection, query, activity, keys, listing, _from_row, name=activity.c.subject_name)
