"""Suites: many runs of one experiment that differ in what a plan varies, and the best of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from statistics import fmean, stdev
from typing import Any
from uuid import UUID

from hydroml.domain.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from hydroml.domain.experiments.metrics import METRICS, Metric
from hydroml.domain.experiments.plans import (
    CrossValidation,
    Limits,
    Nested,
    Plan,
    Scored,
    Selection,
    Sweep,
    Variant,
    place_of,
)
from hydroml.domain.experiments.runs import ExperimentId, Run, RunId, RunStatus, SuiteId
from hydroml.domain.experiments.specification import Problem, Specification
from hydroml.domain.projects import ProjectId, UserId, clean_name

MOST_PARALLEL = 64
FIRST_TRIALS = 5
"""When so many have failed and none has succeeded, the others would fail as well."""


class SuiteNotFoundError(NotFoundError):
    def __init__(self, suite_id: SuiteId) -> None:
        super().__init__(f"suite {suite_id} does not exist")


class SuiteStateError(ConflictError):
    """The suite is not in a state that allows this."""


class SuiteStatus(StrEnum):
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a suite knows of one of its runs, as stored with the run."""

    run_id: RunId
    number: int
    """Counted from 0."""
    values: Mapping[str, Any]
    """What was varied."""
    status: RunStatus
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By part, as the run's outcome has them."""
    seconds: float = 0.0
    model_bytes: int = 0
    job_id: UUID | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @classmethod
    def of(cls, run: Run) -> "Trial":
        """Of a run that is one."""
        if run.variation is None:
            raise SuiteStateError(f"run {run.id} is no trial")
        outcome = run.outcome
        return cls(
            run_id=run.id,
            number=run.variation.number,
            values=run.variation.values,
            status=run.status,
            metrics={} if outcome is None else outcome.metrics,
            seconds=0.0 if outcome is None else outcome.seconds,
            model_bytes=0 if outcome is None else outcome.model_bytes,
            job_id=run.job_id,
            error=run.error,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )

    @property
    def has_ended(self) -> bool:
        return self.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a study chose in one division of the rows: the trial, its score on the folds that chose it (None where
    nothing was to choose), and on the part that tests."""

    trial: Trial
    chosen_by: float | None
    score: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a study says of a way to train: what it chose and how it scored on each division of the rows."""

    choices: tuple[Choice, ...]

    @property
    def scores(self) -> tuple[float, ...]:
        return tuple(choice.score for choice in self.choices)

    @property
    def optimistic(self) -> float | None:
        """The mean score on the folds that chose, as a search without nesting would tell it; None where nothing was
        to choose."""
        found = [choice.chosen_by for choice in self.choices if choice.chosen_by is not None]
        return fmean(found) if found else None

    @property
    def mean(self) -> float:
        return fmean(self.scores)

    @property
    def deviation(self) -> float | None:
        """The standard deviation; None of a single score."""
        return stdev(self.scores) if len(self.scores) > 1 else None


