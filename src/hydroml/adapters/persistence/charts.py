"""Charts of projects."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name
from hydroml.application.documents import read_chart, write_chart
from hydroml.domain.charts import ChartId, ChartNotFoundError, SavedChart
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import SessionId

chart = Table(
    "chart",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    text("name"),
    reference("version_id", "version", "CASCADE", nullable=True),
    reference("session_id", "session", "CASCADE", nullable=True),
    document("chart"),
    text("filter", nullable=True),
    uuid("created_by"),
    moment("created_at"),
    number("revision"),
    Index(None, "project_id"),
    Index(None, "version_id"),
    Index(None, "session_id"),
)


def _to_row(entity: SavedChart) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "name": entity.name,
        "version_id": entity.version_id,
        "session_id": entity.session_id,
        "chart": write_chart(entity.chart),
        "filter": entity.filter,
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> SavedChart:
    return SavedChart(
        id=ChartId(row.id),
        project_id=ProjectId(row.project_id),
        name=row.name,
        version_id=None if row.version_id is None else VersionId(row.version_id),
        session_id=None if row.session_id is None else SessionId(row.session_id),
        chart=read_chart(row.chart),
        filter=row.filter,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        revision=row.revision,
    )


class SqlAlchemyChartRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: SavedChart) -> None:
        try:
            self._connection.execute(insert(chart).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("what the chart is drawn of is not there any more") from error

    def get(self, chart_id: ChartId) -> SavedChart:
        row = self._connection.execute(select(chart).where(chart.c.id == chart_id)).one_or_none()
        if row is None:
            raise ChartNotFoundError(chart_id)
        return _from_row(row)

    def save(self, entity: SavedChart) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(chart).where(chart.c.id == entity.id, chart.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"chart {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, chart_id: ChartId) -> None:
        if self._connection.execute(delete(chart).where(chart.c.id == chart_id)).rowcount != 1:
            raise ChartNotFoundError(chart_id)

    def of_project(self, project_id: ProjectId) -> Sequence[SavedChart]:
        query = select(chart).where(chart.c.project_id == project_id).order_by(by_name(chart), chart.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]
