"""Runs that others logged with MLflow: what is put is read again, and stands in the table beside ours."""

from dataclasses import replace
from math import isnan, nan
from typing import Any

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.application.ports.run_table import RunQuery
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import RunNotFoundError, RunStatus
from hydroml.domain.projects import ProjectId
from tests.contracts import examples
from tests.contracts.examples import World


@pytest.fixture
def world(uow: UnitOfWorkFactory) -> World:
    return World(uow)


def put(uow: UnitOfWorkFactory, *runs: LoggedRun) -> None:
    with uow() as unit:
        for run in runs:
            unit.logged_runs.put(run)
        unit.commit()


def table(uow: UnitOfWorkFactory, world: World, **asked: Any) -> list[Any]:
    with uow() as unit:
        return list(unit.run_table.find(RunQuery(project_id=world.project.id, **asked)).rows)


def test_what_is_put_is_read_again_and_put_once_more_replaces_it(uow: UnitOfWorkFactory, world: World) -> None:
    run = examples.logged_run(world.project)
    put(uow, run)
    later = replace(run, status=RunStatus.FAILED, metrics={"loss": 2.0}, name="Later")
    put(uow, later)
    with uow() as unit:
        assert unit.logged_runs.get(run.id) == later
        assert unit.logged_runs.get_many([run.id, world.run.id]) == {run.id: later}
        assert unit.logged_runs.ids(world.project.id) == {run.id}
        assert "metrics.test.rmse" in unit.run_table.names(world.project.id), "of our own run"
    (row,) = [row for row in table(uow, world, columns=("metrics.logged.loss", "metrics.test.nse")) if row.logged]
    assert row.values == {"metrics.logged.loss": 2.0}


def test_it_stands_in_the_table_and_is_no_run_of_ours(uow: UnitOfWorkFactory, world: World) -> None:
    run = examples.logged_run(world.project, metrics={"test_rmse": 0.25, "loss": nan}, params={"depth": "3"})
    put(uow, run)
    columns = ("metrics.test.rmse", "metrics.logged.loss", "parameters.depth")
    rows = {row.id: row for row in table(uow, world, columns=columns)}
    row = rows[run.id]
    assert (row.logged, rows[world.run.id].logged) == (True, False)
    assert (row.experiment_id, row.version_id, row.source_id, row.version, row.seed) == (None,) * 5
    assert (row.name, row.source, row.status, row.created_by) == (run.name, run.source, run.status, run.logged_by)
    assert row.values == {"metrics.test.rmse": 0.25, "parameters.depth": 3.0}
    assert row.score is not None
    assert (row.score.metric, row.score.value) == ("rmse", 0.25)
    assert row.tags == ("team: floods",)
    best = [row.id for row in table(uow, world, sort="metrics.test.rmse")]
    assert best.index(run.id) < best.index(world.run.id)
    with uow() as unit:
        assert isnan(unit.logged_runs.get(run.id).metrics["loss"])
        with pytest.raises(RunNotFoundError):
            unit.runs.get(run.id)
        assert run.id not in unit.runs.get_many([run.id, world.run.id])
        owner = next(iter(world.project.members))
        assert run.id not in {one.id for one in unit.runs.of_member(owner, Listing()).items}
        with pytest.raises(RunNotFoundError):
            unit.logged_runs.get(world.run.id)


def test_the_table_is_searched_sorted_and_grouped_with_them(uow: UnitOfWorkFactory, world: World) -> None:
    run = examples.logged_run(world.project)
    put(uow, run)
    assert [row.id for row in table(uow, world, words="MLflow train.py")] == [run.id]
    for sort in ("source", "-source", "seed", "algorithm", "-seconds", "score", "-created_at"):
        assert run.id in {row.id for row in table(uow, world, sort=sort)}
    for by in ("source", "version", "experiment", "suite", "tag", "origin", "algorithm", "seed"):
        with uow() as unit:
            query = RunQuery(project_id=world.project.id, group_by=by)
            groups = unit.run_table.groups(query, 10)
        counted = [len(table(uow, world, group_by=by, group=group.key)) for group in groups]
        assert counted == [group.runs for group in groups], by
    with uow() as unit:
        origins = unit.run_table.groups(RunQuery(project_id=world.project.id, group_by="origin"), 10)
    assert {group.key for group in origins} == {"hydroml", "mlflow"}


def test_it_goes_when_it_is_removed_or_its_project_is(uow: UnitOfWorkFactory, world: World) -> None:
    first, second = examples.logged_run(world.project), examples.logged_run(world.project)
    elsewhere = examples.project()
    third = examples.logged_run(elsewhere)
    with uow() as unit:
        unit.projects.add(elsewhere)
        unit.commit()
    put(uow, first, second, third, examples.logged_run(examples.project()))
    with uow() as unit:
        for run_id in (first.id, first.id, world.run.id):
            unit.logged_runs.remove(run_id)
        unit.projects.delete(elsewhere.id)
        unit.commit()
    with uow() as unit:
        assert unit.logged_runs.ids(world.project.id) == {second.id}
        assert unit.logged_runs.get_many([first.id, third.id]) == {}
        assert unit.runs.get(world.run.id) == world.run


def test_a_change_stays_until_nothing_came_after_it(uow: UnitOfWorkFactory, world: World) -> None:
    with uow() as unit:
        unit.logged_runs.changed(world.project.id, "a")
        unit.logged_runs.changed(ProjectId(world.project.id), "b")
        unit.commit()
    with uow() as unit:
        seen = {change.mlflow_run_id: change for change in unit.logged_runs.changes(10)}
        assert set(seen) == {"a", "b"}
        assert len(unit.logged_runs.changes(1)) == 1
        unit.logged_runs.changed(world.project.id, "a")
        unit.commit()
    with uow() as unit:
        for change in seen.values():
            unit.logged_runs.done(change)
        unit.commit()
    with uow() as unit:
        (left,) = unit.logged_runs.changes(10)
    assert (left.mlflow_run_id, left.project_id) == ("a", world.project.id)
