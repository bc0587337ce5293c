"""Experiments and their runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, DomainError, InvalidInputError, NotFoundError
from hydroml.domain.experiments.algorithms import AUTOMATIC
from hydroml.domain.experiments.preparation import Derived
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import Column, Table

ExperimentId = NewType("ExperimentId", UUID)
RunId = NewType("RunId", UUID)
SuiteId = NewType("SuiteId", UUID)


MAX_TAGS = 20
MAX_TAG = 50
MAX_NOTES = 10_000


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Without blanks around them, each once whatever its case, in the order given. Raises InvalidInputError."""
    found: dict[str, str] = {}
    for index, tag in enumerate(tags):
        clean = " ".join(tag.replace("\x00", "").split())
        if not clean or len(clean) > MAX_TAG:
            raise InvalidInputError.at("tags", index, msg=f"a tag has 1 to {MAX_TAG} characters", code="range")
        found.setdefault(clean.lower(), clean)
    if len(found) > MAX_TAGS:
        raise InvalidInputError.at("tags", msg=f"at most {MAX_TAGS} tags", code="too_many")
    return tuple(found.values())


class ExperimentNotFoundError(NotFoundError):
    def __init__(self, experiment_id: ExperimentId) -> None:
        super().__init__(f"experiment {experiment_id} does not exist")


class RunNotFoundError(NotFoundError):
    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"run {run_id} does not exist")


class ArtifactNotFoundError(NotFoundError):
    def __init__(self, run_id: RunId, name: str) -> None:
        super().__init__(f"run {run_id} has no artifact “{name}”")


class RunStateError(ConflictError):
    """The run is not in a state that allows this."""


@dataclass(slots=True, kw_only=True)
class Experiment:
    """A specification under a name, and whoever wrote it."""

    id: ExperimentId
    project_id: ProjectId
    specification: Specification
    parent_id: ExperimentId | None = None
    """The experiment it was made from, which may be gone, or in a project its maker does not see."""
    created_by: UserId
    created_at: datetime
    revision: int = 0

    @property
    def name(self) -> str:
        return self.specification.name


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PRUNED = "pruned"
    """Given up by its suite, since it would not have become the best."""


@dataclass(frozen=True, slots=True)
class Variation:
    """Which trial of which suite a run is, and what was changed in the suite's specification for it."""

    suite_id: SuiteId
    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the table, rows with a known target, and how many of those trained, tested or fell in the gap."""

    rows: int
    used: int
    left_out: int
    train: int
    test: int
    twins: int = 0
    """Test rows that agree with a training row in the target and every feature."""


@dataclass(frozen=True, slots=True)
class RowTable:
    """The table of the rows a run was judged on."""

    columns: tuple[Column, ...]
    rows: int
    size: int
    """Bytes of its file."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What a model knows of one column of a table: its type, and the range or categories seen in training."""

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    direct: bool = True
    """Whether the model sees it as it is; else only what is derived from it, or by its order."""


@dataclass(frozen=True, slots=True)
class DerivedFeature:
    """A number that is derived before the model sees it, and its range in training."""

    derived: Derived
    minimum: float | None = None
    maximum: float | None = None

    @property
    def name(self) -> str:
        return self.derived.name

    @property
    def type(self) -> str:
        return "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionInterval:
    """A prediction ± `half_width` is to hold a share `level` of what is observed: by split conformal prediction, from
    the errors in `rows` that the model had not seen (Lei et al. 2018, doi 10.1080/01621459.2017.1307116)."""

    level: float
    half_width: float
    rows: int
    guaranteed: bool
    """Whether rows like those that tested come back: exchangeable ones, drawn by chance."""
    measured: float | None = None
    """The share of the later half of the test rows within the interval that the earlier half gives."""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a training left behind: numbers here, larger things as blobs."""

    problem: str
    split: str
    parameters: dict[str, Any]
    metrics: dict[str, dict[str, float]]
    """By part: test, train, and validation where folds within the training part were asked for."""
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Bounds of 95 % of metrics of the test part, by the bootstrap over its rows or stretches of them."""
    baselines: dict[str, dict[str, float]]
    """By baseline: its metrics on the test part."""
    counts: Counts
    features: tuple[Feature, ...]
    """The columns that a prediction needs."""
    derived: tuple[DerivedFeature, ...] = ()
    time_column: str | None = None
    """By which earlier rows are known, where the model looks at them; and of which group they are."""
    group_column: str | None = None
    classes: tuple[str, ...] = ()
    interval: PredictionInterval | None = None
    """None for classes, which have probabilities, and where too few rows tested."""
    seconds: float = 0.0
    model_bytes: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    """Versions of what computed it, by name: python, hydroml, and each library that takes part."""
    rows: RowTable | None = None

    @property
    def seen(self) -> tuple[Feature | DerivedFeature, ...]:
        """What the model itself sees of each row."""
        return (*(feature for feature in self.features if feature.direct), *self.derived)


class PrunedError(DomainError):
    """Raised within a training whose suite gives it up."""

    def __init__(self) -> None:
        super().__init__("given up after some folds: it would not have become the best")


