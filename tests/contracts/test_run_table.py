"""The table of runs: what is searched, sorted, grouped and shown is what the runs say now."""

from dataclasses import replace
from typing import Any

import pytest

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.run_table import RunGroup, RunQuery, RunRow
from hydroml.domain.experiments.runs import Run, RunStatus
from hydroml.domain.experiments.specification import AlgorithmChoice, Specification
from tests.contracts import examples
from tests.contracts.examples import World


class Place(World):
    """With an experiment that has no run but those a test adds."""

    def __init__(self, uow: UnitOfWorkFactory) -> None:
        super().__init__(uow)
        self.uow = uow
        self.experiment = examples.experiment(self.version, self.project)
        with uow() as unit:
            unit.experiments.add(self.experiment)
            unit.commit()


@pytest.fixture
def world(uow: UnitOfWorkFactory) -> Place:
    return Place(uow)


def add(world: Place, minutes: int, *, rmse: float | None = None, depth: Any = None, **changes: Any) -> Run:
    outcome = examples.outcome()
    metrics = {} if rmse is None else {"rmse": rmse}
    parameters = {} if depth is None else {"leaf": depth}
    outcome = replace(outcome, metrics={"test": metrics}, baselines={}, parameters=parameters)
    values: dict[str, Any] = {"outcome": outcome, "tags": (), "notes": "", "created_at": examples.at(minutes)}
    run = examples.run(world.experiment, **(values | changes))
    with world.uow() as unit:
        unit.runs.add(run)
        unit.commit()
    return run


def specified(world: Place, name: str, algorithm: str) -> Specification:
    return replace(world.experiment.specification, name=name, algorithm=AlgorithmChoice(algorithm))


def find(world: Place, **asked: Any) -> tuple[list[Any], int]:
    query = RunQuery(project_id=world.project.id, experiment_id=world.experiment.id, **asked)
    with world.uow() as unit:
        found = unit.run_table.find(query)
    return [row.id for row in found.rows], found.total


def groups(world: Place, by: str, **asked: Any) -> list[RunGroup]:
    query = RunQuery(project_id=world.project.id, experiment_id=world.experiment.id, group_by=by, **asked)
    with world.uow() as unit:
        return list(unit.run_table.groups(query, 10))


def test_a_line_says_what_the_run_says(world: Place) -> None:
    run = add(world, 1, rmse=0.5, depth=7, tags=("wet", "dry"), notes="n" * 300)
    with world.uow() as unit:
        names = list(unit.run_table.names(world.project.id))
        (row,) = unit.run_table.find(
            RunQuery(project_id=world.project.id, experiment_id=run.experiment_id, columns=tuple(names))
        ).rows
    assert {"metrics.test.rmse", "parameters.leaf"} <= set(names)
    assert names == sorted(names)
    assert run.outcome is not None
    assert run.outcome.metrics == {"test": {"rmse": 0.5}}
    assert row == RunRow(
        id=run.id,
        experiment_id=run.experiment_id,
        suite_id=None,
        project_id=run.project_id,
        version_id=world.version.id,
        source_id=world.source.id,
        source=world.source.name,
        version=world.version.number,
        job_id=run.job_id,
        name=run.specification.name,
        status=run.status,
        error=run.error,
        problem="binary",
        split="chronological",
        target=run.specification.target,
        algorithm=run.specification.algorithm.name,
        seed=run.specification.seed,
        seconds=12.75,
        score=row.score,
        tags=("wet", "dry"),
        notes="n" * 200,
        created_by=run.created_by,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        values={"metrics.test.rmse": 0.5, "parameters.leaf": 7.0},
    )
    assert row.score is not None
    assert (row.score.metric, row.score.value, row.score.baseline) == ("rmse", 0.5, None)


def test_it_is_sorted_by_any_column_and_what_is_missing_comes_last(world: Place) -> None:
    low, high = add(world, 1, rmse=0.1, depth="deep"), add(world, 2, rmse=0.9, depth=3)
    none = add(world, 3, outcome=None, status=RunStatus.FAILED)
    assert find(world) == ([none.id, high.id, low.id], 3)
    assert find(world, sort="created_at")[0] == [low.id, high.id, none.id]
    assert find(world, sort="metrics.test.rmse")[0] == [low.id, high.id, none.id]
    assert find(world, sort="-metrics.test.rmse")[0] == [high.id, low.id, none.id]
    assert find(world, sort="-score")[0] == [high.id, low.id, none.id]
    assert find(world, sort="parameters.leaf")[0] == [high.id, low.id, none.id], "numbers before words"
    assert find(world, sort="-parameters.leaf")[0] == [high.id, low.id, none.id]
    assert find(world, sort="metrics.test.unheard_of")[0] == sorted([low.id, high.id, none.id])
    assert find(world, sort="metrics.test.rmse", limit=1, offset=1) == ([high.id], 3)
    for field in ("name", "status", "algorithm", "problem", "target", "split", "seed", "seconds", "source"):
        assert find(world, sort=f"-{field}")[1] == 3


