"""Presets and publications: kept whole, listed in order, gone with what they stand on."""

from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.presets import Preset, PresetId, PresetNotFoundError
from hydroml.domain.experiments.runs import Run
from hydroml.domain.gallery import Publication, PublicationId, PublicationNotFoundError
from tests.contracts import examples
from tests.contracts.examples import World


def preset(name: str, owner: World) -> Preset:
    settings = {"algorithm": {"name": "ridge", "hyperparameters": {"alpha": 0.5}}, "features": [examples.AWKWARD]}
    return Preset(id=PresetId(uuid4()), owner_id=owner.owner, name=name, settings=settings, created_at=examples.at(1))


def publication(run: Run, title: str, minutes: int) -> Publication:
    return Publication(
        id=PublicationId(uuid4()),
        run_id=run.id,
        project_id=run.project_id,
        title=title,
        summary=examples.AWKWARD,
        shares_data=True,
        author_id=examples.user(),
        published_at=examples.at(minutes),
    )


def test_presets_are_their_owners(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    second, first = preset("b", world), preset("A", world)
    with uow() as unit:
        for one in (second, first, preset("c", other)):
            unit.presets.add(one)
        unit.commit()
    with uow() as unit:
        assert list(unit.presets.of_owner(world.owner)) == [first, second]
        mine, theirs = unit.presets.get(first.id), unit.presets.get(first.id)
        mine.rename("renamed")
        unit.presets.save(mine)
        with pytest.raises(ConcurrentUpdateError):
            unit.presets.save(theirs)
        unit.presets.delete(second.id)
        unit.commit()
    with uow() as unit:
        assert [one.name for one in unit.presets.of_owner(world.owner)] == ["renamed"]
        with pytest.raises(PresetNotFoundError):
            unit.presets.get(second.id)
        with pytest.raises(PresetNotFoundError):
            unit.presets.delete(second.id)


def test_publications_are_listed_and_go_with_their_run(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    experiment = examples.experiment(world.version, world.project)
    run = examples.run(experiment)
    older, newer = publication(world.run, "b", 1), publication(run, "A", 2)
    with uow() as unit:
        unit.experiments.add(experiment)
        unit.runs.add(run)
        unit.gallery.add(older)
        unit.gallery.add(newer)
        unit.commit()
    with uow() as unit, pytest.raises(ConflictError):
        unit.gallery.add(publication(run, "twice", 3))
    with uow() as unit:
        assert unit.gallery.all(Listing(sort="-published_at")).items == (newer, older)
        assert unit.gallery.all(Listing(sort="title", limit=1)).items == (newer,)
        assert unit.gallery.all(Listing(sort="title", search="100 %")).total == 2
        assert unit.gallery.of_run(run.id) == newer
        unit.experiments.delete(experiment.id)
        unit.gallery.delete(older.id)
        unit.commit()
    with uow() as unit:
        assert unit.gallery.of_run(run.id) is None
        assert unit.gallery.all(Listing(sort="title")).total == 0
        for gone in (older, newer):
            with pytest.raises(PublicationNotFoundError):
                unit.gallery.get(gone.id)
