"""Registered models: versions made from runs, and the aliases that point to them."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import ProjectId, UserId, clean_name

ModelId = NewType("ModelId", UUID)

_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,49}")


class ModelNotFoundError(NotFoundError):
    def __init__(self, model_id: ModelId | str) -> None:
        super().__init__(f"model {model_id} does not exist")


class ModelVersionNotFoundError(NotFoundError):
    """The model has no such version or alias."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    number: int
    run_id: RunId
    created_by: UserId
    created_at: datetime
    mlflow_version: str | None = None
    """None until the tracking server's registry has it."""


@dataclass(slots=True, kw_only=True)
class Model:
    """A named model of a project; versions are never altered, aliases move."""

    id: ModelId
    project_id: ProjectId
    name: str
    versions: tuple[ModelVersion, ...] = ()
    aliases: dict[str, int] = field(default_factory=dict)
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name, "model")

    def register(self, run_id: RunId, by: UserId, at: datetime) -> ModelVersion:
        """A run's model becomes the next version; the first one is the champion. The same run twice is refused."""
        for version in self.versions:
            if version.run_id == run_id:
                raise ConflictError(f"this run is version {version.number} of “{self.name}” already")
        version = ModelVersion(len(self.versions) + 1, run_id, by, at)
        self.versions = (*self.versions, version)
        self.aliases.setdefault("champion", version.number)
        return version

    def point(self, alias: str, number: int) -> None:
        """Raises InvalidInputError for a malformed alias and ModelVersionNotFoundError for an unknown version."""
        if not _ALIAS.fullmatch(alias):
            raise InvalidInputError.at("alias", msg="lower-case letters, digits, - and _, at most 50", code="alias")
        self.version(number)
        self.aliases[alias] = number

    def mirrored(self, number: int, mlflow_version: str) -> None:
        """The tracking server's registry has the version under this number."""
        self.versions = tuple(
            replace(v, mlflow_version=mlflow_version) if v.number == number else v for v in self.versions
        )

    def version(self, number: int) -> ModelVersion:
        for version in self.versions:
            if version.number == number:
                return version
        raise ModelVersionNotFoundError(f"“{self.name}” has no version {number}")

    def resolve(self, alias: str | None, number: int | None) -> ModelVersion:
        """The version asked for: by number, by alias, else the champion."""
        if number is not None:
            return self.version(number)
        wanted = alias or "champion"
        if wanted not in self.aliases:
            raise ModelVersionNotFoundError(f"“{self.name}” has no alias “{wanted}”")
        return self.version(self.aliases[wanted])
