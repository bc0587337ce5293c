"""Charts that a project keeps under a name. What they show is always computed anew."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from hydroml.application.access import project_of, session_of, version_of
from hydroml.application.activity import tell
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.projects import check_revision
from hydroml.domain.charts import MOST_CHARTS, Chart, ChartId, ChartNotFoundError, SavedChart
from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.jobs import Subject
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import SessionId


class ChartService:
    """A viewer of the project reads, an editor writes; charts of a session are for its owner alone."""

    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def list(self, user: UserId, project_id: ProjectId) -> Sequence[SavedChart]:
        """By name."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return [chart for chart in uow.charts.of_project(project_id) if chart.seen_by(user)]

    def get(self, user: UserId, chart_id: ChartId) -> SavedChart:
        with self._uow() as uow:
            return _chart_of(uow, user, chart_id)

    def create(
        self,
        user: UserId,
        project_id: ProjectId,
        name: str,
        chart: Chart,
        *,
        version_id: VersionId | None = None,
        session_id: SessionId | None = None,
        filter: str | None = None,  # noqa: A002 - the API's word
    ) -> SavedChart:
        """Of a version in the project, or of a session of the asker's in it."""
        made = SavedChart(
            id=ChartId(uuid4()), project_id=project_id, name=name, version_id=version_id, session_id=session_id,
            chart=chart, filter=filter, created_by=user, created_at=self._clock(),
        )  # fmt: skip
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.EDITOR)
            if version_id is not None and project_id not in version_of(uow, user, version_id)[1].project_ids:
                raise InvalidInputError.at("version_id", msg="the version is not of this project", code="project")
            if session_id is not None and session_of(uow, user, session_id).project_id != project_id:
                raise InvalidInputError.at("session_id", msg="the session is not of this project", code="project")
            if len(uow.charts.of_project(project_id)) >= MOST_CHARTS:
                raise ConflictError(f"a project has at most {MOST_CHARTS} charts")
            uow.charts.add(made)
            tell(uow, user, "created", project, made.created_at, about=_subject(made))
            uow.commit()
        return made

    def change(self, user: UserId, chart_id: ChartId, changes: dict[str, Any], revision: int | None) -> SavedChart:
        """`changes` are of name, chart and filter. Raises StaleRevisionError."""
        with self._uow() as uow:
            chart = _chart_of(uow, user, chart_id, Role.EDITOR)
            check_revision(chart.revision, revision)
            chart.change(**changes)
            uow.charts.save(chart)
            project = uow.projects.get(chart.project_id)
            tell(uow, user, "changed", project, self._clock(), about=_subject(chart))
            uow.commit()
        return chart

    def delete(self, user: UserId, chart_id: ChartId, revision: int | None) -> None:
        with self._uow() as uow:
            chart = _chart_of(uow, user, chart_id, Role.EDITOR)
            check_revision(chart.revision, revision)
            uow.charts.delete(chart_id)
            project = uow.projects.get(chart.project_id)
            tell(uow, user, "deleted", project, self._clock(), about=_subject(chart))
            uow.commit()


def _chart_of(uow: UnitOfWork, user: UserId, chart_id: ChartId, role: Role = Role.VIEWER) -> SavedChart:
    chart = uow.charts.get(chart_id)
    try:
        project_of(uow, user, chart.project_id, role)
    except ProjectNotFoundError:
        raise ChartNotFoundError(chart_id) from None
    if not chart.seen_by(user):
        raise ChartNotFoundError(chart_id)
    return chart


def _subject(chart: SavedChart) -> Subject:
    return Subject("chart", chart.id, chart.name)
