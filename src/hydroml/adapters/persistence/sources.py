"""Data sources, the projects they belong to, and their versions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Row,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.application.documents import read_following, read_origin, write_following, write_origin
from hydroml.application.ports.repositories import Listing, MadeByRecipe, Slice
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import (
    Column as TableColumn,
)
from hydroml.domain.sources import (
    ColumnType,
    DataSource,
    SourceId,
    SourceInUseError,
    SourceNotFoundError,
    SourceStatus,
    Version,
    VersionId,
    VersionNotFoundError,
)
from hydroml.domain.studio.recipes import RecipeId

MOST_MADE = 500

source = Table(
    "source",
    metadata,
    key(),
    text("name"),
    uuid("owner_id"),
    text("status"),
    text("error", nullable=True),
    # No foreign key: versions go only with their source, and the two would refer to each other in a circle.
    uuid("current_version_id", nullable=True),
    number("versions"),
    uuid("job_id", nullable=True),
    # The source it follows may be gone: no foreign key.
    uuid("follows", nullable=True),
    document("following", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    moment("deleted_at", nullable=True),
    number("revision"),
    Index(None, "follows"),
)

is_trashed = source.c.deleted_at.is_not(None)

source_project = Table(
    "source_project",
    metadata,
    reference("source_id", "source", "CASCADE", primary_key=True),
    reference("project_id", "project", "CASCADE", primary_key=True),
    Index(None, "project_id", "source_id"),
)

version = Table(
    "version",
    metadata,
    key(),
    reference("source_id", "source", "CASCADE"),
    number("number"),
    document("columns"),
    number("rows"),
    number("size"),
    text("fingerprint"),
    document("origin"),
    # Taken from the origin, so that they can be searched. Parents may be gone: no foreign key.
    Column("parents", ARRAY(Uuid), nullable=False),
    Column("blobs", ARRAY(Text), nullable=False),
    uuid("created_by"),
    moment("created_at"),
    UniqueConstraint("source_id", "number"),
    Index(None, "blobs", postgresql_using="gin"),
    Index(None, "parents", postgresql_using="gin"),
)


def _source_to_row(entity: DataSource) -> dict[str, Any]:
    return {
        "id": entity.id,
        "name": entity.name,
        "owner_id": entity.owner_id,
        "status": entity.status,
        "error": entity.error,
        "current_version_id": entity.current_version_id,
        "versions": entity.versions,
        "job_id": entity.job_id,
        "follows": None if entity.following is None else entity.following.source_id,
        "following": None if entity.following is None else write_following(entity.following),
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
        "deleted_at": entity.deleted_at,
        "revision": entity.revision,
    }


def _source_from_row(row: Row[Any], project_ids: frozenset[ProjectId]) -> DataSource:
    return DataSource(
        id=SourceId(row.id),
        name=row.name,
        owner_id=UserId(row.owner_id),
        project_ids=project_ids,
        status=SourceStatus(row.status),
        error=row.error,
        current_version_id=None if row.current_version_id is None else VersionId(row.current_version_id),
        versions=row.versions,
        job_id=row.job_id,
        following=None if row.following is None else read_following(row.following),
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        revision=row.revision,
    )


def _version_to_row(entity: Version) -> dict[str, Any]:
    return {
        "id": entity.id,
        "source_id": entity.source_id,
        "number": entity.number,
        "columns": [[c.name, c.type, c.nullable] for c in entity.columns],
        "rows": entity.rows,
        "size": entity.size,
        "fingerprint": entity.fingerprint,
        "origin": write_origin(entity.origin),
        "parents": list(entity.origin.parents),
        "blobs": sorted(entity.blobs),
        "created_by": entity.created_by,
        "created_at": entity.created_at,
    }


def _version_from_row(row: Row[Any]) -> Version:
    return Version(
        id=VersionId(row.id),
        source_id=SourceId(row.source_id),
        number=row.number,
        columns=tuple(TableColumn(name, ColumnType(type_), nullable) for name, type_, nullable in row.columns),
        rows=row.rows,
        size=row.size,
        fingerprint=row.fingerprint,
        origin=read_origin(row.origin),
        created_by=UserId(row.created_by),
        created_at=row.created_at,
    )


class SqlAlchemySourceRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: DataSource) -> None:
        self._connection.execute(insert(source).values(_source_to_row(entity)))
        self._add_projects(entity)

    def get(self, source_id: SourceId) -> DataSource:
        row = self._connection.execute(select(source).where(source.c.id == source_id)).one_or_none()
        if row is None:
            raise SourceNotFoundError(source_id)
        return _source_from_row(row, self._projects([source_id])[source_id])

    def save(self, entity: DataSource) -> None:
        seen = entity.revision
        values = _source_to_row(entity) | {"revision": seen + 1}
        changed = update(source).where(source.c.id == entity.id, source.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"data source {entity.id} was changed meanwhile")
        self._connection.execute(delete(source_project).where(source_project.c.source_id == entity.id))
        self._add_projects(entity)
        entity.revision = seen + 1

    def delete(self, source_id: SourceId) -> None:
        try:
            gone = self._connection.execute(delete(source).where(source.c.id == source_id)).rowcount
        except IntegrityError as error:
            raise SourceInUseError("an experiment stands on one of its versions; remove that first") from error
        if gone != 1:
            raise SourceNotFoundError(source_id)

    def of_project(self, project_id: ProjectId, listing: Listing, *, trashed: bool = False) -> Slice[DataSource]:
        inside = select(source_project.c.source_id).where(source_project.c.project_id == project_id)
        keys = {"created_at": source.c.created_at, "updated_at": source.c.updated_at, "name": by_name(source)}
        found = slice_of(
            self._connection,
            select(source).where(source.c.id.in_(inside), is_trashed if trashed else ~is_trashed),
            source,
            keys,
            listing,
            lambda row: _source_from_row(row, frozenset()),
        )
        projects = self._projects([s.id for s in found.items])
        for entity in found.items:
            entity.project_ids = projects[entity.id]
        return found

    def followers(self, source_id: SourceId) -> Sequence[DataSource]:
        query = select(source).where(source.c.follows == source_id).order_by(source.c.created_at, source.c.id)
        rows = self._connection.execute(query).all()
        projects = self._projects([SourceId(row.id) for row in rows])
        return [_source_from_row(row, projects[SourceId(row.id)]) for row in rows]

    def made_by_recipes(self, project_id: ProjectId) -> Sequence[MadeByRecipe]:
        parent, above = source.alias("parent"), version.alias("above")
        recipe_id = version.c.origin["recipe_id"].astext
        query = (
            select(recipe_id.label("recipe_id"), source.c.id, source.c.name, source.c.follows)
            .add_columns(parent.c.id.label("parent_id"), parent.c.name.label("parent"))
            .join(source_project, source_project.c.source_id == source.c.id)
            .join(version, version.c.id == source.c.current_version_id)
            .join(above, above.c.id == version.c.parents[1])
            .join(parent, parent.c.id == above.c.source_id)
            .where(source_project.c.project_id == project_id, ~is_trashed, recipe_id.is_not(None))
            .order_by(by_name(source), source.c.id)
            .limit(MOST_MADE)
        )
        return [
            MadeByRecipe(
                RecipeId(UUID(row.recipe_id)),
                SourceId(row.id),
                row.name,
                SourceId(row.parent_id),
                row.parent,
                row.follows == row.parent_id,
            )
            for row in self._connection.execute(query)
        ]

    def _projects(self, source_ids: Collection[SourceId]) -> dict[SourceId, frozenset[ProjectId]]:
        projects: dict[SourceId, set[ProjectId]] = {id_: set() for id_ in source_ids}
        for row in self._connection.execute(select(source_project).where(source_project.c.source_id.in_(source_ids))):
            projects[SourceId(row.source_id)].add(ProjectId(row.project_id))
        return {id_: frozenset(found) for id_, found in projects.items()}

    def _add_projects(self, entity: DataSource) -> None:
        rows = [{"source_id": entity.id, "project_id": project_id} for project_id in entity.project_ids]
        if not rows:
            return
        try:
            self._connection.execute(insert(source_project), rows)
        except IntegrityError as error:
            raise ConflictError("the project was removed meanwhile") from error


class SqlAlchemyVersionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Version) -> None:
        try:
            self._connection.execute(insert(version).values(_version_to_row(entity)))
        except IntegrityError as error:
            raise ConcurrentUpdateError(
                f"data source {entity.source_id} was removed, or got another version {entity.number}, meanwhile"
            ) from error

    def get(self, version_id: VersionId) -> Version:
        row = self._connection.execute(select(version).where(version.c.id == version_id)).one_or_none()
        if row is None:
            raise VersionNotFoundError(version_id)
        return _version_from_row(row)

    def of_source(self, source_id: SourceId) -> Sequence[Version]:
        query = select(version).where(version.c.source_id == source_id).order_by(version.c.number.desc())
        return [_version_from_row(row) for row in self._connection.execute(query)]

    def get_many(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, Version]:
        rows = self._connection.execute(select(version).where(version.c.id.in_(version_ids)))
        return {VersionId(row.id): _version_from_row(row) for row in rows}

    def children(self, version_ids: Collection[VersionId], limit: int) -> Sequence[Version]:
        query = select(version).where(version.c.parents.overlap(list(version_ids)))
        rows = self._connection.execute(query.order_by(version.c.created_at, version.c.id).limit(limit))
        return [_version_from_row(row) for row in rows]

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        used = select(func.unnest(version.c.blobs)).where(
            version.c.blobs.overlap(list(blobs)), version.c.id.not_in(but)
        )
        return set(self._connection.execute(used).scalars()) & set(blobs)
