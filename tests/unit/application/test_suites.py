"""Suites through the services: what is tried, what is best, and how they stop and go on."""

from dataclasses import replace
from typing import Any

import pytest

from hydroml.application.documents import read_plan, read_specification
from hydroml.application.suites import NewSuite, SuiteDetail
from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.experiments.runs import RunStatus, SuiteId
from hydroml.domain.experiments.suites import SuiteNotFoundError, SuiteStateError, SuiteStatus
from hydroml.domain.jobs import JobId, JobState
from hydroml.domain.projects import ProjectId, UserId
from tests.harness import LEASE, Harness

SPACE = {"alpha": {"low": 0.001, "high": 100.0, "log": True}}


@pytest.fixture
def bench(app: Harness, me: UserId, project: ProjectId) -> "Bench":
    return Bench(app, me, project)


class Bench:
    """An experiment with ridge regression on a table of sixty rows."""

    def __init__(self, app: Harness, me: UserId, project: ProjectId) -> None:
        self.app, self.me, self.project = app, me, project
        document = {
            "name": "Flow",
            "version_id": str(app.imported(me, project).id),
            "target": "flow",
            "algorithm": {"name": "ridge"},
        }
        self.experiment = app.experiments.create(me, project, read_specification(document)).experiment

    def suite(self, **changes: Any) -> SuiteId:
        plan = {"kind": "sweep", "sampler": "random", "space": SPACE, "trials": 6, "prune": False}
        plan = changes.pop("plan", plan) | {k: changes.pop(k) for k in list(changes) if k in plan or k == "limits"}
        wanted = NewSuite(of=self.experiment.id, plan=read_plan(plan), metric="mae", **changes)
        return self.app.suites.create(self.me, self.project, wanted).suite.id

    def started(self, **changes: Any) -> SuiteId:
        suite_id = self.suite(**changes)
        self.app.suites.start(self.me, suite_id)
        return suite_id

    def of(self, suite_id: SuiteId) -> SuiteDetail:
        return self.app.suites.get(self.me, suite_id)


def test_a_sweep_tries_what_was_asked_and_finds_the_best(bench: Bench) -> None:
    detail = bench.of(bench.started())
    bench.app.work()
    detail = bench.of(detail.suite.id)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    assert [trial.number for trial in detail.trials] == list(range(6))
    assert len({trial.values["alpha"] for trial in detail.trials}) == 6
    scores = [trial.metrics["validation"]["mae"] for trial in detail.trials]
    assert detail.best is not None
    assert detail.best.metrics["validation"]["mae"] == min(scores)
    run = bench.app.runs.get(bench.me, detail.best.run_id).run
    base = detail.suite.specification
    assert run.specification == replace(
        base, name=run.specification.name, algorithm=replace(base.algorithm, hyperparameters=dict(detail.best.values))
    )
    assert base.split.validation
    assert bench.app.tracker.suites[run.mlflow_run_id or ""] == detail.suite.id
    job = bench.app.job(JobId(detail.suite.job_id or run.id))
    assert (job.state, job.progress, job.result["best_run_id"]) == (JobState.SUCCEEDED, 1.0, str(run.id))


def test_the_best_is_by_folds_whatever_the_test_part_says(bench: Bench) -> None:
    suite_id = bench.started()
    bench.app.work()
    detail = bench.of(suite_id)
    by_test = sorted(detail.trials, key=lambda t: t.metrics["test"]["mae"])
    swapped = [
        replace(t, metrics=dict(t.metrics) | {"test": {"mae": float(rank)}}) for rank, t in enumerate(reversed(by_test))
    ]
    best = detail.suite.best(swapped)
    assert best is not None
    assert detail.best is not None
    assert best.number == detail.best.number


