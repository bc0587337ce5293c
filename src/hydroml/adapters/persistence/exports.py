"""Exports of versions, and templates of projects."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.application.documents import read_shape, write_shape
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.exports import (
    Export,
    ExportId,
    ExportNotFoundError,
    ExportStatus,
    ExportTemplate,
    TemplateId,
    TemplateNotFoundError,
)
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, UserId
from hydroml.domain.sources import VersionId, VersionNotFoundError

export = Table(
    "export",
    metadata,
    key(),
    reference("version_id", "version", "CASCADE"),
    document("shape"),
    text("filename"),
    text("status"),
    text("blob", nullable=True),
    Column("size", BigInteger),
    Column("rows", BigInteger),
    text("error", nullable=True),
    uuid("created_by"),
    moment("created_at"),
    moment("expires_at", nullable=True),
    Index(None, "version_id", "created_at", "id"),
    Index(None, "blob"),
    Index(None, "expires_at"),
)

export_template = Table(
    "export_template",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    text("name"),
    document("shape"),
    uuid("created_by"),
    moment("created_at"),
    Index(None, "project_id"),
)


def _to_row(entity: Export) -> dict[str, Any]:
    return {
        "id": entity.id,
        "version_id": entity.version_id,
        "shape": write_shape(entity.shape),
        "filename": entity.filename,
        "status": entity.status,
        "blob": entity.blob,
        "size": entity.size,
        "rows": entity.rows,
        "error": entity.error,
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "expires_at": entity.expires_at,
    }


def _from_row(row: Row[Any]) -> Export:
    return Export(
        id=ExportId(row.id),
        version_id=VersionId(row.version_id),
        shape=read_shape(row.shape),
        filename=row.filename,
        status=ExportStatus(row.status),
        blob=row.blob,
        size=row.size,
        rows=row.rows,
        error=row.error,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _template_to_row(entity: ExportTemplate) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "name": entity.name,
        "shape": write_shape(entity.shape),
        "created_by": entity.created_by,
        "created_at": entity.created_at,
    }


def _template_from_row(row: Row[Any]) -> ExportTemplate:
    return ExportTemplate(
        id=TemplateId(row.id),
        project_id=ProjectId(row.project_id),
        name=row.name,
        shape=read_shape(row.shape),
        created_by=UserId(row.created_by),
        created_at=row.created_at,
    )


class SqlAlchemyExportRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Export) -> None:
        try:
            self._connection.execute(insert(export).values(_to_row(entity)))
        except IntegrityError as error:
            raise VersionNotFoundError(entity.version_id) from error

    def get(self, export_id: ExportId) -> Export:
        row = self._connection.execute(select(export).where(export.c.id == export_id)).one_or_none()
        if row is None:
            raise ExportNotFoundError(export_id)
        return _from_row(row)

    def save(self, entity: Export) -> None:
        changed = update(export).where(export.c.id == entity.id).values(_to_row(entity))
        if self._connection.execute(changed).rowcount != 1:
            raise ExportNotFoundError(entity.id)

    def delete(self, export_id: ExportId) -> None:
        if self._connection.execute(delete(export).where(export.c.id == export_id)).rowcount != 1:
            raise ExportNotFoundError(export_id)

    def of_version(self, version_id: VersionId, listing: Listing) -> Slice[Export]:
        query = select(export).where(export.c.version_id == version_id)
        keys = {"created_at": export.c.created_at}
        return slice_of(self._connection, query, export, keys, listing, _from_row, name=export.c.filename)

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Export]:
        query = select(export).where(export.c.version_id.in_(version_ids)).order_by(export.c.created_at, export.c.id)
        return [_from_row(row) for row in self._connection.execute(query.limit(limit))]

    def expired(self, at: datetime, limit: int) -> Sequence[Export]:
        query = select(export).where(export.c.status == ExportStatus.READY, export.c.expires_at <= at)
        rows = self._connection.execute(query.order_by(export.c.expires_at, export.c.id).limit(limit))
        return [_from_row(row) for row in rows]

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        used = select(export.c.blob).where(export.c.blob.in_(blobs), export.c.version_id.not_in(but))
        return set(self._connection.execute(used).scalars())

    def add_template(self, entity: ExportTemplate) -> None:
        try:
            self._connection.execute(insert(export_template).values(_template_to_row(entity)))
        except IntegrityError as error:
            raise ProjectNotFoundError(entity.project_id) from error

    def template(self, template_id: TemplateId) -> ExportTemplate:
        row = self._connection.execute(select(export_template).where(export_template.c.id == template_id)).one_or_none()
        if row is None:
            raise TemplateNotFoundError(template_id)
        return _template_from_row(row)

    def templates(self, project_id: ProjectId) -> Sequence[ExportTemplate]:
        query = select(export_template).where(export_template.c.project_id == project_id)
        rows = self._connection.execute(query.order_by(by_name(export_template), export_template.c.id))
        return [_template_from_row(row) for row in rows]

    def delete_template(self, template_id: TemplateId) -> None:
        gone = delete(export_template).where(export_template.c.id == template_id)
        if self._connection.execute(gone).rowcount != 1:
            raise TemplateNotFoundError(template_id)
