"""The gallery."""

from hydroml.adapters.memory.store import Rows, Transaction, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConflictError
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.gallery import Publication, PublicationId, PublicationNotFoundError


class InMemoryGalleryRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[PublicationId, Publication] = transaction.rows("publication")
        self._runs: Rows[RunId, Run] = transaction.rows("run")

    def add(self, entity: Publication) -> None:
        if not self._runs.has(entity.run_id) or self.of_run(entity.run_id) is not None:
            raise ConflictError("the run is in the gallery already, or gone")
        self._rows.put(entity.id, entity)

    def get(self, publication_id: PublicationId) -> Publication:
        found = self._rows.get(publication_id)
        if found is None or not self._runs.has(found.run_id):
            raise PublicationNotFoundError(publication_id)
        return found

    def of_run(self, run_id: RunId) -> Publication | None:
        found = self._rows.where(lambda p: p.run_id == run_id and self._runs.has(run_id))
        return found[0] if found else None

    def all(self, listing: Listing) -> Slice[Publication]:
        there = self._rows.where(lambda p: self._runs.has(p.run_id))
        keys = {"published_at": lambda p: p.published_at, "title": lambda p: p.title.lower()}
        return slice_of(there, listing, keys, lambda p: f"{p.title} {p.summary}")

    def delete(self, publication_id: PublicationId) -> None:
        self.get(publication_id)
        self._rows.remove(publication_id)
