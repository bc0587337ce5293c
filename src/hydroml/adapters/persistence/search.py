"""Search by name over everything in one's projects."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, case, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from hydroml.adapters.persistence.experiments import experiment
from hydroml.adapters.persistence.membership import projects_of
from hydroml.adapters.persistence.models import model
from hydroml.adapters.persistence.paging import contains, like_literal
from hydroml.adapters.persistence.projects import project
from hydroml.adapters.persistence.recipes import is_trashed as is_trashed_recipe
from hydroml.adapters.persistence.recipes import recipe
from hydroml.adapters.persistence.sources import is_trashed, source, source_project
from hydroml.application.ports.repositories import Found
from hydroml.domain.projects import ProjectId, UserId


class SqlAlchemySearchIndex:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, user: UserId, text: str, limit: int) -> Sequence[Found]:
        wanted = text.strip()
        if not wanted:
            return []
        mine = projects_of(user)
        # A source that is in several projects is found in the one made first.
        in_project = (
            select(source_project.c.source_id, source_project.c.project_id)
            .join(project, project.c.id == source_project.c.project_id)
            .where(project.c.id.in_(mine))
            .ext(distinct_on(source_project.c.source_id))
            .order_by(source_project.c.source_id, project.c.created_at, project.c.id)
            .subquery()
        )
        sources = (
            select(literal("source").label("kind"), source.c.id, source.c.name, in_project.c.project_id)
            .join(in_project, in_project.c.source_id == source.c.id)
            .where(contains(source.c.name, wanted), ~is_trashed)
        )
        projects = select(
            literal("project").label("kind"), project.c.id, project.c.name, project.c.id.label("project_id")
        ).where(project.c.id.in_(mine), contains(project.c.name, wanted))
        hits = union_all(
            projects,
            sources,
            _named("experiment", experiment, mine, wanted),
            _named("model", model, mine, wanted),
            _named("recipe", recipe, mine, wanted).where(~is_trashed_recipe),
        ).subquery()
        starts = hits.c.name.ilike(f"{like_literal(wanted)}%", escape="\\")
        exact = func.lower(hits.c.name) == func.lower(wanted)
        rank = case((exact, 0), (starts, 1), else_=2)
        query = (
            select(hits, project.c.name.label("project_name"))
            .join(project, project.c.id == hits.c.project_id)
            .order_by(rank, func.length(hits.c.name), func.lower(hits.c.name).collate("C"), hits.c.id)
            .limit(limit)
        )
        return [
            Found(row.kind, row.id, row.name, ProjectId(row.project_id), row.project_name)
            for row in self._connection.execute(query)
        ]


def _named(kind: str, table: Table, mine: Select[Any], wanted: str) -> Select[Any]:
    return select(literal(kind).label("kind"), table.c.id, table.c.name, table.c.project_id).where(
        table.c.project_id.in_(mine), contains(table.c.name, wanted)
    )
