"""Registered models."""

from dataclasses import dataclass
from uuid import uuid4

from hydroml.application.access import model_of, project_of, run_of
from hydroml.application.activity import tell
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.projects import check_revision
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.models import CHAMPION, Approval, Decision, Model, ModelId, require_approver
from hydroml.domain.projects import ProjectId, Role, UserId


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """A model with the run of each of its versions, by number."""

    model: Model
    runs: dict[int, Run]


class ModelService:
    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def register(self, user: UserId, run_id: RunId, name: str, note: str = "") -> ModelDetail:
        """The run's model becomes the next version of the project's model of that name, which is made if need be.
        Raises RunStateError before the run has succeeded, ConflictError when it is a version of that model already."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id, Role.EDITOR)
            run.result()
            model = uow.models.named(run.project_id, name.strip())
            if model is None:
                model = Model(id=ModelId(uuid4()), project_id=run.project_id, name=name, created_at=self._clock())
                uow.models.add(model)
            version = model.register(run_id, user, self._clock(), note)
            uow.models.save(model)
            tell(uow, user, "registered", model, version.created_at, f"version {version.number}")
            uow.commit()
            return _detail(uow, model)

    def get(self, user: UserId, model_id: ModelId) -> ModelDetail:
        with self._uow() as uow:
            return _detail(uow, model_of(uow, user, model_id))

    def of_project(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[Model]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return uow.models.of_project(project_id, listing)

    def mine(self, user: UserId, listing: Listing) -> Slice[Model]:
        """Models of all the asker's projects."""
        with self._uow() as uow:
            return uow.models.of_member(user, listing)

    def point(
        self,
        user: UserId,
        model_id: ModelId,
        alias: str,
        number: int,
        *,
        reason: str = "",
        revision: int | None = None,
    ) -> ModelDetail:
        """Moves an alias to a version. Who may approve and makes a pending version the champion, approves it by that.
        Raises ModelVersionNotFoundError, and ApprovalError where its approval is in the way."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id, Role.EDITOR)
            check_revision(model.revision, revision)
            version, project = model.version(number), uow.projects.get(model.project_id)
            if (
                alias == CHAMPION
                and version.approval is Approval.PENDING
                and project.role_of(user).includes(Role.OWNER)
            ):
                self._decide(uow, model, number, Approval.APPROVED, user, reason.strip() or "made champion")
            model.point(alias, number)
            return self._save(uow, user, model, "pointed", f"{alias} is version {number}")

    def unpoint(self, user: UserId, model_id: ModelId, alias: str, revision: int | None = None) -> ModelDetail:
        """Takes an alias away. Raises ModelVersionNotFoundError."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id, Role.EDITOR)
            check_revision(model.revision, revision)
            model.unpoint(alias)
            return self._save(uow, user, model, "pointed", f"{alias} is taken away")

    def decide(  # noqa: PLR0917 - of which version, what, and why
        self,
        user: UserId,
        model_id: ModelId,
        number: int,
        verdict: Approval,
        reason: str,
        revision: int | None = None,
    ) -> ModelDetail:
        """Approves or rejects a version. Raises ForbiddenError for who may not, ApprovalError for what is so."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id, Role.OWNER)
            check_revision(model.revision, revision)
            self._decide(uow, model, number, verdict, user, reason)
            uow.models.save(model)
            uow.commit()
            return _detail(uow, model)

    def annotate(
        self, user: UserId, model_id: ModelId, number: int, note: str, revision: int | None = None
    ) -> ModelDetail:
        """Writes the note of a version."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id, Role.EDITOR)
            check_revision(model.revision, revision)
            model.annotate(number, note)
            return self._save(uow, user, model, "changed", f"the note of version {number}")

    def _decide(  # noqa: PLR0917
        self, uow: UnitOfWork, model: Model, number: int, verdict: Approval, user: UserId, reason: str
    ) -> None:
        require_approver(uow.projects.get(model.project_id), model.version(number), user)
        decision = Decision(verdict, user, self._clock(), reason)
        model.decide(number, decision)
        tell(uow, user, verdict.value, model, decision.at, f"version {number}: {reason.strip()}")

    def _save(self, uow: UnitOfWork, user: UserId, model: Model, verb: str, text: str) -> ModelDetail:
        uow.models.save(model)
        tell(uow, user, verb, model, self._clock(), text)
        uow.commit()
        return _detail(uow, model)


def _detail(uow: UnitOfWork, model: Model) -> ModelDetail:
    return ModelDetail(model, {v.number: uow.runs.get(v.run_id) for v in model.versions})
