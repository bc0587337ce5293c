"""Presets."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.domain.experiments.presets import Preset, PresetId, PresetNotFoundError
from hydroml.domain.projects import UserId


class InMemoryPresetRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[PresetId, Preset] = transaction.rows("preset")

    def add(self, entity: Preset) -> None:
        self._rows.put(entity.id, entity)

    def get(self, preset_id: PresetId) -> Preset:
        found = self._rows.get(preset_id)
        if found is None:
            raise PresetNotFoundError(preset_id)
        return found

    def save(self, entity: Preset) -> None:
        save_revised(self._rows, entity)

    def delete(self, preset_id: PresetId) -> None:
        self.get(preset_id)
        self._rows.remove(preset_id)

    def of_owner(self, owner: UserId) -> Sequence[Preset]:
        return sorted(self._rows.where(lambda p: p.owner_id == owner), key=lambda p: (p.name.lower(), p.id))
