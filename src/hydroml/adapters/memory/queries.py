"""Queries that people have run."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.queries import QueryId, QueryNotFoundError, QueryRun


class InMemoryQueryRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[QueryId, QueryRun] = transaction.rows("query")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: QueryRun) -> None:
        if self._rows.has(entity.id) or not self._projects.has(entity.project_id):
            raise ConflictError("there is a query of this id already, or the project is gone")
        self._rows.put(entity.id, entity)

    def get(self, query_id: QueryId) -> QueryRun:
        found = self._rows.get(query_id)
        if found is None:
            raise QueryNotFoundError(query_id)
        return found

    def get_for_update(self, query_id: QueryId) -> QueryRun:
        self._transaction.lock(("query", query_id))
        return self.get(query_id)

    def save(self, entity: QueryRun) -> None:
        self.get(entity.id)
        self._rows.put(entity.id, entity)

    def of_owner(self, owner: UserId, project_id: ProjectId) -> Sequence[QueryRun]:
        found = self._rows.where(lambda q: q.owner_id == owner and q.project_id == project_id)
        return sorted(found, key=lambda q: (q.created_at, q.id), reverse=True)

    def trim(self, owner: UserId, project_id: ProjectId, keep: int) -> None:
        for old in self.of_owner(owner, project_id)[keep:]:
            self._rows.remove(old.id)
