"""Pre-flight: what would stop a run of a specification, or make its result doubtful, before a job starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hydroml.application.access import project_of
from hydroml.application.experiments import version_in
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine
from hydroml.application.profiles import at_hand
from hydroml.application.quality import QualityAnalysis
from hydroml.domain.errors import Fault
from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm
from hydroml.domain.experiments.cost import Estimate
from hydroml.domain.experiments.doubts import Doubt, Evidence, Giveaway, doubts
from hydroml.domain.experiments.sizing import TOO_MUCH, Alternative, Sizing, alternatives
from hydroml.domain.experiments.specification import (
    Problem,
    Specification,
    SplitKind,
    TargetSummary,
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
    estimate: Estimate | None = None
    """What it takes; None while something else is wrong with it."""
    alternatives: tuple[Alternative, ...] = ()
    """Where it takes too much: changes with which it would not."""


class PreflightService:
    """`lacking` names the packages of algorithms that are not installed here; `memory_limit`, in bytes, and `threads`
    are those of a training."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        quality: QualityAnalysis,
        memory_limit: int,
        threads: int,
        lacking: Collection[str] = (),
    ) -> None:
        self._uow, self._engine, self._quality, self._lacking = uow, engine, quality, lacking
        self._memory_limit, self._threads = memory_limit, threads

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
        estimate: Estimate | None = None
        instead: tuple[Alternative, ...] = ()
        if specification.algorithm.name in ALGORITHMS:
            sizing = self._sizing(version, features, problem, split, summary)
            refusals, instead = self._advised(specification, sizing, self._refusals(specification, sizing, faults))
            estimate = None if faults else sizing.estimate(specification)
            faults += refusals
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
        return Preflight(faults, warnings, problem, split, features, version.rows, train, test, told, estimate, instead)

    def _sizing(
        self, version: Version, features: tuple[str, ...], problem: Problem, split: SplitKind, target: TargetSummary
    ) -> Sizing:
        with self._uow() as uow:
            known = at_hand(uow, version, features)
        return Sizing(
            rows=version.rows,
            usable=target.usable,
            columns=tuple(column for column in version.columns if column.name in features),
            problem=problem,
            split=split,
            classes=target.distinct if problem.is_classification else 0,
            threads=self._threads,
            distinct={name: column.distinct for name, column in known.items()},
            gaps=frozenset(c.name for c in version.columns if c.name not in known or known[c.name].missing),
            thorough=True,
        )

    def _refusals(
        self, specification: Specification, sizing: Sizing, faults: tuple[Fault, ...] = ()
    ) -> tuple[Fault, ...]:
        """Why it cannot be trained here: by this algorithm, from so many rows, and, where nothing else is wrong with
        it, in this memory and time."""
        algorithm = ALGORITHMS[specification.algorithm.name]
        refusal = algorithm.refusal(sizing.problem.value, sizing.most_training_rows(specification))
        if refusal is not None:
            return (Fault(("algorithm", "name"), *refusal),)
        if not self.can_run(algorithm):
            words = f"{algorithm.title} is not installed here: pip install hydroml[{algorithm.package}] adds it"
            return (Fault(("algorithm", "name"), words, "not_installed"),)
        return () if faults else sizing.faults(specification, self._memory_limit)

    def _advised(
        self, specification: Specification, sizing: Sizing, refusals: tuple[Fault, ...]
    ) -> tuple[tuple[Fault, ...], tuple[Alternative, ...]]:
        """The faults, which name what would do instead where it is too much."""
        if not any(fault.code in TOO_MUCH for fault in refusals):
            return refusals, ()
        rows, kinds = sizing.most_training_rows(specification), dict[str, Alternative]()
        for one in alternatives(specification, sizing.problem, rows):
            if one.kind not in kinds and not self._refusals(one.specification, sizing):
                kinds[one.kind] = one
        found = tuple(kinds.values())
        if not found:
            return refusals, ()
        words = "; or ".join(one.words for one in found)
        return tuple(replace(fault, msg=f"{fault.msg}: {words}") for fault in refusals), found


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
