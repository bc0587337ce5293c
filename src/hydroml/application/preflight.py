"""Pre-flight: what would stop a run of a specification, or make its result doubtful, before a job starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hydroml.application.access import project_of
from hydroml.application.experiments import version_in
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine
from hydroml.application.quality import QualityAnalysis
from hydroml.domain.errors import Fault
from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm
from hydroml.domain.experiments.doubts import Doubt, Evidence, Giveaway, doubts
from hydroml.domain.experiments.specification import (
    Problem,
    Specification,
    SplitKind,
    resolve_problem,
    target_faults,
)
from hydroml.domain.experiments.treatment import Treatment, treatments
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.quality.facts import Association
from hydroml.domain.quality.fitness import GIVEN_AWAY, Fit
from hydroml.domain.sources import Table, Version


@dataclass(frozen=True, slots=True)
class Preflight:
    """What would stop a run or make its result doubtful, and what would be learnt from how many rows."""

    faults: tuple[Fault, ...]
    warnings: tuple[Doubt, ...]
    problem: Problem | None
    split: SplitKind | None
    features: tuple[str, ...]
    rows: int
    training_rows: int
    test_rows: int
    treatments: tuple[Treatment, ...] = ()
    """What happens to each column."""


class PreflightService:
    """`lacking` names the packages of algorithms that are not installed here."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        quality: QualityAnalysis,
        lacking: Collection[str] = (),
    ) -> None:
        self._uow, self._engine, self._quality, self._lacking = uow, engine, quality, lacking

    def can_run(self, algorithm: Algorithm) -> bool:
        """Whether what it needs is installed."""
        return algorithm.package not in self._lacking

    def ask(self, user: UserId, project_id: ProjectId, specification: Specification) -> Preflight:
        """Checks without storing anything; reads the target's values once."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            version = version_in(uow, user, specification, project_id)
        return self.check(specification, version)

    def check(self, specification: Specification, version: Version) -> Preflight:
        faults = specification.faults(version.columns)
        features = specification.resolved_features(version.columns)
        target = version.column(specification.target)
        if target is None:
            return Preflight(faults, (), None, None, features, version.rows, 0, 0)
        summary = self._engine.target_summary(Table.of(version), target.name)
        problem = resolve_problem(specification.problem, target, summary)
        split = specification.split.resolve(specification.time_column, problem)
        faults = (*faults, *target_faults(problem, target.name, summary))
        train, test = specification.split.sizes(split, summary.usable)
        faults += self._algorithm_faults(specification, problem, summary.usable if split.is_folded else train)
        report = self._quality.at_hand(version)
        evidence = None if report is None else _evidence(report)
        warnings = doubts(
            specification,
            version.columns,
            summary,
            problem=problem,
            split=split,
            features=features,
            evidence=evidence,
        )
        told = treatments(specification, version.columns)
        return Preflight(faults, warnings, problem, split, features, version.rows, train, test, told)

    def _algorithm_faults(self, specification: Specification, problem: Problem, rows: int) -> tuple[Fault, ...]:
        """Why the algorithm cannot learn this problem, from so many rows, here."""
        algorithm = ALGORITHMS.get(specification.algorithm.name)
        if algorithm is None:
            return ()
        refusal = algorithm.refusal(problem.value, rows)
        if refusal is None and not self.can_run(algorithm):
            words = f"{algorithm.title} is not installed here: pip install hydroml[{algorithm.package}] adds it"
            refusal = words, "not_installed"
        return () if refusal is None else (Fault(("algorithm", "name"), *refusal),)


def _evidence(report: Mapping[str, Any]) -> Evidence:
    """Of a quality report as it is kept."""
    findings, time = report["findings"], report["time"] or {}
    return Evidence(
        giveaways=[
            Giveaway(found["kind"], tuple(found["columns"]), found["title"].partition(": ")[2])
            for found in findings
            if found["kind"] in GIVEN_AWAY
        ],
        associations=[Association(**one) for one in report["associations"]],
        unfit={
            one["column"]: one["reasons"][0].removeprefix("as a feature: ")
            for one in report["fitness"]
            if one["as_feature"] == Fit.UNFIT
        },
        duplicates=sum(found["rows"] or 0 for found in findings if found["kind"] == "duplicate_rows"),
        time_column=time.get("column"),
        site_column=time.get("group"),
        sites=time.get("groups", 1),
        uneven=any(found["kind"] == "time_gaps" for found in findings),
        repeated_times=time.get("duplicates", 0),
    )
