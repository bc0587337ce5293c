"""Presets: settings of an experiment without its data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.presets import Preset, PresetId
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, seen_revision, tag, whole
from hydroml.entrypoints.web.api.experiments import FaultOut

router = Router(tags=["presets"])


class PresetOut(Schema):
    """Parts of a specification under a name; mine alone."""

    id: UUID
    name: str
    settings: dict[str, Any] = Field(description="Any parts of a specification but its name and version.")
    created_at: datetime
    revision: int

    @classmethod
    def of(cls, preset: Preset) -> "PresetOut":
        return cls(
            id=preset.id,
            name=preset.name,
            settings=preset.settings,
            created_at=preset.created_at,
            revision=preset.revision,
        )


class PresetIn(Schema):
    """Settings as they stand in a specification, or a run whose settings are promoted."""

    name: str = Field(max_length=200)
    settings: dict[str, Any] | None = None
    run_id: UUID | None = None
    whole: bool = Field(False, description="Of a run: all settings, not the algorithm with its hyperparameters alone.")


class PresetPatch(Schema):
    """Another name."""

    name: str = Field(max_length=200)


class ApplyPresetIn(Schema):
    """To which data."""

    version_id: UUID


class AppliedOut(Schema):
    """A specification for that data, and what of the preset the data does not have."""

    specification: dict[str, Any]
    missing: list[FaultOut]


@router.get("/presets", response=Page[PresetOut])
def list_presets(request: HttpRequest) -> Any:
    """My presets, by name."""
    return whole([PresetOut.of(preset) for preset in container().presets().list(request.auth)], PresetOut)


@router.post("/presets", response={201: PresetOut})
def create_preset(request: HttpRequest, response: HttpResponse, body: PresetIn) -> Status[PresetOut]:
    """Keep settings, or promote those of a run."""
    if (body.settings is None) is (body.run_id is None):
        raise InvalidInputError.at("settings", msg="either settings or a run_id", code="required")
    presets = container().presets()
    if body.run_id is not None:
        preset = presets.promote(request.auth, RunId(body.run_id), body.name, whole=body.whole)
    else:
        preset = presets.create(request.auth, body.name, body.settings or {})
    response["Location"] = f"/api/v1/presets/{preset.id}"
    return Status(201, _tagged(response, preset))


@router.get("/presets/{uuid:preset_id}", response=PresetOut)
def get_preset(request: HttpRequest, response: HttpResponse, preset_id: UUID) -> PresetOut:
    """One of my presets."""
    return _tagged(response, container().presets().get(request.auth, PresetId(preset_id)))


@router.patch("/presets/{uuid:preset_id}", response=PresetOut)
def rename_preset(request: HttpRequest, response: HttpResponse, preset_id: UUID, body: PresetPatch) -> PresetOut:
    """Another name."""
    preset = container().presets().rename(request.auth, PresetId(preset_id), body.name, seen_revision(request))
    return _tagged(response, preset)


@router.delete("/presets/{uuid:preset_id}", response={204: None})
def delete_preset(request: HttpRequest, preset_id: UUID) -> Status[None]:
    """Experiments made with it stay as they are."""
    container().presets().delete(request.auth, PresetId(preset_id))
    return Status(204, None)


@router.post("/presets/{uuid:preset_id}/apply", response=AppliedOut)
def apply_preset(request: HttpRequest, preset_id: UUID, body: ApplyPresetIn) -> AppliedOut:
    """A specification of these settings for other data; nothing is stored."""
    applied = container().presets().apply(request.auth, PresetId(preset_id), VersionId(body.version_id))
    missing = [FaultOut(loc=list(f.loc), msg=f.msg, code=f.code) for f in applied.missing]
    return AppliedOut(specification=applied.specification, missing=missing)


def _tagged(response: HttpResponse, preset: Preset) -> PresetOut:
    tag(response, preset.revision)
    return PresetOut.of(preset)
