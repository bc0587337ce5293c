"""Projects, and what goes with them when they are removed."""

import pytest

from hydroml.application.ports.repositories import Listing, ProjectCounts, UnitOfWorkFactory
from hydroml.domain.errors import ConflictError, NotFoundError
from hydroml.domain.projects import ProjectNotFoundError
from tests.contracts import examples
from tests.contracts.examples import World


def test_only_members_see_it_in_their_list(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    World(uow)
    with uow() as unit:
        assert [p.id for p in unit.projects.of_member(world.owner, Listing()).items] == [world.project.id]
        assert unit.projects.of_member(examples.user(), Listing()).items == ()


def test_a_member_who_leaves_no_longer_sees_it(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    other = next(user for user in world.project.members if user != world.owner)
    with uow() as unit:
        project = unit.projects.get(world.project.id)
        project.remove(other)
        unit.projects.save(project)
        unit.commit()
    with uow() as unit:
        assert unit.projects.of_member(other, Listing()).items == ()
        assert unit.projects.get(world.project.id) == project


def test_counts_are_of_each_project(uow: UnitOfWorkFactory) -> None:
    world, other, empty = World(uow), World(uow), examples.project()
    with uow() as unit:
        unit.projects.add(empty)
        unit.sources.add(examples.source(world.project, other.project))
        unit.experiments.add(examples.experiment(world.version, world.project))
        unit.commit()
    with uow() as unit:
        assert unit.projects.counts([world.project.id, other.project.id, empty.id]) == {
            world.project.id: ProjectCounts(2, 2, 1),
            other.project.id: ProjectCounts(2, 1, 1),
            empty.id: ProjectCounts(0, 0, 0),
        }
        assert unit.projects.counts([]) == {}


def test_roles_name_the_projects_one_is_a_member_of(uow: UnitOfWorkFactory) -> None:
    mine, others = World(uow), World(uow)
    with uow() as unit:
        assert set(unit.projects.roles(mine.owner, [mine.project.id, others.project.id])) == {mine.project.id}
        assert set(unit.projects.roles(mine.owner, [])) == set()


def test_deleting_takes_all_but_its_sources_along(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    shared = examples.source(world.project, other.project)
    with uow() as unit:
        unit.sources.add(shared)
        unit.commit()
    with uow() as unit:
        unit.projects.delete(world.project.id)
        unit.commit()
    with uow() as unit:
        with pytest.raises(NotFoundError):
            unit.projects.get(world.project.id)
        with pytest.raises(NotFoundError):
            unit.sessions.get(world.session.id)
        with pytest.raises(NotFoundError):
            unit.experiments.get(world.experiment.id)
        with pytest.raises(NotFoundError):
            unit.runs.get(world.run.id)
        with pytest.raises(NotFoundError):
            unit.models.get(world.model.id)
        assert unit.sources.get(world.source.id).project_ids == frozenset()
        assert unit.sources.get(shared.id).project_ids == frozenset({other.project.id})
        assert unit.versions.get(world.version.id) == world.version
        assert unit.jobs.get(world.job.id).project_id is None
        assert unit.runs.get(other.run.id) == other.run
        assert unit.models.named(world.project.id, world.model.name) is None


def test_deleting_an_unknown_one_raises(uow: UnitOfWorkFactory) -> None:
    with uow() as unit, pytest.raises(ProjectNotFoundError):
        unit.projects.delete(examples.project().id)


def test_nothing_enters_a_project_that_is_gone(uow: UnitOfWorkFactory) -> None:
    world, gone = World(uow), examples.project()
    with uow() as unit, pytest.raises(ConflictError):
        unit.sources.add(examples.source(gone))
    with uow() as unit, pytest.raises(ConflictError):
        unit.sessions.add(examples.session(world.version, gone))
    with uow() as unit, pytest.raises(ConflictError):
        unit.experiments.add(examples.experiment(world.version, gone))
    with uow() as unit, pytest.raises(ConflictError):
        unit.models.add(examples.model(gone))
    with uow() as unit, pytest.raises(ConflictError):
        unit.jobs.add(examples.job(within=gone))
