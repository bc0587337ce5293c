"""Data sources, their versions, and the sessions on them."""

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.runs import RunStatus
from hydroml.domain.sources import Origin, OriginKind, SourceInUseError, SourceNotFoundError, VersionNotFoundError
from hydroml.domain.studio.session import SessionNotFoundError
from tests.contracts import examples
from tests.contracts.examples import World


def test_a_source_is_listed_in_each_of_its_projects(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    with uow() as unit:
        source = unit.sources.get(world.source.id)
        source.project_ids = frozenset({world.project.id, other.project.id})
        unit.sources.save(source)
        unit.commit()
    with uow() as unit:
        listed = unit.sources.of_project(other.project.id, Listing(sort="name")).items
        assert {s.id for s in listed} == {source.id, other.source.id}
        assert source in listed


def test_deleting_takes_versions_and_sessions_along(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    source = examples.source(world.project)
    version = examples.version(source)
    session = examples.session(version, world.project)
    with uow() as unit:
        unit.sources.add(source)
        unit.versions.add(version)
        unit.sessions.add(session)
        unit.commit()
    with uow() as unit:
        unit.sources.delete(source.id)
        unit.commit()
    with uow() as unit:
        with pytest.raises(SourceNotFoundError):
            unit.sources.get(source.id)
        with pytest.raises(VersionNotFoundError):
            unit.versions.get(version.id)
        with pytest.raises(SessionNotFoundError):
            unit.sessions.get(session.id)


def test_a_source_that_a_run_stands_on_stays(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(SourceInUseError):
        unit.sources.delete(world.source.id)
    with uow() as unit:
        assert unit.versions.get(world.version.id) == world.version
        with pytest.raises(SourceNotFoundError):
            unit.sources.delete(examples.source().id)


def test_versions_of_a_source_come_newest_first(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    later = [examples.version(world.source, number) for number in (3, 2)]
    with uow() as unit:
        for version in later:
            unit.versions.add(version)
        unit.commit()
    with uow() as unit:
        assert list(unit.versions.of_source(world.source.id)) == [*later, world.version]
        many = unit.versions.get_many([later[0].id, world.version.id, examples.version(world.source).id])
        assert many == {later[0].id: later[0], world.version.id: world.version}
        assert unit.versions.get_many([]) == {}


def test_a_number_is_given_once(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(ConcurrentUpdateError):
        unit.versions.add(examples.version(world.source, world.version.number))
    with uow() as unit, pytest.raises(ConflictError):
        unit.versions.add(examples.version(examples.source()))


def test_children_name_it_as_a_parent(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    both = Origin(OriginKind.RECIPE, parents=(other.version.id, world.version.id))
    one = Origin(OriginKind.RECIPE, parents=(world.version.id,))
    younger = examples.version(world.source, 2, origin=both, created_at=examples.at(9))
    older = examples.version(other.source, 2, origin=one, created_at=examples.at(8))
    with uow() as unit:
        unit.versions.add(younger)
        unit.versions.add(older)
        unit.commit()
    with uow() as unit:
        assert list(unit.versions.children([world.version.id], 10)) == [older, younger]
        assert list(unit.versions.children([world.version.id], 1)) == [older]
        assert list(unit.versions.children([other.version.id, older.id], 10)) == [younger]
        assert list(unit.versions.children([older.id], 10)) == []
        assert list(unit.versions.children([], 10)) == []


def test_blobs_are_in_use_as_tables_and_as_originals(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    held = world.version.blobs
    assert len(held) == 4
    with uow() as unit:
        assert set(unit.versions.blobs_in_use([*held, "0" * 64])) == held
        assert set(unit.versions.blobs_in_use([])) == set()


def test_a_session_can_be_deleted(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit:
        unit.sessions.delete(world.session.id)
        unit.commit()
    with uow() as unit:
        with pytest.raises(SessionNotFoundError):
            unit.sessions.get(world.session.id)
        with pytest.raises(SessionNotFoundError):
            unit.sessions.delete(world.session.id)


def test_runs_are_found_by_version_and_by_what_the_tracking_server_lacks(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    failed = examples.run(world.experiment, status=RunStatus.FAILED, mlflow_run_id=None, created_at=examples.at(9))
    waiting = examples.run(other.experiment, mlflow_run_id=None, created_at=examples.at(10))
    with uow() as unit:
        unit.runs.add(failed)
        unit.runs.add(waiting)
        unit.commit()
    with uow() as unit:
        assert list(unit.runs.of_versions([world.version.id])) == [world.run, failed]
        assert list(unit.runs.of_versions([])) == []
        assert list(unit.runs.untracked(10)) == [waiting]
        assert unit.runs.get_many([failed.id, waiting.id]) == {failed.id: failed, waiting.id: waiting}
        counts = unit.experiments.run_counts([world.experiment.id, other.experiment.id])
        assert counts == {world.experiment.id: 2, other.experiment.id: 2}


def test_one_at_a_time_claims_a_run_and_a_model(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as first, uow() as second:
        assert first.runs.claim(world.run.id)
        assert first.runs.claim(world.run.id)
        assert first.models.claim(world.model.id)
        assert not second.runs.claim(world.run.id)
        assert not second.models.claim(world.model.id)
        assert second.runs.get(world.run.id) == world.run
        with uow() as third:
            third.runs.save(third.runs.get_for_update(world.run.id))
            third.commit()
    with uow() as unit:
        assert unit.runs.claim(world.run.id)
        assert unit.models.claim(world.model.id)


def test_an_experiment_takes_its_runs_along(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    experiment = examples.experiment(world.version, world.project)
    run = examples.run(experiment)
    with uow() as unit:
        unit.experiments.add(experiment)
        unit.runs.add(run)
        unit.commit()
    with uow() as unit:
        unit.experiments.delete(experiment.id)
        unit.commit()
    with uow() as unit:
        assert unit.runs.of_experiment(experiment.id, Listing()).total == 0
        assert unit.experiments.run_counts([experiment.id]) == {experiment.id: 0}
        assert list(unit.runs.of_versions([world.version.id])) == [world.run]


def test_an_experiment_whose_run_became_a_model_stays(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(ConflictError):
        unit.experiments.delete(world.experiment.id)


def test_an_experiment_needs_its_version(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    gone = examples.version(world.source, 2)
    with uow() as unit, pytest.raises(ConflictError):
        unit.experiments.add(examples.experiment(gone, world.project))
    with uow() as unit, pytest.raises(ConflictError):
        unit.runs.add(examples.run(examples.experiment(world.version, world.project)))
    with uow() as unit, pytest.raises(ConflictError):
        unit.models.add(examples.model(world.project, examples.run(world.experiment), name="another"))