def test_no_more_trials_run_at_once_than_were_asked_for(bench: Bench) -> None:
    suite_id = bench.started(parallel=3)
    bench.app.work(1)
    assert len(bench.of(suite_id).trials) == 3
    bench.app.work(1)
    statuses = [trial.status for trial in bench.of(suite_id).trials]
    assert statuses.count(RunStatus.QUEUED) == 3
    assert statuses.count(RunStatus.SUCCEEDED) == 1


def test_a_failed_trial_is_failed_and_never_the_best(bench: Bench) -> None:
    suite_id = bench.started(parallel=1)
    bench.app.work(2)
    first = bench.of(suite_id).trials[0]
    with bench.app.uow() as uow:
        run = uow.runs.get(first.run_id)
        run.status, run.error = RunStatus.FAILED, "the disk is full"
        uow.runs.save(run)
        uow.commit()
    bench.app.work()
    detail = bench.of(suite_id)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    assert detail.trials[0].status is RunStatus.FAILED
    assert detail.best is not None
    assert detail.best.number != 0


def test_stopped_and_started_it_makes_the_same_trials(bench: Bench) -> None:
    straight, stopped = bench.started(parallel=1), None
    bench.app.work()
    stopped = bench.started(parallel=1)
    bench.app.work(3)
    bench.app.jobs.cancel(bench.me, bench.app.suites.running_job(bench.me, stopped))
    bench.app.work()
    detail = bench.of(stopped)
    assert detail.suite.status is SuiteStatus.STOPPED
    assert len(detail.trials) == 3
    assert detail.trials[-1].status is RunStatus.CANCELLED
    with pytest.raises(SuiteStateError):
        bench.app.suites.running_job(bench.me, stopped)
    bench.app.suites.start(bench.me, stopped)
    bench.app.work()
    detail = bench.of(stopped)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    assert [t.values for t in detail.trials] == [t.values for t in bench.of(straight).trials]
    assert all(t.status is RunStatus.SUCCEEDED for t in detail.trials)


def test_a_dead_worker_costs_no_trial(bench: Bench) -> None:
    suite_id = bench.started(parallel=1)
    bench.app.work(1)
    [trial] = bench.of(suite_id).trials
    bench.app.queue.sent.clear()
    with bench.app.uow() as uow:  # a worker took the trial, and died
        job = uow.jobs.get_for_update(JobId(trial.job_id or suite_id))
        job.take("dead", bench.app.clock(), LEASE)
        uow.jobs.save(job)
        uow.commit()
    bench.app.clock.advance(LEASE * 2)
    bench.app.runner.sweep()
    bench.app.work()
    detail = bench.of(suite_id)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    assert [t.number for t in detail.trials] == list(range(6))


def test_a_suite_that_stands_still_is_woken(bench: Bench) -> None:
    suite_id = bench.started(parallel=1)
    bench.app.work(1)
    [trial] = bench.of(suite_id).trials
    bench.app.queue.sent.clear()
    with bench.app.uow() as uow:  # a worker had told of the trial's end, and died before the next one
        run = uow.runs.get(trial.run_id)
        run.fail("the disk is full", bench.app.clock())
        uow.runs.save(run)
        uow.commit()
    assert bench.app.suite_jobs.nudge() == 1
    bench.app.work()
    assert bench.of(suite_id).suite.status is SuiteStatus.SUCCEEDED
    assert bench.app.suite_jobs.nudge() == 0


def test_a_suite_without_a_good_trial_fails(bench: Bench) -> None:
    suite_id = bench.started(trials=50)
    bench.app.blobs.held.clear()
    bench.app.work()
    detail = bench.of(suite_id)
    assert detail.suite.status is SuiteStatus.FAILED
    assert "no trial has succeeded" in (detail.suite.error or "")
    assert len(detail.trials) < 10
    assert bench.app.job(JobId(detail.suite.job_id or suite_id)).state is JobState.FAILED


def test_trials_beyond_the_limits_are_not_the_best(bench: Bench) -> None:
    suite_id = bench.started(limits={"seconds": 0.5})
    bench.app.work()
    detail = bench.of(suite_id)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    assert detail.best is None


