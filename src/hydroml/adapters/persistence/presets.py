"""Presets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select, update

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, text, uuid
from hydroml.adapters.persistence.paging import by_name
from hydroml.domain.errors import ConcurrentUpdateError
from hydroml.domain.experiments.presets import Preset, PresetId, PresetNotFoundError
from hydroml.domain.projects import UserId

preset = Table(
    "preset",
    metadata,
    key(),
    uuid("owner_id"),
    text("name"),
    document("settings"),
    moment("created_at"),
    number("revision"),
    Index(None, "owner_id"),
)


def _to_row(entity: Preset) -> dict[str, Any]:
    return {
        "id": entity.id,
        "owner_id": entity.owner_id,
        "name": entity.name,
        "settings": entity.settings,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> Preset:
    return Preset(
        id=PresetId(row.id),
        owner_id=UserId(row.owner_id),
        name=row.name,
        settings=row.settings,
        created_at=row.created_at,
        revision=row.revision,
    )


class SqlAlchemyPresetRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Preset) -> None:
        self._connection.execute(insert(preset).values(_to_row(entity)))

    def get(self, preset_id: PresetId) -> Preset:
        row = self._connection.execute(select(preset).where(preset.c.id == preset_id)).one_or_none()
        if row is None:
            raise PresetNotFoundError(preset_id)
        return _from_row(row)

    def save(self, entity: Preset) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(preset).where(preset.c.id == entity.id, preset.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"preset {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, preset_id: PresetId) -> None:
        if self._connection.execute(delete(preset).where(preset.c.id == preset_id)).rowcount != 1:
            raise PresetNotFoundError(preset_id)

    def of_owner(self, owner: UserId) -> Sequence[Preset]:
        query = select(preset).where(preset.c.owner_id == owner).order_by(by_name(preset), preset.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]
