"""Runs side by side, and specifications side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydroml.application.access import experiment_of
from hydroml.application.documents import write_specification
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.comparison import (
    MAX_RUNS,
    MetricRow,
    Obstacle,
    Setting,
    effective,
    metric_rows,
    obstacles,
    settings,
)
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import ExperimentId, Run, RunId, RunNotFoundError
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.projects import UserId
from hydroml.domain.sources import VersionId


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Values stand in the order of `runs`; `data` names each run's data source and version, or what logged it."""

    runs: tuple[Run | LoggedRun, ...]
    data: tuple[str, ...]
    differ: tuple[Setting, ...]
    same: tuple[Setting, ...]
    metrics: tuple[MetricRow, ...]
    obstacles: tuple[Obstacle, ...]


class RunComparisonService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def compare(self, user: UserId, run_ids: Sequence[RunId]) -> RunComparison:
        """Of any projects of the asker's. Raises InvalidInputError for fewer than 2 or more than `MAX_RUNS`, and
        RunNotFoundError."""
        wanted = tuple(dict.fromkeys(run_ids))
        if not 2 <= len(wanted) <= MAX_RUNS:
            raise InvalidInputError.at("ids", msg=f"2 to {MAX_RUNS} different runs", code="range")
        with self._uow() as uow:
            found: dict[RunId, Run | LoggedRun] = {**uow.runs.get_many(wanted), **uow.logged_runs.get_many(wanted)}
            mine = uow.projects.roles(user, {run.project_id for run in found.values()})
            for run_id in wanted:
                if run_id not in found or found[run_id].project_id not in mine:
                    raise RunNotFoundError(run_id)
            runs = tuple(found[run_id] for run_id in wanted)
            names = _data_names(uow, {run.specification.version_id for run in runs if isinstance(run, Run)})
        data = tuple(run.source if isinstance(run, LoggedRun) else names[run.specification.version_id] for run in runs)
        differ, same = settings([_settings(run, name) for run, name in zip(runs, data, strict=True)])
        return RunComparison(runs, data, differ, same, metric_rows(runs), obstacles(runs))

    def experiments(self, user: UserId, first: ExperimentId, second: ExperimentId) -> tuple[Setting, ...]:
        """Where the specifications of two experiments differ, the first one's value first."""
        with self._uow() as uow:
            one, other = (experiment_of(uow, user, id_).specification for id_ in (first, second))
            names = _data_names(uow, {one.version_id, other.version_id})
        documents = [_document(spec, names[spec.version_id]) for spec in (one, other)]
        return settings(documents)[0]


def _data_names(uow: UnitOfWork, version_ids: set[VersionId]) -> Mapping[VersionId, str]:
    versions = uow.versions.get_many(version_ids)
    sources = {version.source_id: uow.sources.get(version.source_id) for version in versions.values()}
    return {id_: f"{sources[v.source_id].name}, version {v.number}" for id_, v in versions.items()}


def _document(specification: Specification, data: str) -> dict[str, Any]:
    document = write_specification(specification)
    return {"name": document.pop("name"), "data": data} | {k: v for k, v in document.items() if k != "version_id"}


def _settings(run: Run | LoggedRun, data: str) -> dict[str, Any]:
    """The specification as it took effect, with what it left to HydroML; of a run that was logged, its parameters."""
    if isinstance(run, LoggedRun):
        named = {name: run.columns[f"parameters.{name}"] for name in run.params}
        return {"name": run.name, "data": data, "algorithm": {"hyperparameters": named}}
    document = _document(run.specification, data)
    outcome = run.outcome
    if outcome is None:
        return document
    chosen = effective(run, document)
    document["problem"] = outcome.problem
    document["features"] = [feature.name for feature in outcome.features]
    document["split"] = document["split"] | {"kind": outcome.split}
    document["algorithm"] = document["algorithm"] | {"hyperparameters": chosen}
    return document
