"""Registered models."""

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.errors import ConflictError
from tests.contracts import examples
from tests.contracts.examples import World


def test_a_name_is_taken_once_in_a_project(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    with uow() as unit, pytest.raises(ConflictError):
        unit.models.add(examples.model(world.project, name=world.model.name))
    with uow() as unit:
        assert unit.models.named(world.project.id, world.model.name) == world.model
        assert unit.models.named(other.project.id, other.model.name) == other.model
        assert unit.models.named(world.project.id, "nobody") is None


def test_of_two_that_take_a_name_at_once_one_gets_it(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    with uow() as first:
        first.models.add(examples.model(world.project, name="champion"))
        first.commit()
    with uow() as second, pytest.raises(ConflictError):
        second.models.add(examples.model(world.project, name="champion"))


def test_it_can_be_made_and_filled_in_one_transaction(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    model = examples.model(world.project, name="new")
    with uow() as unit:
        unit.models.add(model)
        model.register(world.run.id, world.owner, examples.at(20))
        unit.models.save(model)
        unit.commit()
    with uow() as unit:
        assert unit.models.get(model.id) == model


def test_models_are_found_by_run_and_by_what_the_registry_lacks(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    mirrored = examples.model(world.project, world.run, name="mirrored", created_at=examples.at(30))
    mirrored.mirrored(1, "1")
    mirrored.mirror_due = False
    with uow() as unit:
        unit.models.add(mirrored)
        unit.commit()
    with uow() as unit:
        assert list(unit.models.of_run(world.run.id)) == [world.model, mirrored]
        assert list(unit.models.of_run(examples.run(world.experiment).id)) == []
        unmirrored = unit.models.unmirrored(10)
        assert {m.id for m in unmirrored} == {world.model.id, other.model.id}
        assert len(unit.models.unmirrored(1)) == 1
        mirrored.point("champion", 1)
        unit.models.save(mirrored)
        assert mirrored.id in {m.id for m in unit.models.unmirrored(10)}


def test_members_are_told_the_revision(uow: UnitOfWorkFactory) -> None:
    world, stranger = World(uow), examples.user()
    with uow() as unit:
        assert unit.models.revision_for(world.owner, world.model.id) == world.model.revision
        assert unit.models.revision_for(stranger, world.model.id) is None
        assert unit.models.revision_for(world.owner, examples.model(world.project).id) is None


def test_models_of_a_member_are_those_of_all_their_projects(uow: UnitOfWorkFactory) -> None:
    owner = examples.user()
    first, second, foreign = World(uow, owner), World(uow, owner), World(uow)
    with uow() as unit:
        listed = {m.id for m in unit.models.of_member(owner, Listing()).items}
    assert listed == {first.model.id, second.model.id}
    assert foreign.model.id not in listed