_PARTS = ("train", "test")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure or a version that two runs do not share."""

    what: str
    before: float | str | None
    after: float | str | None


@dataclass(slots=True, kw_only=True)
class Run:
    """One execution of an experiment, with the specification as it was then."""

    id: RunId
    experiment_id: ExperimentId
    project_id: ProjectId
    specification: Specification
    variation: Variation | None = None
    """None for a run on its own."""
    status: RunStatus = RunStatus.QUEUED
    job_id: UUID | None = None
    outcome: Outcome | None = None
    error: str | None = None
    artifacts: dict[str, str] = field(default_factory=dict)
    """The blobs of its artifacts, by name; plot data is JSON."""
    rows_blob: str | None = None
    model_blob: str | None = None
    twin_of: RunId | None = None
    """The run whose price of random splitting it shows: the same, divided the other way."""
    repeat_of: RunId | None = None
    """The run that it does once more, to see whether the same comes out."""
    mlflow_run_id: str | None = None
    mlflow_behind: bool = False
    """Whether its tags or notes were changed since MLflow got them."""
    """None until the tracking server has the run."""
    tags: tuple[str, ...] = ()
    notes: str = ""
    created_by: UserId
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    revision: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it has come to an end that nothing changes."""
        return self.status in (RunStatus.SUCCEEDED, RunStatus.PRUNED)

    @property
    def job_settings(self) -> dict[str, Any]:
        """What its job must know: the budget as a limit; an automatic search keeps to it by itself, can be finished
        early, and is not to be ended while it stores what it found."""
        if self.specification.algorithm.name == AUTOMATIC.name:
            return {"can_finish": True}
        seconds = self.specification.budget.seconds
        return {} if seconds is None else {"seconds": seconds}

    def start(self, at: datetime) -> None:
        """A worker begins, or begins again after another one died. Raises RunStateError when it has ended."""
        if self.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
            raise RunStateError(f"run {self.id} is {self.status}")
        self.status, self.started_at = RunStatus.RUNNING, at

    def succeed(
        self, outcome: Outcome, artifacts: dict[str, str], model_blob: str, rows_blob: str, at: datetime
    ) -> None:
        self._must_run()
        self.status, self.outcome, self.finished_at = RunStatus.SUCCEEDED, outcome, at
        self.artifacts, self.model_blob, self.rows_blob, self.error = artifacts, model_blob, rows_blob, None

    def prune(self, at: datetime) -> None:
        self._must_run()
        self.status, self.finished_at = RunStatus.PRUNED, at

    def fail(self, error: str, at: datetime) -> None:
        if not self.is_done:
            self.status, self.error, self.finished_at = RunStatus.FAILED, error, at

    def cancel(self, at: datetime) -> None:
        if not self.is_done:
            self.status, self.finished_at = RunStatus.CANCELLED, at

    def queue_again(self, job_id: UUID) -> None:
        """A retry of the job takes the run back to its beginning."""
        if self.is_done:
            raise RunStateError(f"run {self.id} has come to its end")
        self.status, self.error, self.finished_at, self.job_id = RunStatus.QUEUED, None, None, job_id

    def annotate(self, tags: Sequence[str] | None = None, notes: str | None = None) -> None:
        """None keeps what is there. Raises InvalidInputError for what is too long or too many."""
        if tags is not None:
            self.tags = clean_tags(tags)
        if notes is not None:
            if len(notes) > MAX_NOTES:
                raise InvalidInputError.at("notes", msg=f"at most {MAX_NOTES:,} characters", code="too_long")
            self.notes = notes.replace("\x00", "").strip()
        self.mlflow_behind = self.mlflow_run_id is not None

    def tracked_as(self, mlflow_run_id: str, revision: int | None = None) -> None:
        """MLflow has it as it was at `revision`, or as it is now."""
        self.mlflow_run_id = mlflow_run_id
        self.mlflow_behind = revision not in (None, self.revision)

    def artifact(self, name: str) -> str:
        """The blob of an artifact; raises ArtifactNotFoundError."""
        if name not in self.artifacts:
            raise ArtifactNotFoundError(self.id, name)
        return self.artifacts[name]

    def judged(self) -> Table:
        """The rows it was judged on; raises RunStateError before the run has succeeded."""
        outcome, _ = self.result()
        if outcome.rows is None or self.rows_blob is None:
            raise RunStateError(f"run {self.id} has no table of its rows")
        return Table(self.rows_blob, outcome.rows.columns, outcome.rows.rows, outcome.rows.size)

    def result(self) -> tuple[Outcome, str]:
        """The outcome and the model's blob; raises RunStateError before the run has succeeded."""
        if self.outcome is None or self.model_blob is None:
            raise RunStateError(f"run {self.id} is {self.status}: it has no model yet")
        return self.outcome, self.model_blob

    def differences(self, again: "Run") -> tuple["Difference", ...]:
        """What is not the same in a run of the same specification: figures to the last digit, then what computed them.

        Raises RunStateError before both have succeeded.
        """
        one, other = self.result()[0], again.result()[0]
        figures = [
            Difference(f"{part} {name}", one.metrics[part].get(name), other.metrics.get(part, {}).get(name))
            for part in one.metrics
            for name in one.metrics[part]
        ]
        counts = [Difference(f"{part} rows", getattr(one.counts, part), getattr(other.counts, part)) for part in _PARTS]
        # what one of them did not record is not known to differ
        names = [name for name in one.environment if name in other.environment]
        versions = [Difference(name, one.environment[name], other.environment[name]) for name in names]
        return tuple(found for found in (*figures, *counts, *versions) if found.before != found.after)

    def _must_run(self) -> None:
        if self.status is not RunStatus.RUNNING:
            raise RunStateError(f"run {self.id} is {self.status}, not running")
