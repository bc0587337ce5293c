"""Registered models."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConflictError
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.models import Model, ModelId, ModelNotFoundError
from hydroml.domain.projects import Project, ProjectId, UserId


class InMemoryModelRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[ModelId, Model] = transaction.rows("model")
        self._names: Rows[tuple[ProjectId, str], ModelId] = transaction.rows("model name")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")
        self._runs: Rows[RunId, Run] = transaction.rows("run")

    def add(self, entity: Model) -> None:
        name = (entity.project_id, entity.name)
        if self._names.has(name):
            raise ConflictError(f"the project has a model “{entity.name}” already")
        if not self._projects.has(entity.project_id):
            raise ConflictError("the project was removed meanwhile")
        self._must_have_runs(entity)
        self._names.put(name, entity.id)
        self._rows.put(entity.id, entity)

    def get(self, model_id: ModelId) -> Model:
        found = self._rows.get(model_id)
        if found is None:
            raise ModelNotFoundError(model_id)
        return found

    def save(self, entity: Model) -> None:
        self._must_have_runs(entity)
        save_revised(self._rows, entity)

    def named(self, project_id: ProjectId, name: str) -> Model | None:
        model_id = self._names.peek((project_id, name))
        return None if model_id is None else self._rows.get(model_id)

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Model]:
        return _slice(self._rows.where(lambda m: m.project_id == project_id), listing)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Model]:
        mine = set(self._projects.keys_where(lambda p: user in p.members))
        return _slice(self._rows.where(lambda m: m.project_id in mine), listing)

    def of_run(self, run_id: RunId) -> Sequence[Model]:
        return _oldest_first(self._rows.where(lambda m: any(v.run_id == run_id for v in m.versions)))

    def revision_for(self, user: UserId, model_id: ModelId) -> int | None:
        found = self._rows.get(model_id)
        project = None if found is None else self._projects.get(found.project_id)
        return found.revision if found and project and user in project.members else None

    def claim(self, model_id: ModelId) -> bool:
        return self._transaction.claim(("model", model_id))

    def unmirrored(self, limit: int) -> Sequence[Model]:
        found = self._rows.where(lambda m: m.mirror_due or any(v.mlflow_version is None for v in m.versions))
        return _oldest_first(found)[:limit]

    def _must_have_runs(self, entity: Model) -> None:
        if not all(self._runs.has(version.run_id) for version in entity.versions):
            raise ConflictError("the run was removed meanwhile")


def _slice(models: list[Model], listing: Listing) -> Slice[Model]:
    keys = {"created_at": lambda m: m.created_at, "name": lambda m: m.name.lower()}
    return slice_of(models, listing, keys, lambda m: m.name)


def _oldest_first(models: list[Model]) -> list[Model]:
    return sorted(models, key=lambda m: (m.created_at, m.id))
