"""Registered models: versions made from runs, what was decided of each, and the aliases that point to them."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import Project, ProjectId, Role, UserId, clean_name

ModelId = NewType("ModelId", UUID)

CHAMPION = "champion"
NOTE_LENGTH = 2_000

_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,49}")


class ModelNotFoundError(NotFoundError):
    def __init__(self, model_id: ModelId | str) -> None:
        super().__init__(f"model {model_id} does not exist")


class ModelVersionNotFoundError(NotFoundError):
    """The model has no such version or alias."""


class ApprovalError(ConflictError):
    """A version's approval does not allow it."""


class Approval(StrEnum):
    """Where a version stands: pending → approved ⇄ rejected, or pending → rejected. To reject what was approved is to
    withdraw it."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody approved or rejected a version, and why."""

    verdict: Approval
    by: UserId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ModelVersion:
    number: int
    run_id: RunId
    created_by: UserId
    created_at: datetime
    mlflow_version: str | None = None
    """None until the tracking server's registry has it."""
    note: str = ""
    decisions: tuple[Decision, ...] = ()
    """Oldest first; none is ever altered."""

    @property
    def approval(self) -> Approval:
        return self.decisions[-1].verdict if self.decisions else Approval.PENDING


@dataclass(slots=True, kw_only=True)
class Model:
    """A named model of a project; what versions predict is never altered, aliases move. The champion is approved."""

    id: ModelId
    project_id: ProjectId
    name: str
    versions: tuple[ModelVersion, ...] = ()
    aliases: dict[str, int] = field(default_factory=dict)
    mirror_due: bool = False
    """Whether aliases or approvals changed since the tracking server's registry was told."""
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name, "model")

    def register(self, run_id: RunId, by: UserId, at: datetime, note: str = "") -> ModelVersion:
        """A run's model becomes the next version, whose approval is pending. The same run twice is refused."""
        for version in self.versions:
            if version.run_id == run_id:
                raise ConflictError(f"this run is version {version.number} of “{self.name}” already")
        version = ModelVersion(len(self.versions) + 1, run_id, by, at, note=_clean(note, "note"))
        self.versions = (*self.versions, version)
        return version

    def decide(self, number: int, decision: Decision) -> None:
        """Approves or rejects a version; one that is rejected loses its aliases.

        Raises ApprovalError for what is decided so already, InvalidInputError without a reason."""
        version = self.version(number)
        if decision.verdict is version.approval:
            raise ApprovalError(f"version {number} of “{self.name}” is {version.approval} already")
        decision = replace(decision, reason=_clean(decision.reason, "reason", least=1))
        self._replace(replace(version, decisions=(*version.decisions, decision)))
        if decision.verdict is Approval.REJECTED:
            self.aliases = {alias: held for alias, held in self.aliases.items() if held != number}
        self.mirror_due = True

    def point(self, alias: str, number: int) -> None:
        """Raises InvalidInputError for a malformed alias, ModelVersionNotFoundError for an unknown version, and
        ApprovalError for a rejected one, and for a champion that is not approved."""
        if not _ALIAS.fullmatch(alias):
            raise InvalidInputError.at("alias", msg="lower-case letters, digits, - and _, at most 50", code="alias")
        version = self.version(number)
        self._refuse_rejected(version)
        if alias == CHAMPION and version.approval is not Approval.APPROVED:
            raise ApprovalError(f"version {number} of “{self.name}” is not approved yet: an owner approves it first")
        self.aliases = self.aliases | {alias: number}
        self.mirror_due = True

    def unpoint(self, alias: str) -> None:
        """Raises ModelVersionNotFoundError for an alias that it does not have."""
        if alias not in self.aliases:
            raise ModelVersionNotFoundError(f"“{self.name}” has no alias “{alias}”")
        self.aliases = {name: number for name, number in self.aliases.items() if name != alias}
        self.mirror_due = True

    def annotate(self, number: int, note: str) -> None:
        """Raises InvalidInputError for a note that is too long."""
        self._replace(replace(self.version(number), note=_clean(note, "note")))

    def mirrored(self, number: int, mlflow_version: str) -> None:
        """The tracking server's registry has the version under this number."""
        self._replace(replace(self.version(number), mlflow_version=mlflow_version))

    def version(self, number: int) -> ModelVersion:
        for version in self.versions:
            if version.number == number:
                return version
        raise ModelVersionNotFoundError(f"“{self.name}” has no version {number}")

    @property
    def shown(self) -> ModelVersion | None:
        """The version that stands for the model: the champion; without one the newest that is not rejected."""
        if CHAMPION in self.aliases:
            return self.version(self.aliases[CHAMPION])
        kept = [version for version in self.versions if version.approval is not Approval.REJECTED]
        return kept[-1] if kept else None

    def resolve(self, alias: str | None, number: int | None) -> ModelVersion:
        """The version that is to predict: by number, by alias, else the one that stands for the model. Raises
        ModelVersionNotFoundError, and ApprovalError when it is rejected."""
        if number is not None:
            version = self.version(number)
        elif alias is not None:
            if alias not in self.aliases:
                raise ModelVersionNotFoundError(f"“{self.name}” has no alias “{alias}”")
            version = self.version(self.aliases[alias])
        elif self.shown is not None:
            version = self.shown
        else:
            raise ApprovalError(f"every version of “{self.name}” is rejected")
        self._refuse_rejected(version)
        return version

    def _refuse_rejected(self, version: ModelVersion) -> None:
        if version.approval is Approval.REJECTED:
            reason = version.decisions[-1].reason
            raise ApprovalError(f"version {version.number} of “{self.name}” was rejected: {reason}")

    def _replace(self, changed: ModelVersion) -> None:
        self.versions = tuple(changed if v.number == changed.number else v for v in self.versions)


def require_approver(project: Project, version: ModelVersion, by: UserId) -> None:
    """Owners approve; in a project with two pairs of eyes, another one than who registered the version. Raises
    ForbiddenError."""
    project.require(by, Role.OWNER)
    if project.four_eyes and version.created_by == by:
        raise ForbiddenError("in this project another owner than the one who registered a version decides about it")


def _clean(text: str, name: str, least: int = 0) -> str:
    text = text.strip()
    if not least <= len(text) <= NOTE_LENGTH:
        msg = f"at most {NOTE_LENGTH:,} characters" if text else "say why, in a few words"
        raise InvalidInputError.at(name, msg=msg, code=name)
    return text
