"""Experiments and their runs."""

from collections.abc import Collection, Mapping, Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConflictError
from hydroml.domain.experiments.runs import (
    Experiment,
    ExperimentId,
    ExperimentNotFoundError,
    Run,
    RunId,
    RunNotFoundError,
    RunStatus,
    SuiteId,
    Variation,
)
from hydroml.domain.experiments.suites import Suite, Trial
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import Version, VersionId


class InMemoryExperimentRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._suites: Rows[SuiteId, Suite] = transaction.rows("suite")
        self._models: Rows[ModelId, Model] = transaction.rows("model")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: Experiment) -> None:
        if not self._versions.has(entity.specification.version_id) or not self._projects.has(entity.project_id):
            raise ConflictError("the version or the project was removed meanwhile")
        self._rows.put(entity.id, entity)

    def get(self, experiment_id: ExperimentId) -> Experiment:
        found = self._rows.get(experiment_id)
        if found is None:
            raise ExperimentNotFoundError(experiment_id)
        return found

    def save(self, entity: Experiment) -> None:
        save_revised(self._rows, entity)

    def delete(self, experiment_id: ExperimentId) -> None:
        if not self._rows.has(experiment_id):
            raise ExperimentNotFoundError(experiment_id)
        runs = set(self._runs.keys_where(lambda r: r.experiment_id == experiment_id))
        if self._models.count(lambda m: any(v.run_id in runs for v in m.versions)):
            raise ConflictError("a model was made from one of its runs")
        for run_id in runs:
            self._runs.remove(run_id)
        for suite_id in self._suites.keys_where(lambda s: s.experiment_id == experiment_id):
            self._suites.remove(suite_id)
        self._rows.remove(experiment_id)

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Experiment]:
        inside = self._rows.where(lambda e: e.project_id == project_id)
        keys = {"created_at": lambda e: e.created_at, "name": lambda e: e.name.lower()}
        return slice_of(inside, listing, keys, lambda e: e.name)

    def run_counts(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, int]:
        counts = dict.fromkeys(experiment_ids, 0)
        for run in self._runs.where(lambda r: r.experiment_id in counts):
            counts[run.experiment_id] += 1
        return counts


class InMemoryRunRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[RunId, Run] = transaction.rows("run")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: Run) -> None:
        if not self._experiments.has(entity.experiment_id) or not self._versions.has(entity.specification.version_id):
            raise ConflictError("the experiment or its version was removed meanwhile")
        variation = entity.variation
        if variation is not None and self._rows.count(lambda r: _is_same_trial(r, variation)):
            raise ConflictError("the experiment or its version was removed meanwhile")
        self._rows.put(entity.id, entity)

    def get(self, run_id: RunId) -> Run:
        found = self._rows.get(run_id)
        if found is None:
            raise RunNotFoundError(run_id)
        return found

    def get_for_update(self, run_id: RunId) -> Run:
        self._transaction.lock(("run", run_id))
        return self.get(run_id)

    def get_many(self, run_ids: Collection[RunId]) -> Mapping[RunId, Run]:
        found = (self._rows.get(run_id) for run_id in run_ids)
        return {run.id: run for run in found if run is not None}

    def save(self, entity: Run) -> None:
        save_revised(self._rows, entity)

    def of_experiment(self, experiment_id: ExperimentId, listing: Listing) -> Slice[Run]:
        return _slice(self._rows.where(lambda r: r.experiment_id == experiment_id), listing)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Run]:
        mine = set(self._projects.keys_where(lambda p: user in p.members))
        return _slice(self._rows.where(lambda r: r.project_id in mine), listing)

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Run]:
        return _oldest_first(self._rows.where(lambda r: r.specification.version_id in version_ids))[:limit]

    def made_from(self, run_id: RunId) -> Sequence[Run]:
        return _oldest_first(self._rows.where(lambda r: run_id in (r.twin_of, r.repeat_of)))[::-1]

    def blobs_in_use(self, blobs: Collection[str]) -> Collection[str]:
        runs = self._rows.where(lambda _: True)
        held = {blob for run in runs for blob in (run.model_blob, run.rows_blob, *run.artifacts.values())}
        return {blob for blob in blobs if blob in held}

    def trials(self, suite_id: SuiteId) -> Sequence[Trial]:
        found = self._rows.where(lambda r: r.variation is not None and r.variation.suite_id == suite_id)
        return sorted(map(Trial.of, found), key=lambda trial: trial.number)

    def claim(self, run_id: RunId) -> bool:
        return self._transaction.claim(("run", run_id))

    def untracked(self, limit: int) -> Sequence[Run]:
        succeeded = self._rows.where(lambda r: r.status is RunStatus.SUCCEEDED)
        found = [run for run in succeeded if run.mlflow_run_id is None or run.mlflow_behind]
        return _oldest_first(found)[:limit]


def _is_same_trial(run: Run, variation: Variation) -> bool:
    here = run.variation
    return here is not None and (here.suite_id, here.number) == (variation.suite_id, variation.number)


def _slice(runs: list[Run], listing: Listing) -> Slice[Run]:
    return slice_of(runs, listing, {"created_at": lambda r: r.created_at}, lambda r: r.specification.name)


def _oldest_first(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda r: (r.created_at, r.id))
