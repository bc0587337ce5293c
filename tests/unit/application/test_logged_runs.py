"""Runs of others, read into the table of runs: once, again after a change, and later when MLflow is away."""

from dataclasses import replace
from uuid import uuid4

import pytest

from hydroml.adapters.memory import InMemoryStore, InMemoryUnitOfWork
from hydroml.adapters.memory.tracking import InMemoryTracker
from hydroml.application.logged_runs import LoggedRunService
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import RunNotFoundError
from hydroml.domain.projects import Project, UserId
from tests.contracts import examples


class Bench:
    def __init__(self) -> None:
        store = InMemoryStore()
        self.uow = lambda: InMemoryUnitOfWork(store)
        self.tracker = InMemoryTracker()
        self.service = LoggedRunService(uow=self.uow, tracker=self.tracker)
        self.me = UserId(uuid4())
        self.project = examples.project(self.me)
        with self.uow() as uow:
            uow.projects.add(self.project)
            uow.commit()

    def log(self, run: LoggedRun) -> None:
        """As if it came through HydroML."""
        self.tracker.others[run.mlflow_run_id] = run
        self.change(run)

    def change(self, run: LoggedRun) -> None:
        with self.uow() as uow:
            uow.logged_runs.changed(run.project_id, run.mlflow_run_id)
            uow.commit()

    def stored(self, within: Project | None = None) -> set[str]:
        with self.uow() as uow:
            ids = list(uow.logged_runs.ids((within or self.project).id))
            return {run.mlflow_run_id for run in uow.logged_runs.get_many(ids).values()}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_was_written_is_read_once(bench: Bench) -> None:
    run = examples.logged_run(bench.project, parent=None)
    bench.log(run)
    assert bench.service.gather() == 1
    assert bench.service.gather() == 0
    assert bench.service.get(bench.me, run.id).run == run
    with pytest.raises(RunNotFoundError):
        bench.service.get(UserId(uuid4()), run.id)


def test_what_was_deleted_goes(bench: Bench) -> None:
    run = examples.logged_run(bench.project)
    bench.log(run)
    bench.service.gather()
    del bench.tracker.others[run.mlflow_run_id]
    bench.change(run)
    assert bench.service.gather() == 1
    assert bench.stored() == set()


def test_it_waits_while_mlflow_is_away(bench: Bench) -> None:
    run = examples.logged_run(bench.project)
    bench.log(run)
    bench.tracker.away = True
    assert bench.service.gather() == 0
    with pytest.raises(UnavailableError):
        bench.service.look_through()
    bench.tracker.away = False
    assert bench.service.gather() == 1
    assert bench.stored() == {run.mlflow_run_id}


def test_no_more_than_so_many_at_once(bench: Bench) -> None:
    for _ in range(5):
        bench.log(examples.logged_run(bench.project))
    assert [bench.service.gather(2) for _ in range(4)] == [2, 2, 1, 0]
    assert len(bench.stored()) == 5


def test_looking_through_finds_what_came_past_us_and_what_went(bench: Bench) -> None:
    first, second = examples.logged_run(bench.project), examples.logged_run(bench.project)
    for run in (first, second):
        bench.tracker.others[run.mlflow_run_id] = run
    assert bench.service.look_through() == 2
    assert bench.service.look_through() == 0
    bench.tracker.others[first.mlflow_run_id] = replace(first, metrics={"loss": 1.0})
    del bench.tracker.others[second.mlflow_run_id]
    assert bench.service.look_through() == 1
    assert bench.stored() == {first.mlflow_run_id, second.mlflow_run_id}
    assert bench.service.look_through(bench.project.id) == 1
    assert bench.stored() == {first.mlflow_run_id}


def test_the_run_above_is_told_where_it_is_of_the_same_project(bench: Bench) -> None:
    outer = examples.logged_run(bench.project, parent=None)
    inner = examples.logged_run(bench.project, parent=outer.mlflow_run_id)
    for run in (outer, inner):
        bench.log(run)
    bench.service.gather()
    assert bench.service.get(bench.me, inner.id).parent == outer
    assert bench.service.get(bench.me, outer.id).parent is None
