"""Views that people keep."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import UserId
from hydroml.domain.sources import DataSource, SourceId
from hydroml.domain.views import SavedView, SavedViewId, SavedViewNotFoundError


class InMemorySavedViewRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[SavedViewId, SavedView] = transaction.rows("saved_view")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")

    def add(self, view: SavedView) -> None:
        if not self._sources.has(view.source_id):
            raise ConflictError("the data source is not there any more")
        self._rows.put(view.id, view)

    def get(self, view_id: SavedViewId) -> SavedView:
        found = self._rows.get(view_id)
        if found is None or not self._sources.has(found.source_id):
            raise SavedViewNotFoundError(view_id)
        return found

    def save(self, view: SavedView) -> None:
        save_revised(self._rows, view)

    def delete(self, view_id: SavedViewId) -> None:
        self.get(view_id)
        self._rows.remove(view_id)

    def of_owner(self, owner: UserId, source_id: SourceId) -> Sequence[SavedView]:
        if not self._sources.has(source_id):
            return []
        found = self._rows.where(lambda view: view.owner_id == owner and view.source_id == source_id)
        return sorted(found, key=lambda view: (view.name.lower(), view.name, view.id))
