"""Lists: whatever the limit, the slices together are the whole list, in order, each thing once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.application.ports.repositories import JobFilter, Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import InvalidInputError
from tests.contracts import examples
from tests.contracts.examples import World

NAMES = ["b", "B", "a", "ab", "AB", "Z", "_", "%", "100 %", "a\\b", "a_b", "é", "中", "🌊", "a'b"]
MOMENTS = [examples.at(minutes) for minutes in (0, 1, 1, 2, 2)]


@dataclass(frozen=True)
class Kind:
    """How to put things with a name and a time into a list, and how to read it."""

    name: str
    sorts: tuple[str, ...]
    put: Callable[[UnitOfWork, World, str, Any], Any]
    read: Callable[[UnitOfWork, World, Listing], Slice[Any]]


def _put_project(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    entity = examples.project(world.owner, name=name, created_at=at)
    unit.projects.add(entity)
    return entity


def _put_source(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    entity = examples.source(world.project, name=name, created_at=at, updated_at=examples.at(5))
    unit.sources.add(entity)
    return entity


def _put_experiment(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    specification = examples.specification(world.version, name=name)
    entity = examples.experiment(world.version, world.project, specification=specification, created_at=at)
    unit.experiments.add(entity)
    return entity


def _put_run(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    entity = examples.run(world.experiment, created_at=at)
    unit.runs.add(entity)
    return entity


def _put_model(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    taken = unit.models.named(world.project.id, name) is not None
    entity = examples.model(world.project, name=f"{name}{examples.user()}" if taken else name, created_at=at)
    unit.models.add(entity)
    return entity


def _put_job(unit: UnitOfWork, world: World, name: str, at: Any) -> Any:
    entity = examples.job(world.owner, created_at=at)
    unit.jobs.add(entity)
    return entity


BY_NAME = ("created_at", "-created_at", "name", "-name")
BY_TIME = ("created_at", "-created_at")
KINDS = [
    Kind("projects", BY_NAME, _put_project, lambda u, w, x: u.projects.of_member(w.owner, x)),
    Kind("sources", (*BY_NAME, "-updated_at"), _put_source, lambda u, w, x: u.sources.of_project(w.project.id, x)),
    Kind("experiments", BY_NAME, _put_experiment, lambda u, w, x: u.experiments.of_project(w.project.id, x)),
    Kind("runs of experiment", BY_TIME, _put_run, lambda u, w, x: u.runs.of_experiment(w.experiment.id, x)),
    Kind("runs of member", BY_TIME, _put_run, lambda u, w, x: u.runs.of_member(w.owner, x)),
    Kind("models", BY_NAME, _put_model, lambda u, w, x: u.models.of_project(w.project.id, x)),
    Kind("models of member", BY_NAME, _put_model, lambda u, w, x: u.models.of_member(w.owner, x)),
    Kind("jobs", BY_TIME, _put_job, lambda u, w, x: u.jobs.of_user(JobFilter(w.owner), x)),
]

each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(" ", "_"))


def _key(entity: Any, sort: str) -> Any:
    field = sort.removeprefix("-")
    return (entity.name.lower() if field == "name" else getattr(entity, field), entity.id)


@each
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_slices_are_the_whole(uow: UnitOfWorkFactory, kind: Kind, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(MOMENTS)), max_size=9))
    limit = data.draw(st.integers(1, 5))
    sort = data.draw(st.sampled_from(kind.sorts))
    world = World(uow)
    with uow() as unit:
        for name, at in wanted:
            kind.put(unit, world, name, at)
        unit.commit()
    seen: list[Any] = []
    cursor: str | None = None
    while True:
        with uow() as unit:
            part = kind.read(unit, world, Listing(limit=limit, cursor=cursor, sort=sort))
        seen += part.items
        assert part.total == len(wanted) + 1  # the world has one of each already
        assert len(part.items) <= limit
        cursor = part.next_cursor
        if cursor is None:
            break
        assert len(part.items) == limit
    assert len(seen) == len(wanted) + 1
    assert seen == sorted(seen, key=lambda e: _key(e, sort), reverse=sort.startswith("-"))


@each
def test_items_are_whole(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    with uow() as unit:
        entity = kind.put(unit, world, "just one", examples.at(1))
        unit.commit()
    with uow() as unit:
        assert entity in kind.read(unit, world, Listing()).items


@each
@pytest.mark.parametrize(
    "listing",
    [
        Listing(sort="revision"),
        Listing(sort=""),
        Listing(sort="--created_at"),
        Listing(limit=0),
        Listing(limit=501),
        Listing(cursor="nonsense"),
        Listing(cursor=""),
        Listing(cursor="ü"),
        Listing(cursor="bnVsbA"),
        Listing(cursor="WyItY3JlYXRlZF9hdCIsIngiLCJ5Il0"),
    ],
)
def test_a_broken_question_is_refused(uow: UnitOfWorkFactory, kind: Kind, listing: Listing) -> None:
    world = World(uow)
    with uow() as unit, pytest.raises(InvalidInputError):
        kind.read(unit, world, listing)


@each
def test_a_cursor_of_another_order_is_refused(uow: UnitOfWorkFactory, kind: Kind) -> None:
    world = World(uow)
    with uow() as unit:
        kind.put(unit, world, "another", examples.at(1))
        unit.commit()
    with uow() as unit:
        cursor = kind.read(unit, world, Listing(limit=1, sort="created_at")).next_cursor
        with pytest.raises(InvalidInputError):
            kind.read(unit, world, Listing(limit=1, sort="-created_at", cursor=cursor))


@pytest.mark.parametrize(
    ("text", "found"),
    [("rain", {"Rain 1", "rain%", "RAIN_2"}), ("%", {"rain%"}), ("_", {"RAIN_2"}), ("\\", set()), ("N_2", {"RAIN_2"})],
)
def test_search_finds_a_part_of_the_name_in_any_case(uow: UnitOfWorkFactory, text: str, found: set[str]) -> None:
    owner = examples.user()
    with uow() as unit:
        for name in ("Rain 1", "rain%", "RAIN_2", "snow"):
            unit.projects.add(examples.project(owner, name=name))
        unit.commit()
    with uow() as unit:
        part = unit.projects.of_member(owner, Listing(search=text, sort="name"))
    assert {p.name for p in part.items} == found
    assert part.total == len(found)
