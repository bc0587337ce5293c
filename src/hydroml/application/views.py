"""Views of a data source that a person keeps under a name."""

from collections.abc import Sequence
from uuid import uuid4

from hydroml.application.access import source_of
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError, NotFoundError
from hydroml.domain.projects import UserId
from hydroml.domain.sources import SourceId
from hydroml.domain.studio.steps import SortKey
from hydroml.domain.views import MOST_VIEWS, Layout, SavedView, SavedViewId, SavedViewNotFoundError


class SavedViewService:
    """Whoever sees the data source keeps views of it, and sees only those."""

    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def list(self, user: UserId, source_id: SourceId) -> Sequence[SavedView]:
        """By name."""
        with self._uow() as uow:
            source_of(uow, user, source_id)
            return uow.views.of_owner(user, source_id)

    def get(self, user: UserId, view_id: SavedViewId) -> SavedView:
        with self._uow() as uow:
            return _view_of(uow, user, view_id)

    def create(
        self,
        user: UserId,
        source_id: SourceId,
        name: str,
        *,
        filter: str | None = None,  # noqa: A002 - the API's word
        sort: tuple[SortKey, ...] = (),
        layout: Layout,
    ) -> SavedView:
        """Raises ConflictError when there are too many."""
        view = SavedView(
            id=SavedViewId(uuid4()), owner_id=user, source_id=source_id, name=name, filter=filter, sort=sort,
            layout=layout, created_at=self._clock(),
        )  # fmt: skip
        with self._uow() as uow:
            source_of(uow, user, source_id)
            if len(uow.views.of_owner(user, source_id)) >= MOST_VIEWS:
                raise ConflictError(f"you keep {MOST_VIEWS} views of this data source already")
            uow.views.add(view)
            uow.commit()
        return view

    def change(
        self,
        user: UserId,
        view_id: SavedViewId,
        *,
        name: str | None = None,
        filter: str | None = None,  # noqa: A002 - the API's word; an empty one goes
        sort: tuple[SortKey, ...] | None = None,
        layout: Layout | None = None,
        revision: int | None = None,
    ) -> SavedView:
        """What is None stays. Raises StaleRevisionError."""
        with self._uow() as uow:
            view = _view_of(uow, user, view_id)
            check_revision(view.revision, revision)
            view.change(name=name, filter=filter, sort=sort, layout=layout)
            uow.views.save(view)
            uow.commit()
        return view

    def delete(self, user: UserId, view_id: SavedViewId, revision: int | None = None) -> None:
        with self._uow() as uow:
            view = _view_of(uow, user, view_id)
            check_revision(view.revision, revision)
            uow.views.delete(view_id)
            uow.commit()


def _view_of(uow: UnitOfWork, user: UserId, view_id: SavedViewId) -> SavedView:
    view = uow.views.get(view_id)
    if view.owner_id != user:
        raise SavedViewNotFoundError(view_id)
    try:
        source_of(uow, user, view.source_id)
    except NotFoundError:  # it was taken out of the owner's projects, or is in the trash
        raise SavedViewNotFoundError(view_id) from None
    return view