def test_every_word_must_be_found_somewhere(world: Place) -> None:
    first = add(world, 1, specification=specified(world, "Meuse at 50 %", "random_forest"), tags=("Wet years",))
    second = add(world, 2, specification=specified(world, "Loire", "ridge"), notes="Too WET a spring")
    assert find(world, words="wet")[0] == [second.id, first.id]
    assert find(world, words="  RANDOM forest ")[0] == [first.id]
    assert find(world, words="spring wet")[0] == [second.id]
    assert find(world, words="50 %")[0] == [first.id]
    assert find(world, words="wet loire meuse")[0] == []
    assert find(world, words=world.source.name)[1] == 2
    assert find(world, statuses=(RunStatus.FAILED, RunStatus.QUEUED))[0] == []


def test_groups_count_and_measure(world: Place) -> None:
    add(world, 1, rmse=1, specification=specified(world, "a", "ridge"), tags=("x",), depth=2)
    wanted = add(world, 2, rmse=3, specification=specified(world, "bx", "ridge"), tags=("x", "y"))
    other = add(world, 3, specification=specified(world, "c", "random_forest"))
    assert groups(world, "algorithm", sort="-metrics.test.rmse") == [
        RunGroup("ridge", "ridge", 2, 1, 2, 3),
        RunGroup("random_forest", "random_forest", 1),
    ]
    assert groups(world, "tag", words="bx") == [RunGroup("x", "x", 1), RunGroup("y", "y", 1)]
    assert groups(world, "tag") == [RunGroup("x", "x", 2), RunGroup("", "", 1), RunGroup("y", "y", 1)]
    assert groups(world, "parameters.leaf") == [RunGroup("", "", 2), RunGroup("2", "2", 1)]
    assert find(world, group_by="tag", group="y")[0] == [wanted.id]
    assert find(world, group_by="tag", group="") == ([other.id], 1)
    assert find(world, group_by="parameters.leaf", group="2")[1] == 1
    for by, title in (
        ("source", world.source.name),
        ("version", f"{world.source.name}, version {world.version.number}"),
        ("experiment", world.experiment.name),
    ):
        (group,) = groups(world, by)
        assert (group.title, group.runs) == (title, 3)
        assert find(world, group_by=by, group=group.key)[1] == 3


def test_trials_are_found_by_their_suite(world: Place) -> None:
    trial, alone = world.run, add(world, 1)
    with world.uow() as unit:
        found = unit.run_table.find(RunQuery(project_id=world.project.id, suite_id=world.suite.id))
        groups = unit.run_table.groups(RunQuery(project_id=world.project.id, group_by="suite"), 10)
        query = RunQuery(project_id=world.project.id, group_by="suite", group="")
        assert [row.id for row in unit.run_table.find(query).rows] == [alone.id]
    assert [(row.id, row.suite_id) for row in found.rows] == [(trial.id, world.suite.id)]
    assert {(group.key, group.title, group.runs) for group in groups} == {
        ("", "", 1),
        (str(world.suite.id), world.suite.name, 1),
    }


def test_what_changes_in_a_run_changes_in_the_table(world: Place, uow: UnitOfWorkFactory) -> None:
    run = add(world, 1, outcome=None, status=RunStatus.RUNNING)
    assert find(world, words="heron") == ([], 0)
    with uow() as unit:
        unit.runs.add(add_nothing := examples.run(world.experiment))
        assert add_nothing.id  # not committed: no trace
    with uow() as unit:
        loaded = unit.runs.get_for_update(run.id)
        loaded.annotate(["heron"], "seen")
        loaded.succeed(examples.outcome(), {}, "blob", "rows", examples.at(9))
        unit.runs.save(loaded)
        unit.commit()
    with uow() as unit:
        found = unit.run_table.find(
            RunQuery(project_id=world.project.id, words="heron seen", columns=("metrics.test.r2",))
        )
        unit.experiments.delete(world.experiment.id)
        unit.commit()
    assert [row.values for row in found.rows] == [{"metrics.test.r2": -1e300}]
    assert find(world) == ([], 0)
