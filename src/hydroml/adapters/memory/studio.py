"""Sessions."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import Version, VersionId
from hydroml.domain.studio.session import Session, SessionId, SessionNotFoundError

MOST_SESSIONS = 200


class InMemorySessionRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[SessionId, Session] = transaction.rows("session")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: Session) -> None:
        if not self._versions.has(entity.version_id) or not self._projects.has(entity.project_id):
            raise ConflictError("the version or the project was removed meanwhile")
        self._rows.put(entity.id, entity)

    def get(self, session_id: SessionId) -> Session:
        found = self._rows.get(session_id)
        if found is None:
            raise SessionNotFoundError(session_id)
        return found

    def save(self, entity: Session) -> None:
        save_revised(self._rows, entity)

    def delete(self, session_id: SessionId) -> None:
        if not self._rows.has(session_id):
            raise SessionNotFoundError(session_id)
        self._rows.remove(session_id)

    def of_owner(
        self, owner: UserId, *, version_id: VersionId | None = None, project_id: ProjectId | None = None
    ) -> Sequence[Session]:
        found = self._rows.where(
            lambda s: s.owner_id == owner and version_id in (None, s.version_id) and project_id in (None, s.project_id)
        )
        return sorted(found, key=lambda s: (s.updated_at, s.id), reverse=True)[:MOST_SESSIONS]
