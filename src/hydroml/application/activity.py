"""Activity: told in the transaction of each change, seen by the members of its projects, verified as a chain."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import uuid4

from hydroml.application.access import project_of, source_of
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.domain.activity import Activity, ActivityId, Break, Head, Link, breaks
from hydroml.domain.experiments.runs import Experiment, Run
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.jobs import Subject
from hydroml.domain.models import Model
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import DataSource, SourceId
from hydroml.domain.studio.recipes import SavedRecipe
from hydroml.domain.tokens import Token

VERIFIED_AT_ONCE = 1_000
MOST_BREAKS = 100
_TEXT = 1_000
_BEFORE_ALL = -(2**63)

Thing = Project | DataSource | Experiment | Run | Suite | Model | SavedRecipe | Token


def tell(  # noqa: PLR0917 - who did what to which thing, when
    uow: UnitOfWork,
    actor: UserId,
    verb: str,
    thing: Thing,
    at: datetime,
    text: str = "",
    *,
    about: Subject | None = None,
) -> None:
    """Part of the caller's transaction. `about` is a part of the thing, such as a rule of a data source."""
    subject, projects = _place(thing)
    entry = Activity(
        id=ActivityId(uuid4()),
        at=at,
        actor_id=actor,
        verb=verb,
        subject=about or subject,
        text=_plain(text)[:_TEXT],
        project_ids=projects,
        source_id=thing.id if isinstance(thing, DataSource) else None,
    )
    uow.activity.add(entry)


def _place(thing: Thing) -> tuple[Subject, frozenset[ProjectId]]:
    match thing:
        case Project():
            return Subject("project", thing.id, thing.name), frozenset({thing.id})
        case DataSource():
            return Subject("source", thing.id, thing.name), thing.project_ids
        case Run():
            return Subject("run", thing.id, thing.specification.name), frozenset({thing.project_id})
        case Token():
            return Subject("token", thing.id, thing.name), frozenset()
        case Experiment() | Suite() | Model() | SavedRecipe():
            return Subject(_KINDS[type(thing)], thing.id, thing.name), frozenset({thing.project_id})


_KINDS: dict[type[Thing], str] = {Experiment: "experiment", Suite: "suite", Model: "model", SavedRecipe: "recipe"}


def _plain(text: str) -> str:
    """What the database keeps as it is: an error may quote a file's bytes."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a look at the whole chain; at most a hundred breaks are named."""

    head: Head
    breaks: tuple[Break, ...]


class ActivityService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def of_project(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[Activity]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return uow.activity.of_project(project_id, listing)

    def of_source(self, user: UserId, source_id: SourceId, listing: Listing) -> Slice[Activity]:
        """Also of one in the trash."""
        with self._uow() as uow:
            source_of(uow, user, source_id, trashed=None)
            return uow.activity.of_source(source_id, listing)

    def all(self, listing: Listing) -> Slice[Activity]:
        """Everybody's: for administrators."""
        with self._uow() as uow:
            return uow.activity.all(listing)

    def verify(self) -> Verified:
        """Reads the whole chain, a piece at a time, while others add to it."""
        ends: list[Head] = []
        with self._uow() as uow:
            found = breaks(_links(uow, ends), lambda: ends[-1])
            named = tuple(islice(found, MOST_BREAKS))
        return Verified(ends[-1], named)


def _links(uow: UnitOfWork, ends: list[Head]) -> Iterator[Link]:
    """The chain to its end, and the head that belongs to it, which is the last in `ends`."""
    after = _BEFORE_ALL
    while True:
        ends.append(uow.activity.head())
        part = uow.activity.chain(after, VERIFIED_AT_ONCE)
        yield from part
        after = part[-1].place.sequence if part else after
        # An entry that came between the two questions is no fault: a head that stands still is.
        if not part and (ends[-1].sequence == max(after, 0) or ends[-1:] == ends[-2:-1]):
            return
