"""Presets: settings of an experiment under a name, without its data; applied to other data as far as they fit."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType
from uuid import UUID

from hydroml.domain.errors import Fault, NotFoundError
from hydroml.domain.experiments.specification import SplitKind
from hydroml.domain.projects import UserId, clean_name

PresetId = NewType("PresetId", UUID)

MOST_PRESETS = 200
"""Of one person."""
DATA = ("name", "version_id")
"""What of a specification belongs to its data, and is in no preset."""


class PresetNotFoundError(NotFoundError):
    def __init__(self, preset_id: PresetId) -> None:
        super().__init__(f"preset {preset_id} does not exist")


@dataclass(slots=True, kw_only=True)
class Preset:
    """Its owner's alone. `settings` are any parts of a specification's JSON document but those of `DATA`: with
    `algorithm` alone it is a set of hyperparameters."""

    id: PresetId
    owner_id: UserId
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.rename(self.name)

    def rename(self, name: str) -> None:
        self.name = clean_name(name, "preset")


def fitted(settings: Mapping[str, Any], columns: Collection[str]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The settings for a table of these columns, without what it does not have, and what that was."""
    fit, missing = deepcopy(dict(settings)), []
    for place in ("target", "time_column", "group_column"):
        name = fit.get(place)
        if name is not None and name not in columns:
            del fit[place]
            missing.append(Fault((place,), f"there is no column “{name}”", "unknown_column"))
    if fit.get("features") is not None:
        missing += [
            Fault(("features",), f"there is no column “{name}”", "unknown_column")
            for name in fit["features"]
            if name not in columns
        ]
        fit["features"] = [name for name in fit["features"] if name in columns]
        if not fit["features"]:
            del fit["features"]
    for part in ("groups", "past"):
        missing += _fit_parts(fit, part, columns)
    lacked = _lacked_by(fit)
    if lacked is not None:
        del fit["split"]["kind"]
        missing.append(Fault(("split", "kind"), f"without a {lacked} column the rows are divided as usual", "required"))
    return fit, tuple(missing)


def _fit_parts(fit: dict[str, Any], part: str, columns: Collection[str]) -> list[Fault]:
    """Leaves out of a part of the preparation the columns that are not there, and what then has none."""
    preparation = fit.get("preparation") or {}
    if not preparation.get(part):
        return []
    missing, kept = [], []
    for entry in preparation[part]:
        absent = [name for name in entry["columns"] if name not in columns]
        missing += [Fault(("preparation", part), f"there is no column “{name}”", "unknown_column") for name in absent]
        entry["columns"] = [name for name in entry["columns"] if name in columns]
        if entry["columns"]:
            kept.append(entry)
    if part == "past" and kept and fit.get("time_column") is None:
        missing.append(Fault(("preparation", part), "without a time column there are no earlier rows", "required"))
        kept = []
    preparation[part] = kept
    return missing


def _lacked_by(settings: Mapping[str, Any]) -> str | None:
    """What the split needs and the settings do not name."""
    kind = (settings.get("split") or {}).get("kind")
    if kind is None:
        return None
    if SplitKind(kind).is_chronological and settings.get("time_column") is None:
        return "time"
    return "group" if SplitKind(kind).is_grouped and settings.get("group_column") is None else None
