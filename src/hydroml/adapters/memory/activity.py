"""Activity, chained in the order of the commits."""

from collections.abc import Callable, Sequence

from hydroml.adapters.memory.store import Rows, Transaction, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.activity import Activity, Head, Link, chained
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import SourceId


class InMemoryActivityRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[int, Link] = transaction.rows("activity")
        self._added: list[Activity] = []

    def add(self, entry: Activity) -> None:
        self._added.append(entry)

    def chain_added(self) -> None:
        """Puts what was added at the end of the chain; within the commit."""
        head = self.head()
        for entry in self._added:
            link = chained(entry, head)
            head = link.place
            self._rows.put(head.sequence, link)
        self._added.clear()

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Activity]:
        return self._slice(lambda link: project_id in link.activity.project_ids, listing)

    def of_source(self, source_id: SourceId, listing: Listing) -> Slice[Activity]:
        return self._slice(lambda link: link.activity.source_id == source_id, listing)

    def all(self, listing: Listing) -> Slice[Activity]:
        return self._slice(lambda _: True, listing)

    def chain(self, after: int, limit: int) -> Sequence[Link]:
        found = self._rows.where(lambda link: link.place.sequence > after)
        return sorted(found, key=lambda link: link.place.sequence)[:limit]

    def head(self) -> Head:
        places = [link.place for link in self._rows.where(lambda _: True)]
        return max(places, key=lambda place: place.sequence, default=Head())

    def _slice(self, wanted: Callable[[Link], bool], listing: Listing) -> Slice[Activity]:
        found = [link.activity for link in self._rows.where(wanted)]
        return slice_of(found, listing, {"created_at": lambda a: a.at}, lambda a: a.subject.name)
