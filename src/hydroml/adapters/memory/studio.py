"""Sessions."""

from collections.abc import Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.application.ports.repositories import SessionSummary
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import Version, VersionId
from hydroml.domain.studio.session import (
    Comment,
    CommentId,
    CommentNotFoundError,
    Session,
    SessionId,
    SessionNotFoundError,
)

MOST_SESSIONS = 200


class InMemorySessionRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[SessionId, Session] = transaction.rows("session")
        self._comments: Rows[CommentId, Comment] = transaction.rows("session_comment")
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
        for comment_id in self._comments.keys_where(lambda c: c.session_id == session_id):
            self._comments.remove(comment_id)
        self._rows.remove(session_id)

    def seen_by(
        self,
        user: UserId,
        *,
        version_id: VersionId | None = None,
        project_id: ProjectId | None = None,
        shared: bool = False,
        trashed: bool = False,
    ) -> Sequence[SessionSummary]:
        mine = set(self._projects.keys_where(lambda p: user in p.members))
        found = self._rows.where(
            lambda s: (
                s.project_id in mine
                and (s.deleted_at is not None) is trashed
                and ((s.owner_id != user and s.shared) if shared else s.owner_id == user)
                and version_id in (None, s.version_id)
                and project_id in (None, s.project_id)
            )
        )
        found.sort(key=lambda s: (s.updated_at, s.id), reverse=True)
        return [_summary(entity) for entity in found[:MOST_SESSIONS]]

    def discarded_before(self, at: datetime, limit: int) -> Sequence[SessionId]:
        old = [(s.deleted_at, s.id) for s in self._rows.where(lambda s: s.deleted_at is not None)]
        return [id_ for deleted, id_ in sorted(old) if deleted is not None and deleted <= at][:limit]

    def add_comment(self, comment: Comment) -> None:
        if not self._rows.has(comment.session_id):
            raise SessionNotFoundError(comment.session_id)
        self._comments.put(comment.id, comment)

    def comments(self, session_id: SessionId) -> Sequence[Comment]:
        found = self._comments.where(lambda c: c.session_id == session_id)
        return sorted(found, key=lambda c: (c.created_at, c.id))

    def delete_comment(self, session_id: SessionId, comment_id: CommentId) -> None:
        found = self._comments.peek(comment_id)
        if found is None or found.session_id != session_id:
            raise CommentNotFoundError(comment_id)
        self._comments.remove(comment_id)


def _summary(entity: Session) -> SessionSummary:
    return SessionSummary(
        id=entity.id,
        version_id=entity.version_id,
        project_id=entity.project_id,
        owner_id=entity.owner_id,
        name=entity.name,
        shared=entity.shared,
        steps=len(entity.path(entity.cursor)),
        created_at=entity.created_at,
        updated_at=entity.updated_at,
        deleted_at=entity.deleted_at,
    )