@dataclass(slots=True, kw_only=True)
class Suite:
    """ready → running → succeeded or failed; a running one can be stopped, and started again where it was.

    Trials are compared by `metric` on rows that judge no trial in the end: on folds within the training part, or, where
    the split itself is in folds, on those. The test part is for the winner alone.
    """

    id: SuiteId
    project_id: ProjectId
    experiment_id: ExperimentId
    name: str
    specification: Specification
    """What every trial starts from."""
    plan: Plan
    metric: str
    parallel: int = 2
    """Most trials at the same time."""
    seconds: float | None = None
    """No trial starts after so long a time of running."""
    status: SuiteStatus = SuiteStatus.READY
    error: str | None = None
    importance: dict[str, float] = field(default_factory=dict)
    """How much of the scores' differences each thing that is varied explains; they add up to 1."""
    job_id: UUID | None = None
    created_by: UserId
    created_at: datetime
    started_at: datetime | None = None
    """The last time."""
    finished_at: datetime | None = None
    spent: float = 0.0
    """Seconds of running before the last start."""
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)
        if not 1 <= self.parallel <= MOST_PARALLEL:
            raise InvalidInputError.at("parallel", msg=f"between 1 and {MOST_PARALLEL}", code="range")
        if self.seconds is not None and not 1 <= self.seconds <= 2_592_000:
            raise InvalidInputError.at("seconds", msg="between 1 second and 30 days", code="range")

    @property
    def judged_by(self) -> str:
        """The part of a run's metrics that trials are compared by."""
        chooses = not isinstance(self.plan, CrossValidation) or bool(self.plan.candidates)
        return "validation" if chooses and self.specification.split.validation else "test"

    @property
    def limits(self) -> Limits:
        return self.plan.limits if isinstance(self.plan, Sweep) else Limits()

    def start(self, job_id: UUID, at: datetime) -> None:
        """For the first time, or again. Raises SuiteStateError when it runs or has come to its end."""
        if self.status not in (SuiteStatus.READY, SuiteStatus.STOPPED):
            raise SuiteStateError(f"suite “{self.name}” is {self.status}")
        self.status, self.error, self.job_id, self.started_at = SuiteStatus.RUNNING, None, job_id, at

    def stop(self, at: datetime, error: str | None = None) -> None:
        if self.status is SuiteStatus.RUNNING:
            self.spent = self.elapsed(at)
            self.status, self.error = SuiteStatus.STOPPED, error

    def finish(self, trials: Sequence[Trial], at: datetime) -> None:
        """No trial is left; a suite without a score has failed."""
        self.spent, self.finished_at = self.elapsed(at), at
        if any(self.score(trial) is not None for trial in trials):
            self.status = SuiteStatus.SUCCEEDED
        elif any(trial.status is RunStatus.SUCCEEDED for trial in trials):
            self.status = SuiteStatus.FAILED
            self.error = f"{self.measure.title} has no value in any trial: compare by another metric"
        else:
            self.status = SuiteStatus.FAILED
            reasons = [f"; the last said: {trial.error}" for trial in trials if trial.error]
            self.error = "no trial has succeeded" + "".join(reasons[-1:])

    def elapsed(self, at: datetime) -> float:
        """Seconds of running so far."""
        if self.status is not SuiteStatus.RUNNING or self.started_at is None:
            return self.spent
        return self.spent + (at - self.started_at).total_seconds()

    def room(self, trials: Sequence[Trial], at: datetime) -> int:
        """How many more trials may start now, as far as time, workers and hope go."""
        if self.status is not SuiteStatus.RUNNING:
            return 0
        if self.seconds is not None and self.elapsed(at) >= self.seconds:
            return 0
        ended = [trial for trial in trials if trial.has_ended]
        if len(ended) >= FIRST_TRIALS and all(trial.status is RunStatus.FAILED for trial in ended):
            return 0
        return max(self.parallel - (len(trials) - len(ended)), 0)

    def wanted(self, trials: Sequence[Trial], at: datetime) -> int:
        """How many trials should start now."""
        return min(self.room(trials, at), self.plan.most(self.specification) - len(trials))

    def upcoming(
        self, trials: Sequence[Trial], importance: Mapping[int, Mapping[str, float]] | None = None
    ) -> Variant | None:
        """What a plan that is no sweep tries next; None when nothing is left, or before other trials have ended.
        `importance` is that of the features, by the number of the trial."""
        if isinstance(self.plan, Sweep):
            return None
        known = importance or {}
        scored = [
            Scored(t.values, t.has_ended, self._distance(t), known.get(t.number, {}))
            for t in sorted(trials, key=lambda t: t.number)
        ]
        return next(iter(self.plan.upcoming(self.specification, scored)), None)

    def _distance(self, trial: Trial) -> float | None:
        score = self.score(trial)
        return None if score is None else self.measure.distance(score)

    def score(self, trial: Trial) -> float | None:
        """What the trial is compared by; None unless it has succeeded and has a value."""
        if trial.status is not RunStatus.SUCCEEDED:
            return None
        return trial.metrics.get(self.judged_by, {}).get(self.metric)

    def is_feasible(self, trial: Trial) -> bool:
        """Whether it keeps the limits."""
        return all(excess <= 0 for excess in self.limits.excesses(trial.seconds, trial.model_bytes))

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Of those that have succeeded and keep the limits; of equals the first. A study has none: it asks how good a
        way to train is, not which model."""
        best: Trial | None = None
        best_score = 0.0
        for trial in sorted(trials, key=lambda t: t.number):
            score = self.score(trial)
            if score is None or not self.is_feasible(trial) or not self._competes(trial):
                continue
            if best is None or self.measure.is_better(score, best_score):
                best, best_score = trial, score
        return best

    def _competes(self, trial: Trial) -> bool:
        match self.plan:
            case CrossValidation() | Nested():
                return False
            case Selection() as selection:
                return selection.competes(trial.values)
            case _:
                return True

    def estimate(self, trials: Sequence[Trial]) -> Estimate | None:
        """A study's: on the test parts, of the candidate that the validation of its repeat would have chosen."""
        if not isinstance(self.plan, CrossValidation | Nested):
            return None
        needed = self.plan.trials if isinstance(self.plan, Nested) else max(len(self.plan.candidates), 1)
        by_division: dict[Any, list[Trial]] = {}
        for trial in sorted(trials, key=lambda t: t.number):
            by_division.setdefault(place_of(trial.values), []).append(trial)
        choices = []
        for _, several in sorted(by_division.items(), key=lambda pair: pair[0]):
            whole = len(several) == needed and all(t.has_ended for t in several)
            found = [(distance, t) for t in several if (distance := self._distance(t)) is not None]
            if whole and found:
                chosen = min(found, key=lambda pair: (pair[0], pair[1].number))[1]
                score = chosen.metrics.get("test", {}).get(self.metric)
                chosen_by = self.score(chosen) if needed > 1 else None
                choices += [] if score is None else [Choice(chosen, chosen_by, score)]
        return Estimate(tuple(choices)) if choices else None

    def search(self, trials: Sequence[Trial]) -> "tuple[Suite, tuple[Trial, ...], dict[str, int]] | None":
        """Of a nested study, the search in the outer fold where the next trial belongs, as a suite of its own with its
        trials, and that place as values; None when all trials are there."""
        if not isinstance(self.plan, Nested):
            return None
        ordered = sorted(trials, key=lambda t: t.number)
        place = self.plan.next_place([(trial.values, trial.has_ended) for trial in ordered])
        if place is None:
            return None
        mine = [trial for trial in ordered if place_of(trial.values) == place]
        return (
            replace(self, plan=self.plan.search(*place), specification=self.plan.at(self.specification, *place)),
            tuple(
                replace(trial, number=number, values={k: v for k, v in trial.values.items() if k in self.plan.space})
                for number, trial in enumerate(mine)
            ),
            {"repeat": place[0], "fold": place[1]},
        )

    @property
    def measure(self) -> Metric:
        return METRICS[self.metric]


def metric_faults(metric: str, problem: Problem) -> tuple[Fault, ...]:
    """Why trials cannot be compared by this metric."""
    known = METRICS.get(metric)
    if known is None:
        return (Fault(("metric",), f"unknown metric “{metric}”", "unknown_metric"),)
    if problem.value not in known.problems:
        return (Fault(("metric",), f"{known.title} is not for a {problem} problem", "metric"),)
    return ()


MAIN_METRICS: Mapping[Problem, str] = {
    Problem.REGRESSION: "rmse",
    Problem.BINARY: "log_loss",
    Problem.MULTICLASS: "log_loss",
}
"""What trials are compared by unless something else is asked for."""
