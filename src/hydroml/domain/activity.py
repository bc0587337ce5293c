"""Activity: who did what and when, in a chain in which nothing can be changed, removed or moved unnoticed.

Each entry carries the SHA-256 of itself and of the hash before it, and the head of the chain is kept apart, so that an
entry missing at the end is noticed too. Whoever can write all of it anew can forge it: note the head elsewhere.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

from hydroml.domain.jobs import Subject
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId

ActivityId = NewType("ActivityId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing somebody did; it stays when what it tells of is gone. `text` says more, in words, and no secret."""

    id: ActivityId
    at: datetime
    actor_id: UserId
    verb: str
    """In the past, such as renamed."""
    subject: Subject
    text: str = ""
    project_ids: frozenset[ProjectId] = frozenset()
    """The projects whose members see it."""
    source_id: SourceId | None = None
    """The data source in whose activity it stands."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many entries there are, and the hash of the last one."""

    sequence: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place."""

    activity: Activity
    place: Head


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain is broken, and how, in words."""

    sequence: int
    reason: str


def chained(activity: Activity, after: Head) -> Link:
    """The entry as the next one."""
    sequence = after.sequence + 1
    return Link(activity, Head(sequence, _digest(activity, sequence, after.hash)))


def breaks(links: Iterable[Link], head: Callable[[], Head]) -> Iterator[Break]:
    """Every place where the chain does not hold; `links` are in the order of their numbers, and `head` is asked for
    when they have ended."""
    last = Head()
    for link in links:
        number = link.place.sequence
        if number != last.sequence + 1:
            yield Break(last.sequence + 1, f"entries {last.sequence + 1:,} to {number - 1:,} are missing")
        elif link.place.hash != _digest(link.activity, number, last.hash):
            yield Break(number, "it was changed, moved or put in")
        # What follows is judged by the hash that is there, so that one fault is told once.
        last = link.place
    end = head()
    if last.sequence != end.sequence:
        first = min(last.sequence, end.sequence) + 1
        yield Break(first, f"there should be {end.sequence:,} entries, and there are {last.sequence:,}")
    elif last.hash != end.hash:
        yield Break(last.sequence, "it is not the entry that was written last")


def _digest(activity: Activity, sequence: int, before: str) -> str:
    content = [
        sequence,
        before,
        str(activity.id),
        activity.at.astimezone(UTC).isoformat(),
        str(activity.actor_id),
        activity.verb,
        activity.subject.kind,
        str(activity.subject.id),
        activity.subject.name,
        activity.text,
        sorted(str(project_id) for project_id in activity.project_ids),
        None if activity.source_id is None else str(activity.source_id),
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
