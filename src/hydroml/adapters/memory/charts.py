"""Charts of projects."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.domain.charts import ChartId, ChartNotFoundError, SavedChart
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import Project, ProjectId
from hydroml.domain.sources import Version, VersionId
from hydroml.domain.studio.session import Session, SessionId


class InMemoryChartRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[ChartId, SavedChart] = transaction.rows("chart")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._sessions: Rows[SessionId, Session] = transaction.rows("session")

    def add(self, entity: SavedChart) -> None:
        if not self._drawable(entity):
            raise ConflictError("what the chart is drawn of is not there any more")
        self._rows.put(entity.id, entity)

    def get(self, chart_id: ChartId) -> SavedChart:
        found = self._rows.get(chart_id)
        if found is None or not self._drawable(found):
            raise ChartNotFoundError(chart_id)
        return found

    def save(self, entity: SavedChart) -> None:
        save_revised(self._rows, entity)

    def delete(self, chart_id: ChartId) -> None:
        self.get(chart_id)
        self._rows.remove(chart_id)

    def of_project(self, project_id: ProjectId) -> Sequence[SavedChart]:
        found = self._rows.where(lambda c: c.project_id == project_id and self._drawable(c))
        return sorted(found, key=lambda c: (c.name.lower(), c.name, c.id))

    def _drawable(self, chart: SavedChart) -> bool:
        of = (chart.version_id is None or self._versions.has(chart.version_id)) and (
            chart.session_id is None or self._sessions.has(chart.session_id)
        )
        return of and self._projects.has(chart.project_id)
