"""Runs as documents are made of, put together by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from hydroml.domain.experiments.doubts import Doubt
from hydroml.domain.experiments.runs import Counts, ExperimentId, Feature, Outcome, Run, RunId, RunStatus
from hydroml.domain.experiments.specification import Problem, Specification
from hydroml.domain.experiments.treatment import treatments
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.reporting.subject import Stretch, Subject
from hydroml.domain.sources import Column, ColumnType, Origin, OriginKind, SourceId, Version, VersionId

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
COLUMNS = (
    Column("date", ColumnType.DATE),
    Column("site", ColumnType.TEXT),
    Column("rain", ColumnType.NUMBER),
    Column("flow", ColumnType.NUMBER),
)
HOSTILE = "<b>“x”</b> & *y* #set page() $z$ `w` [v](u) \\ | ~ \n@n \u202e\x01µ² ³ − é"
"""A name that is markup wherever it is not text."""


def specification(**changes: Any) -> Specification:
    return Specification(**{"name": "Flow", "version_id": VersionId(uuid4()), "target": "flow"} | changes)


def outcome(wanted: Specification, **changes: Any) -> Outcome:
    features = wanted.resolved_features(COLUMNS)
    made = Outcome(
        problem="regression",
        split=wanted.split.resolve(wanted.time_column, Problem.REGRESSION),
        parameters={},
        metrics={"test": {"nse": 0.8, "rmse": 1.25}, "train": {"nse": 0.9, "rmse": 1.0}},
        baselines={"mean": {"nse": -0.01, "rmse": 3.0}, "persistence": {"nse": 0.5, "rmse": 2.0}},
        counts=Counts(rows=120, used=110, left_out=10, train=80, test=25),
        features=tuple(Feature(name, "number", 0.0, 9.5) for name in features),
        environment={"numpy": "2.4", "python": "3.12", "hydroml": "1.0"},
        seconds=12.0,
    )
    return replace(made, **changes)


def subject(
    wanted: Specification | None = None,
    *,
    artifacts: Mapping[str, Any] | None = None,
    stretches: Sequence[Stretch] = (),
    warnings: Sequence[Doubt] = (),
    source: str = "Gauges",
    **of_outcome: Any,
) -> Subject:
    wanted = wanted or specification()
    result = outcome(wanted, **of_outcome)
    user = UserId(UUID(int=1))
    run = Run(
        id=RunId(uuid4()),
        experiment_id=ExperimentId(uuid4()),
        project_id=ProjectId(uuid4()),
        specification=wanted,
        status=RunStatus.SUCCEEDED,
        outcome=result,
        created_by=user,
        created_at=NOW,
    )
    version = Version(
        id=wanted.version_id,
        source_id=SourceId(uuid4()),
        number=3,
        columns=COLUMNS,
        rows=120,
        size=1,
        fingerprint="ab12" * 16,
        origin=Origin(OriginKind.UPLOAD),
        created_by=user,
        created_at=NOW,
    )
    return Subject(
        run=run,
        outcome=result,
        version=version,
        source=source,
        artifacts=artifacts or {},
        stretches=stretches,
        warnings=warnings,
        treatments=treatments(wanted, COLUMNS),
        specification_text='{"name": "Flow"}',
        made_at=NOW,
    )
