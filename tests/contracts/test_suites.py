"""What every searcher promises, and every repository of suites beyond the laws of all aggregates."""

from collections.abc import Callable
from dataclasses import replace
from math import log10
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from hydroml.adapters.memory.suites import RandomSearcher
from hydroml.adapters.searching import OptunaSearcher
from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.application.ports.searching import Searcher
from hydroml.domain.errors import ConflictError, UnavailableError
from hydroml.domain.experiments.plans import Comparison, Limits, Sampler, Space, Sweep
from hydroml.domain.experiments.runs import RunId, RunStatus, SuiteId
from hydroml.domain.experiments.specification import AlgorithmChoice, Specification
from hydroml.domain.experiments.suites import Suite, SuiteNotFoundError, Trial
from tests.contracts import examples
from tests.contracts.examples import World

SPACE = {
    "learning_rate": Space(0.01, 0.5, log=True),
    "max_leaf_nodes": Space(8, 64),
    "early_stopping": Space(choices=("off", "on")),
}


@pytest.fixture(params=["memory", pytest.param("optuna", marks=pytest.mark.services)])
def searcher(request: pytest.FixtureRequest) -> Callable[[], Searcher]:
    """Gives searchers that know the same, as those of several processes."""
    if request.param == "memory":
        only = RandomSearcher()
        return lambda: only
    engine: Engine = request.getfixturevalue("migrated_engine")
    url = engine.url.render_as_string(hide_password=False)
    return lambda: OptunaSearcher(url)


def suite(sampler: Sampler = Sampler.RANDOM, **changes: Any) -> Suite:
    specification = Specification(
        name="floods", version_id=examples.VersionId(uuid4()), target="flow", algorithm=AlgorithmChoice()
    )
    plan = Sweep(sampler=sampler, space=changes.pop("space", SPACE), **changes)
    bare = examples.suite(examples.experiment(examples.version(examples.source()), examples.project()))
    return replace(bare, id=SuiteId(uuid4()), specification=specification, plan=plan, metric="rmse")


def trial(number: int, values: Any, score: float | None = None, status: RunStatus = RunStatus.SUCCEEDED) -> Trial:
    """With a score when it has succeeded."""
    metrics = {} if score is None else {"test": {"rmse": score}}
    return Trial(run_id=RunId(uuid4()), number=number, values=values, status=status, metrics=metrics, seconds=2.0)


def searched(made: Callable[[], Searcher], of: Suite, count: int, *, fresh: bool = True) -> list[Trial]:
    """So many trials one after the other, each asked for by another process; less is better near 0.1."""
    trials: list[Trial] = []
    searcher = made()
    for _ in range(count):
        found = (made() if fresh else searcher).propose(of, trials)
        if found is None:
            break
        score = abs(float(found.values.get("learning_rate") or 0.0) - 0.1)  # type: ignore[arg-type]
        trials.append(trial(found.number, dict(found.values), score))
    return trials


@pytest.mark.parametrize("sampler", Sampler)
def test_proposals_lie_within_the_space(searcher: Callable[[], Searcher], sampler: Sampler) -> None:
    trials = searched(searcher, suite(sampler), 14, fresh=False)
    assert [t.number for t in trials] == list(range(14))
    for one in trials:
        assert 0.01 <= one.values["learning_rate"] <= 0.5
        assert type(one.values["max_leaf_nodes"]) is int
        assert 8 <= one.values["max_leaf_nodes"] <= 64
        assert one.values["early_stopping"] in ("off", "on")


@pytest.mark.parametrize("sampler", Sampler)
def test_one_seed_gives_the_same_trials_whatever_process_asks(
    searcher: Callable[[], Searcher], sampler: Sampler
) -> None:
    first = searched(searcher, suite(sampler, seed=7), 12, fresh=False)
    second = searched(searcher, suite(sampler, seed=7), 12)
    assert [t.values for t in first] == [t.values for t in second]
    if sampler is not Sampler.GRID:
        assert [t.values for t in searched(searcher, suite(sampler, seed=8), 3)] != [t.values for t in first[:3]]


