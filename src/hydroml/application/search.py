"""Search over everything that is the asker's."""

from collections.abc import Sequence

from hydroml.application.ports.repositories import Found, UnitOfWorkFactory
from hydroml.domain.projects import UserId

MAX_FOUND = 50


class SearchService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def find(self, user: UserId, text: str, limit: int = 20) -> Sequence[Found]:
        """Best first; nothing for a blank text."""
        wanted = text.strip()[:200]
        if not wanted:
            return ()
        with self._uow() as uow:
            return uow.search.find(user, wanted, min(limit, MAX_FOUND))
