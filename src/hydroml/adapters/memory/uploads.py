"""Uploads that wait to be used."""

from collections.abc import Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.domain.projects import UserId
from hydroml.domain.uploads import FileUpload, UploadId, UploadNotFoundError


class InMemoryUploadRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[UploadId, FileUpload] = transaction.rows("upload")

    def add(self, entity: FileUpload) -> None:
        self._rows.put(entity.id, entity)

    def get(self, upload_id: UploadId) -> FileUpload:
        found = self._rows.get(upload_id)
        if found is None:
            raise UploadNotFoundError(upload_id)
        return found

    def of_owner(self, owner: UserId) -> Sequence[FileUpload]:
        found = sorted(self._rows.where(lambda u: u.owner_id == owner), key=lambda u: u.id)
        return sorted(found, key=lambda u: u.created_at, reverse=True)

    def begun_before(self, at: datetime, limit: int) -> Sequence[FileUpload]:
        return sorted(self._rows.where(lambda u: u.created_at <= at), key=lambda u: (u.created_at, u.id))[:limit]

    def delete(self, upload_id: UploadId) -> None:
        if self._rows.has(upload_id):
            self._rows.remove(upload_id)