@pytest.mark.parametrize("sampler", [Sampler.TPE, Sampler.RANDOM])
def test_suggestions_need_nothing_but_the_trials(searcher: Callable[[], Searcher], sampler: Sampler) -> None:
    def suggested(of: Suite) -> list[Trial]:
        trials: list[Trial] = []
        for number in range(14):
            values = searcher().suggest(of, trials)
            assert values.keys() == SPACE.keys()
            trials.append(trial(number, dict(values), abs(float(str(values["learning_rate"])) - 0.1)))
        return trials

    of = suite(sampler, seed=7)
    first, again = suggested(of), suggested(suite(sampler, seed=7))
    assert [t.values for t in first] == [t.values for t in again]
    assert all(0.01 <= t.values["learning_rate"] <= 0.5 and 8 <= t.values["max_leaf_nodes"] <= 64 for t in first)
    failed = [replace(t, status=RunStatus.FAILED, metrics={}) for t in first]
    assert searcher().suggest(suite(sampler), failed).keys() == SPACE.keys()
    assert of.id not in searcher().known()


def test_tpe_begins_with_the_values_of_the_experiment(searcher: Callable[[], Searcher]) -> None:
    """Those that lie within the space; the others are chosen."""
    space = {
        "learning_rate": Space(0.2, 0.5),
        "max_leaf_nodes": Space(8, 64),
        "early_stopping": Space(choices=("off",)),
    }
    of = suite(Sampler.TPE, space=space)
    chosen = AlgorithmChoice("hist_gradient_boosting", {"learning_rate": 0.3, "max_leaf_nodes": 65})
    found = searcher().propose(replace(of, specification=replace(of.specification, algorithm=chosen)), [])
    assert found is not None
    assert found.values["learning_rate"] == 0.3
    assert 8 <= int(str(found.values["max_leaf_nodes"])) <= 64
    assert found.values["early_stopping"] == "off"


def test_a_grid_tries_every_point_once_and_ends(searcher: Callable[[], Searcher]) -> None:
    space = {"learning_rate": Space(0.01, 0.1, log=True, steps=2), "early_stopping": Space(choices=("off", "on"))}
    of = suite(Sampler.GRID, space=space)
    trials: list[Trial] = []
    while (found := searcher().propose(of, trials)) is not None:  # all of them at the same time
        trials.append(trial(found.number, dict(found.values), status=RunStatus.RUNNING))
    points = {(t.values["learning_rate"], t.values["early_stopping"]) for t in trials}
    assert points == {(0.01, "off"), (0.01, "on"), (0.1, "off"), (0.1, "on")}
    assert len(trials) == 4


def test_what_was_asked_and_lost_is_proposed_again(searcher: Callable[[], Searcher]) -> None:
    of = suite()
    lost = searcher().propose(of, [])
    assert lost is not None
    assert searcher().propose(of, []) == lost
    following = searcher().propose(of, [trial(lost.number, dict(lost.values), status=RunStatus.RUNNING)])
    assert following is not None
    assert following.number == lost.number + 1


@pytest.mark.parametrize("searcher", [pytest.param("optuna", marks=pytest.mark.services)], indirect=True)
def test_tpe_looks_where_scores_were_good(searcher: Callable[[], Searcher]) -> None:
    """Failed trials and limits are not in its way. The twin tries by chance."""
    wide = {"l2_regularization": Space(1e-4, 1e3, log=True), "max_leaf_nodes": Space(8, 64)}
    of, trials = suite(Sampler.TPE, trials=50, limits=Limits(seconds=10), space=wide), []
    asked = searcher()
    for number in range(50):
        found = asked.propose(of, trials)
        assert found is not None
        score = abs(log10(float(str(found.values["l2_regularization"]))) - 1)
        status = RunStatus.FAILED if number % 10 == 3 else RunStatus.SUCCEEDED
        trials.append(trial(number, dict(found.values), None if status is RunStatus.FAILED else score, status))
    off = [abs(log10(t.values["l2_regularization"]) - 1) for t in trials]
    assert median(off[30:]) < median(off[:10]) / 2
    importance = asked.importance(of, trials)
    assert sum(importance.values()) == pytest.approx(1, abs=1e-4)
    assert max(importance, key=lambda name: importance[name]) == "l2_regularization"


