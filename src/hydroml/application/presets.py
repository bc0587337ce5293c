"""Presets: kept from settings or promoted from a run, and applied to a version of some data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.access import run_of, version_of
from hydroml.application.documents import read_specification, write_specification
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError, Fault, InvalidInputError
from hydroml.domain.experiments.comparison import effective
from hydroml.domain.experiments.presets import DATA, MOST_PRESETS, Preset, PresetId, PresetNotFoundError, fitted
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import UserId
from hydroml.domain.sources import VersionId


@dataclass(frozen=True, slots=True)
class Applied:
    """A specification's document for a version, whole but for what `missing` tells."""

    specification: dict[str, Any]
    missing: tuple[Fault, ...]


class PresetService:
    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def list(self, user: UserId) -> Sequence[Preset]:
        """The user's, by name."""
        with self._uow() as uow:
            return uow.presets.of_owner(user)

    def get(self, user: UserId, preset_id: PresetId) -> Preset:
        with self._uow() as uow:
            return _preset_of(uow, user, preset_id)

    def create(self, user: UserId, name: str, settings: Mapping[str, Any]) -> Preset:
        """Raises InvalidInputError for what is no part of a specification, ConflictError for too many."""
        preset = Preset(
            id=PresetId(uuid4()), owner_id=user, name=name, settings=_checked(settings), created_at=self._clock()
        )
        with self._uow() as uow:
            if len(uow.presets.of_owner(user)) >= MOST_PRESETS:
                raise ConflictError(f"you have {MOST_PRESETS} presets; remove one first")
            uow.presets.add(preset)
            uow.commit()
        return preset

    def promote(self, user: UserId, run_id: RunId, name: str, *, whole: bool = False) -> Preset:
        """The algorithm of a run with the hyperparameters that took effect; `whole`: all settings but the data."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
        document = write_specification(run.specification)
        document["algorithm"] |= {"hyperparameters": effective(run, document)}
        return self.create(user, name, document if whole else {"algorithm": document["algorithm"]})

    def rename(self, user: UserId, preset_id: PresetId, name: str, revision: int | None = None) -> Preset:
        with self._uow() as uow:
            preset = _preset_of(uow, user, preset_id)
            check_revision(preset.revision, revision)
            preset.rename(name)
            uow.presets.save(preset)
            uow.commit()
        return preset

    def delete(self, user: UserId, preset_id: PresetId) -> None:
        with self._uow() as uow:
            _preset_of(uow, user, preset_id)
            uow.presets.delete(preset_id)
            uow.commit()

    def apply(self, user: UserId, preset_id: PresetId, version_id: VersionId) -> Applied:
        """Raises InvalidInputError when there is no such version."""
        with self._uow() as uow:
            preset = _preset_of(uow, user, preset_id)
            version, _ = version_of(uow, user, version_id)
        fit, missing = fitted(preset.settings, {column.name for column in version.columns})
        if "target" not in fit and not any(fault.loc == ("target",) for fault in missing):
            missing = (*missing, Fault(("target",), "the preset names no target", "required"))
        return Applied({"name": preset.name, "version_id": str(version_id), **fit}, missing)


def _preset_of(uow: UnitOfWork, user: UserId, preset_id: PresetId) -> Preset:
    preset = uow.presets.get(preset_id)
    if preset.owner_id != user:
        raise PresetNotFoundError(preset_id)
    return preset


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those parts that were given, in the form they are written in."""
    given = {name: value for name, value in settings.items() if name not in DATA}
    if not given:
        raise InvalidInputError.at("settings", msg="name at least one setting", code="required")
    stand_in = {"name": "preset", "version_id": str(UUID(int=0)), "target": "any"}
    whole = write_specification(read_specification(stand_in | given))
    faults = read_specification(stand_in | given).algorithm_faults()
    if faults:
        raise InvalidInputError(faults[0].msg, tuple(faults))
    return {name: whole[name] for name in given}
