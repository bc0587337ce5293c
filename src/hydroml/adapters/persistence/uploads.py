"""Uploads that wait to be used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select

from hydroml.adapters.persistence.metadata import key, metadata, moment, number, text, uuid
from hydroml.domain.projects import UserId
from hydroml.domain.uploads import FileUpload, UploadId, UploadNotFoundError

upload = Table(
    "upload",
    metadata,
    key(),
    uuid("owner_id"),
    text("filename"),
    number("size"),
    moment("created_at"),
    Index(None, "owner_id", "created_at"),
    Index(None, "created_at"),
)


def _from_row(row: Row[Any]) -> FileUpload:
    return FileUpload(
        id=UploadId(row.id),
        owner_id=UserId(row.owner_id),
        filename=row.filename,
        size=row.size,
        created_at=row.created_at,
    )


class SqlAlchemyUploadRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: FileUpload) -> None:
        values = {
            "id": entity.id,
            "owner_id": entity.owner_id,
            "filename": entity.filename,
            "size": entity.size,
            "created_at": entity.created_at,
        }
        self._connection.execute(insert(upload).values(values))

    def get(self, upload_id: UploadId) -> FileUpload:
        row = self._connection.execute(select(upload).where(upload.c.id == upload_id)).one_or_none()
        if row is None:
            raise UploadNotFoundError(upload_id)
        return _from_row(row)

    def of_owner(self, owner: UserId) -> Sequence[FileUpload]:
        query = select(upload).where(upload.c.owner_id == owner).order_by(upload.c.created_at.desc(), upload.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]

    def begun_before(self, at: datetime, limit: int) -> Sequence[FileUpload]:
        query = select(upload).where(upload.c.created_at <= at).order_by(upload.c.created_at, upload.c.id).limit(limit)
        return [_from_row(row) for row in self._connection.execute(query)]

    def delete(self, upload_id: UploadId) -> None:
        self._connection.execute(delete(upload).where(upload.c.id == upload_id))