def test_time_ends_a_suite(bench: Bench) -> None:
    suite_id = bench.started(seconds=60.0, parallel=1)
    bench.app.work(2)
    bench.app.clock.advance(LEASE * 10)
    bench.app.work()
    detail = bench.of(suite_id)
    assert (detail.suite.status, len(detail.trials)) == (SuiteStatus.SUCCEEDED, 2)


def test_pruned_trials_have_no_model_and_are_not_the_best(bench: Bench) -> None:
    suite_id = bench.started(trials=40, parallel=1, prune=True)
    bench.app.work()
    detail = bench.of(suite_id)
    pruned = [trial for trial in detail.trials if trial.status is RunStatus.PRUNED]
    assert 0 < len(pruned) < 36
    assert detail.best is not None
    assert detail.best.status is RunStatus.SUCCEEDED
    assert detail.suite.importance == {"alpha": 1.0}


def test_a_comparison_tries_each_algorithm_once(bench: Bench) -> None:
    suite_id = bench.started(plan={"kind": "comparison"})
    bench.app.work()
    detail = bench.of(suite_id)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    names = [trial.values["algorithm"] for trial in detail.trials]
    assert len(names) == len(set(names)) > 2


def test_ablation_and_selection_train_on_other_features(bench: Bench) -> None:
    ablated = bench.started(plan={"kind": "ablation", "groups": {"weather": ["rain"]}})
    selected = bench.started(plan={"kind": "selection", "method": "importance"})
    bench.app.work()
    of_group = {t.values["features"]: t for t in bench.of(ablated).trials}
    assert set(of_group) == {"all", "without weather", "only weather"}
    run = bench.app.runs.get(bench.me, of_group["only weather"].run_id).run
    assert run.specification.features == ("rain",)
    detail = bench.of(selected)
    assert detail.suite.status is SuiteStatus.SUCCEEDED
    runs = [bench.app.runs.get(bench.me, t.run_id).run for t in detail.trials]
    assert [run.specification.features for run in runs] == [("day", "rain"), ("day",)]
    assert "importance_within" in runs[0].artifacts


