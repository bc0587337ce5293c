"""What was found out about versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, metadata, moment, reference
from hydroml.domain.sources import VersionId, VersionNotFoundError

report = Table(
    "report",
    metadata,
    reference("version_id", "version", "CASCADE", primary_key=True),
    Column("kind", Text, primary_key=True),
    document("document"),
    moment("created_at"),
)


class SqlAlchemyReportRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, version_id: VersionId, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        values = {"document": dict(document), "created_at": at}
        statement = insert(report).values(version_id=version_id, kind=kind, **values)
        try:
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["version_id", "kind"], set_=values)
            )
        except IntegrityError as error:
            raise VersionNotFoundError(version_id) from error

    def get(self, version_id: VersionId, kind: str) -> Mapping[str, Any] | None:
        query = select(report.c.document).where(report.c.version_id == version_id, report.c.kind == kind)
        found: Mapping[str, Any] | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def delete(self, version_id: VersionId, kind: str) -> None:
        self._connection.execute(delete(report).where(report.c.version_id == version_id, report.c.kind == kind))
