"""The laws that hold for every aggregate with a revision, and the round trip of all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError, NotFoundError
from hydroml.domain.projects import Role
from hydroml.domain.sources import SourceStatus
from hydroml.domain.studio.steps import Filter
from tests.contracts import examples
from tests.contracts.examples import World


@dataclass(frozen=True)
class Kind:
    """How to reach one kind of aggregate, and how to change one."""

    name: str
    repository: Callable[[UnitOfWork], Any]
    of: Callable[[World], Any]
    change: Callable[[Any], object]


def _change_project(project: Any) -> None:
    project.rename("another name")
    project.set_role(examples.user(), Role.VIEWER)


KINDS = [
    Kind("projects", lambda u: u.projects, lambda w: w.project, _change_project),
    Kind("sources", lambda u: u.sources, lambda w: w.source, lambda s: s.rename("another name", examples.at(90))),
    Kind("sessions", lambda u: u.sessions, lambda w: w.session, lambda s: s.add(Filter("rain > 0"))),
    Kind("recipes", lambda u: u.recipes, lambda w: w.recipe, lambda r: r.describe(examples.at(90), name="another")),
    Kind(
        "experiments",
        lambda u: u.experiments,
        lambda w: w.experiment,
        lambda e: setattr(e, "specification", examples.without(e.specification, name="another", seed=3)),
    ),
    Kind("runs", lambda u: u.runs, lambda w: w.run, lambda r: r.tracked_as("another")),
    Kind("suites", lambda u: u.suites, lambda w: w.suite, lambda s: s.stop(examples.at(90), "the disk is full")),
    Kind("models", lambda u: u.models, lambda w: w.model, lambda m: m.mirrored(1, "17")),
]

each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def loaded(uow: UnitOfWorkFactory, kind: Kind, world: World) -> Any:
    with uow() as unit:
        return kind.repository(unit).get(kind.of(world).id)


@each
def test_it_comes_back_as_it_was(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    assert loaded(uow, kind, world) == kind.of(world)


@each
def test_a_saved_change_comes_back_and_counts_the_revision(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    entity = loaded(uow, kind, world)
    kind.change(entity)
    with uow() as unit:
        kind.repository(unit).save(entity)
        unit.commit()
    assert entity.revision == 1
    assert loaded(uow, kind, world) == entity
    assert loaded(uow, kind, world) != kind.of(world)


@each
def test_without_a_commit_there_is_no_trace(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    entity = loaded(uow, kind, world)
    kind.change(entity)
    with uow() as unit:
        kind.repository(unit).save(entity)
    assert loaded(uow, kind, world) == kind.of(world)


@each
def test_an_error_rolls_back(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    entity = loaded(uow, kind, world)
    kind.change(entity)

    def fail_midway() -> None:
        with uow() as unit:
            kind.repository(unit).save(entity)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert loaded(uow, kind, world) == kind.of(world)


@each
def test_a_change_without_save_is_lost(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    with uow() as unit:
        kind.change(kind.repository(unit).get(kind.of(world).id))
        unit.commit()
    assert loaded(uow, kind, world) == kind.of(world)


@each
def test_a_change_after_save_is_lost(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    entity = loaded(uow, kind, world)
    with uow() as unit:
        kind.repository(unit).save(entity)
        kind.change(entity)
        unit.commit()
    stored = loaded(uow, kind, world)
    assert examples.without(stored, revision=0) == kind.of(world)


@each
def test_the_second_writer_loses(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    mine, theirs = loaded(uow, kind, world), loaded(uow, kind, world)
    with uow() as unit:
        kind.repository(unit).save(mine)
        unit.commit()
    with uow() as unit, pytest.raises(ConcurrentUpdateError):
        kind.repository(unit).save(theirs)
    assert theirs.revision == 0


@each
def test_it_can_be_saved_twice_in_one_transaction(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    entity = loaded(uow, kind, world)
    with uow() as unit:
        kind.repository(unit).save(entity)
        kind.change(entity)
        kind.repository(unit).save(entity)
        assert kind.repository(unit).get(entity.id) == entity
        unit.commit()
    assert loaded(uow, kind, world) == entity


@each
def test_an_unknown_id_raises(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    with uow() as unit:
        with pytest.raises(NotFoundError):
            kind.repository(unit).get(uuid4())
        with pytest.raises(ConcurrentUpdateError):
            kind.repository(unit).save(examples.without(kind.of(world), id=uuid4()))


def test_after_a_commit_the_unit_of_work_goes_on(uow: UnitOfWorkFactory) -> None:
    first, second = examples.project(), examples.project()
    with uow() as unit:
        unit.projects.add(first)
        unit.commit()
        unit.projects.add(second)
    with uow() as unit:
        assert unit.projects.get(first.id) == first
        with pytest.raises(NotFoundError):
            unit.projects.get(second.id)


def test_what_is_not_set_comes_back_unset(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    bare_source = examples.source(
        status=SourceStatus.PROCESSING, error=None, current_version_id=None, versions=0, job_id=None, following=None
    )
    bare_run = examples.run(
        world.experiment, job_id=None, outcome=None, error=None, artifacts={}, model_blob=None, rows_blob=None,
        twin_of=None, repeat_of=None, mlflow_run_id=None, started_at=None, finished_at=None,
    )  # fmt: skip
    bare_job = examples.queued(subject=None, error=None, result={}, payload={}, started_at=None, finished_at=None)
    bare_token = examples.token(expires_at=None, last_used_at=None, scopes=frozenset())
    with uow() as unit:
        unit.sources.add(bare_source)
        unit.runs.add(bare_run)
        unit.jobs.add(bare_job)
        unit.tokens.add(bare_token)
        unit.commit()
    with uow() as unit:
        assert unit.sources.get(bare_source.id) == bare_source
        assert unit.runs.get(bare_run.id) == bare_run
        assert unit.jobs.get(bare_job.id) == bare_job
        assert unit.tokens.by_digest(bare_token.digest) == bare_token