def test_a_study_tells_the_spread_and_chooses_nothing(bench: Bench) -> None:
    plain = bench.started(plan={"kind": "cross_validation", "repeats": 3})
    candidates = [{"name": "ridge", "hyperparameters": {"alpha": alpha}} for alpha in (0.1, 1000.0)]
    nested = bench.started(plan={"kind": "cross_validation", "repeats": 3, "candidates": candidates})
    bench.app.work()
    for suite_id, per_repeat in ((plain, 1), (nested, 2)):
        detail = bench.of(suite_id)
        assert detail.suite.status is SuiteStatus.SUCCEEDED
        assert (len(detail.trials), detail.best) == (3 * per_repeat, None)
        estimate = detail.suite.estimate(detail.trials)
        assert estimate is not None
        chosen = [t for t in detail.trials if per_repeat == 1 or t.values["alpha"] == 0.1]
        assert estimate.scores == tuple(t.metrics["test"]["mae"] for t in chosen)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"space": {"depth": {"low": 1, "high": 2}}}, ("plan", "space", "depth")),
        ({"space": {"alpha": {"low": 5, "high": 1}}}, ("plan", "space", "alpha", "high")),
        ({"space": {"alpha": {"low": 0, "high": 1, "log": True}}}, ("plan", "space", "alpha", "low")),
        ({"space": {"max_iter": {"low": 10.5, "high": 20}}}, ("plan", "space", "max_iter", "low")),
        ({"space": {"alpha": {"choices": ["high"]}}}, ("plan", "space", "alpha", "choices", 0)),
        ({"plan": {"kind": "comparison", "algorithms": [{"name": "magic"}]}}, ("plan", "algorithms", 0, "name")),
    ],
)
def test_what_is_wrong_is_said_by_its_place(bench: Bench, changes: dict[str, Any], place: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        bench.suite(**changes)
    assert place in [fault.loc for fault in refusal.value.faults]


def test_it_goes_only_while_it_does_not_run(bench: Bench) -> None:
    suite_id = bench.started()
    with pytest.raises(ConflictError):
        bench.app.suites.delete(bench.me, suite_id)
    bench.app.work()
    bench.app.suites.delete(bench.me, suite_id)
    with pytest.raises(SuiteNotFoundError):
        bench.of(suite_id)


def test_what_was_searched_goes_with_the_project(bench: Bench) -> None:
    suite_id = bench.started()
    bench.app.work()
    assert bench.app.suite_jobs.forget_gone() == 0
    with bench.app.uow() as uow:
        uow.suites.delete(suite_id)
        uow.commit()
    assert bench.app.suite_jobs.forget_gone() == 1
    assert bench.app.searcher.known() == []


def test_a_stranger_finds_no_suite(bench: Bench) -> None:
    suite_id, stranger = bench.suite(), bench.app.user()
    for ask in (bench.app.suites.get, bench.app.suites.start, bench.app.suites.delete, bench.app.suites.running_job):
        with pytest.raises(SuiteNotFoundError):
            ask(stranger, suite_id)


NESTED = {"kind": "nested", "folds": 3, "repeats": 2, "trials": 4, "sampler": "random", "space": SPACE, "seed": 5}


def test_each_outer_fold_is_judged_by_what_its_own_search_chose(bench: Bench) -> None:
    suite_id = bench.started(plan=NESTED, parallel=1)
    bench.app.work()
    detail = bench.of(suite_id)
    assert (detail.suite.status, len(detail.trials), detail.best) == (SuiteStatus.SUCCEEDED, 24, None)
    estimate = detail.suite.estimate(detail.trials)
    assert estimate is not None
    places = [(choice.trial.values["repeat"], choice.trial.values["fold"]) for choice in estimate.choices]
    assert places == [(repeat, fold) for repeat in (1, 2) for fold in (1, 2, 3)]
    for choice, place in zip(estimate.choices, places, strict=True):
        rivals = [t for t in detail.trials if (t.values["repeat"], t.values["fold"]) == place]
        assert choice.chosen_by == min(t.metrics["validation"]["mae"] for t in rivals)
        assert choice.score == choice.trial.metrics["test"]["mae"]
        assert len({t.values["alpha"] for t in rivals}) == 4
        run = bench.app.runs.get(bench.me, choice.trial.run_id).run.specification
        assert (run.split.fold, run.split.folds, run.split.validation) == (place[1], 3, 3)
        assert run.seed == place[0] - 1
    assert estimate.optimistic == pytest.approx(sum(c.chosen_by or 0 for c in estimate.choices) / 6)


def test_a_nested_study_goes_on_as_it_would_have(bench: Bench) -> None:
    whole = bench.started(plan=NESTED, parallel=1)
    bench.app.work()
    wanted = [trial.values for trial in bench.of(whole).trials]
    broken = bench.started(plan=NESTED, parallel=1)
    bench.app.work(most=5)
    bench.app.jobs.cancel(bench.me, bench.app.suites.running_job(bench.me, broken))
    bench.app.work()
    assert bench.of(broken).suite.status is SuiteStatus.STOPPED
    bench.app.suites.start(bench.me, broken)
    bench.app.work()
    assert [trial.values for trial in bench.of(broken).trials] == wanted


@pytest.mark.parametrize(
    ("changes", "place"),
    [({"folds": 1}, "folds"), ({"trials": 1}, "trials"), ({"repeats": 20, "folds": 20}, "trials"),
     ({"sampler": "grid"}, "sampler"), ({"space": {"beta": {"low": 0.0, "high": 1.0}}}, "space")],
)  # fmt: skip
def test_a_nested_study_that_cannot_be_says_where(bench: Bench, changes: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        bench.suite(plan=NESTED | changes)
    assert place in refused.value.faults[0].loc