def test_a_trial_behind_most_others_is_given_up(searcher: Callable[[], Searcher]) -> None:
    of, trials = suite(), []
    asked = searcher()
    for number in range(6):
        found = asked.propose(of, trials)
        assert found is not None
        for fold in (1, 2):
            assert not asked.gives_up(of, number, fold, 1.0)
        trials.append(trial(number, dict(found.values), 1.0))
    found = asked.propose(of, trials)
    assert found is not None
    assert asked.gives_up(of, found.number, 1, 5.0)
    assert asked.gives_up(of, found.number, 1, 5.0)  # its worker died, and it begins anew
    patient = suite(prune=False)
    asked.propose(patient, [])
    assert not asked.gives_up(patient, 0, 1, 5.0)


def test_importance_waits_for_trials(searcher: Callable[[], Searcher]) -> None:
    of = suite()
    assert searcher().importance(of, searched(searcher, of, 3)) == {}


def test_what_is_forgotten_begins_anew(searcher: Callable[[], Searcher]) -> None:
    of = suite()
    searched(searcher, of, 3)
    assert of.id in searcher().known()
    searcher().forget(of.id)
    searcher().forget(of.id)
    assert of.id not in searcher().known()
    again = searcher().propose(of, [])
    assert again is not None
    assert again.number == 0


@pytest.mark.services
def test_a_database_that_is_away_is_said_so() -> None:
    away = OptunaSearcher("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(UnavailableError):
        away.propose(suite(), [])


def test_trials_come_by_number_as_their_runs_are(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    queued = examples.run(
        world.experiment,
        variation=examples.Variation(world.suite.id, 0, {"max_depth": 2}),
        status=RunStatus.QUEUED,
        outcome=None,
        error=None,
    )
    with uow() as unit:
        unit.runs.add(queued)
        unit.commit()
    with uow() as unit:
        trials = unit.runs.trials(world.suite.id)
        assert list(trials) == [Trial.of(queued), Trial.of(world.run)]
        assert unit.runs.trials(SuiteId(uuid4())) == []


def test_a_trial_is_there_once(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(ConflictError):
        unit.runs.add(examples.run(world.experiment, variation=world.run.variation))


def test_suites_are_listed_and_go_with_their_runs(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    free = examples.suite(world.experiment, name="b", plan=Comparison(algorithms=(AlgorithmChoice("linear", {}),)))
    run = examples.run(world.experiment, variation=examples.Variation(free.id, 0, {}))
    with uow() as unit:
        unit.suites.add(free)
        unit.runs.add(run)
        unit.commit()
    with uow() as unit:
        assert unit.suites.get(free.id) == free
        found = unit.suites.of_project(world.project.id, Listing(sort="-name"))
        assert {s.id for s in found.items} == {free.id, world.suite.id}
        with pytest.raises(ConflictError):
            unit.suites.delete(world.suite.id)  # a model is made from its run
    with uow() as unit:
        unit.suites.delete(free.id)
        unit.commit()
    with uow() as unit:
        with pytest.raises(SuiteNotFoundError):
            unit.suites.get(free.id)
        with pytest.raises(SuiteNotFoundError):
            unit.suites.delete(free.id)
        assert unit.runs.trials(free.id) == []


def test_a_suite_needs_its_experiment(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(ConflictError):
        unit.suites.add(examples.suite(world.experiment, experiment_id=uuid4()))
