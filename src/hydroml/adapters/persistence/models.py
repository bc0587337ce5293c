"""Registered models and their versions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Row,
    Select,
    Table,
    UniqueConstraint,
    delete,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.experiments import claimed
from hydroml.adapters.persistence.membership import projects_of
from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.models import Approval, Decision, Model, ModelId, ModelNotFoundError, ModelVersion
from hydroml.domain.projects import ProjectId, UserId

model = Table(
    "model",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    text("name"),
    document("aliases"),
    Column("mirror_due", Boolean, nullable=False),
    moment("created_at"),
    number("revision"),
    UniqueConstraint("project_id", "name"),
    Index(None, "project_id", "created_at", "id"),
)

model_version = Table(
    "model_version",
    metadata,
    reference("model_id", "model", "CASCADE", primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # A run that a model was made from cannot be removed.
    reference("run_id", "run", None),
    uuid("created_by"),
    moment("created_at"),
    text("mlflow_version", nullable=True),
    text("note"),
    document("decisions"),
    Index(None, "run_id"),
)
_is_unmirrored = model_version.c.mlflow_version.is_(None)
Index("ix_model_mirror_due", model.c.created_at, postgresql_where=model.c.mirror_due)
Index("ix_model_version_unmirrored", model_version.c.model_id, postgresql_where=_is_unmirrored)


def _to_row(entity: Model) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "name": entity.name,
        "aliases": entity.aliases,
        "mirror_due": entity.mirror_due,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any], versions: tuple[ModelVersion, ...]) -> Model:
    return Model(
        id=ModelId(row.id),
        project_id=ProjectId(row.project_id),
        name=row.name,
        versions=versions,
        aliases=row.aliases,
        mirror_due=row.mirror_due,
        created_at=row.created_at,
        revision=row.revision,
    )


def _version_to_row(model_id: ModelId, version: ModelVersion) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "number": version.number,
        "run_id": version.run_id,
        "created_by": version.created_by,
        "created_at": version.created_at,
        "mlflow_version": version.mlflow_version,
        "note": version.note,
        "decisions": [
            {"verdict": one.verdict, "by": str(one.by), "at": one.at.isoformat(), "reason": one.reason}
            for one in version.decisions
        ],
    }


def _version_from_row(row: Row[Any]) -> ModelVersion:
    return ModelVersion(
        number=row.number,
        run_id=RunId(row.run_id),
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        mlflow_version=row.mlflow_version,
        note=row.note,
        decisions=tuple(
            Decision(
                Approval(one["verdict"]), UserId(UUID(one["by"])), datetime.fromisoformat(one["at"]), one["reason"]
            )
            for one in row.decisions
        ),
    )


class SqlAlchemyModelRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Model) -> None:
        try:
            self._connection.execute(insert(model).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError(f"the project has a model “{entity.name}” already") from error
        self._add_versions(entity)

    def get(self, model_id: ModelId) -> Model:
        found = self._all(select(model).where(model.c.id == model_id))
        if not found:
            raise ModelNotFoundError(model_id)
        return found[0]

    def save(self, entity: Model) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(model).where(model.c.id == entity.id, model.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"model {entity.id} was changed meanwhile")
        self._connection.execute(delete(model_version).where(model_version.c.model_id == entity.id))
        self._add_versions(entity)
        entity.revision = seen + 1

    def named(self, project_id: ProjectId, name: str) -> Model | None:
        found = self._all(select(model).where(model.c.project_id == project_id, model.c.name == name))
        return found[0] if found else None

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Model]:
        return self._slice(select(model).where(model.c.project_id == project_id), listing)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Model]:
        return self._slice(select(model).where(model.c.project_id.in_(projects_of(user))), listing)

    def of_run(self, run_id: RunId) -> Sequence[Model]:
        made = exists().where(model_version.c.model_id == model.c.id, model_version.c.run_id == run_id)
        return self._all(select(model).where(made).order_by(model.c.created_at, model.c.id))

    def revision_for(self, user: UserId, model_id: ModelId) -> int | None:
        mine = model.c.project_id.in_(projects_of(user))
        found: int | None = self._connection.scalar(select(model.c.revision).where(model.c.id == model_id, mine))
        return found

    def claim(self, model_id: ModelId) -> bool:
        return claimed(self._connection, model_id)

    def unmirrored(self, limit: int) -> Sequence[Model]:
        waiting = select(model_version.c.model_id).where(_is_unmirrored)
        query = (
            select(model)
            .where(model.c.mirror_due | model.c.id.in_(waiting))
            .order_by(model.c.created_at, model.c.id)
            .limit(limit)
        )
        return self._all(query)

    def _all(self, query: Select[Any]) -> list[Model]:
        rows = self._connection.execute(query).all()
        versions = self._versions([ModelId(row.id) for row in rows])
        return [_from_row(row, versions[row.id]) for row in rows]

    def _slice(self, query: Select[Any], listing: Listing) -> Slice[Model]:
        keys = {"created_at": model.c.created_at, "name": by_name(model)}
        found = slice_of(self._connection, query, model, keys, listing, lambda row: _from_row(row, ()))
        versions = self._versions([m.id for m in found.items])
        for entity in found.items:
            entity.versions = versions[entity.id]
        return found

    def _versions(self, model_ids: Collection[ModelId]) -> dict[ModelId, tuple[ModelVersion, ...]]:
        versions: dict[ModelId, tuple[ModelVersion, ...]] = dict.fromkeys(model_ids, ())
        query = select(model_version).where(model_version.c.model_id.in_(model_ids)).order_by(model_version.c.number)
        for row in self._connection.execute(query):
            versions[ModelId(row.model_id)] += (_version_from_row(row),)
        return versions

    def _add_versions(self, entity: Model) -> None:
        rows = [_version_to_row(entity.id, version) for version in entity.versions]
        if not rows:
            return
        try:
            self._connection.execute(insert(model_version), rows)
        except IntegrityError as error:
            raise ConflictError("the run was removed meanwhile") from error
