"""Projects and their members."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Row, Table, delete, func, insert, select, update

from hydroml.adapters.persistence.experiments import experiment, run
from hydroml.adapters.persistence.membership import project_member, projects_of
from hydroml.adapters.persistence.metadata import key, metadata, moment, number, text
from hydroml.adapters.persistence.models import model
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.adapters.persistence.sources import is_trashed, source, source_project
from hydroml.application.ports.repositories import Listing, ProjectCounts, Slice
from hydroml.domain.errors import ConcurrentUpdateError
from hydroml.domain.projects import Project, ProjectId, ProjectNotFoundError, Role, UserId

project = Table(
    "project",
    metadata,
    key(),
    text("name"),
    text("description"),
    Column("four_eyes", Boolean, nullable=False),
    moment("created_at"),
    number("revision"),
    Index(None, "created_at", "id"),
)


def _to_row(entity: Project) -> dict[str, Any]:
    return {
        "id": entity.id,
        "name": entity.name,
        "description": entity.description,
        "four_eyes": entity.four_eyes,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any], members: dict[UserId, Role]) -> Project:
    return Project(
        id=ProjectId(row.id),
        name=row.name,
        description=row.description,
        members=members,
        four_eyes=row.four_eyes,
        created_at=row.created_at,
        revision=row.revision,
    )


class SqlAlchemyProjectRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Project) -> None:
        self._connection.execute(insert(project).values(_to_row(entity)))
        self._add_members(entity)

    def get(self, project_id: ProjectId) -> Project:
        row = self._connection.execute(select(project).where(project.c.id == project_id)).one_or_none()
        if row is None:
            raise ProjectNotFoundError(project_id)
        return _from_row(row, self._members([project_id])[project_id])

    def save(self, entity: Project) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(project).where(project.c.id == entity.id, project.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"project {entity.id} was changed meanwhile")
        self._connection.execute(delete(project_member).where(project_member.c.project_id == entity.id))
        self._add_members(entity)
        entity.revision = seen + 1

    def delete(self, project_id: ProjectId) -> None:
        # In this order, since a model's versions hold on to the runs they were made from.
        for table in (model, run, experiment):
            self._connection.execute(delete(table).where(table.c.project_id == project_id))
        if self._connection.execute(delete(project).where(project.c.id == project_id)).rowcount != 1:
            raise ProjectNotFoundError(project_id)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Project]:
        query = select(project).where(project.c.id.in_(projects_of(user)))
        keys = {"created_at": project.c.created_at, "name": by_name(project)}
        found = slice_of(self._connection, query, project, keys, listing, lambda row: _from_row(row, {}))
        members = self._members([p.id for p in found.items])
        for entity in found.items:
            entity.members = members[entity.id]
        return found

    def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]:
        sources, experiments, models = (
            self._count(table, project_ids) for table in (source_project, experiment, model)
        )
        return {p: ProjectCounts(sources.get(p, 0), experiments.get(p, 0), models.get(p, 0)) for p in project_ids}

    def roles(self, user: UserId, project_ids: Collection[ProjectId]) -> Collection[ProjectId]:
        query = projects_of(user).where(project_member.c.project_id.in_(project_ids))
        return {ProjectId(id_) for id_ in self._connection.execute(query).scalars()}

    def _count(self, table: Table, project_ids: Collection[ProjectId]) -> dict[ProjectId, int]:
        column = table.c.project_id
        query = select(column, func.count()).where(column.in_(project_ids)).group_by(column)
        if table is source_project:
            query = query.join(source, source.c.id == source_project.c.source_id).where(~is_trashed)
        return {ProjectId(id_): count for id_, count in self._connection.execute(query)}

    def _members(self, project_ids: Iterable[ProjectId]) -> dict[ProjectId, dict[UserId, Role]]:
        members: dict[ProjectId, dict[UserId, Role]] = {id_: {} for id_ in project_ids}
        query = (
            select(project_member).where(project_member.c.project_id.in_(members)).order_by(project_member.c.user_id)
        )
        for row in self._connection.execute(query):
            members[ProjectId(row.project_id)][UserId(row.user_id)] = Role(row.role)
        return members

    def _add_members(self, entity: Project) -> None:
        rows = [{"project_id": entity.id, "user_id": user, "role": role} for user, role in entity.members.items()]
        if rows:
            self._connection.execute(insert(project_member), rows)
