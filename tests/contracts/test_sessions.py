"""Sessions with their entries and comments, and recipes."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from hydroml.application.ports.repositories import SessionSummary, UnitOfWorkFactory
from hydroml.domain.projects import ProjectNotFoundError, Role
from hydroml.domain.sources import Origin, OriginKind, VersionId
from hydroml.domain.studio.recipes import RecipeNotFoundError
from hydroml.domain.studio.session import CommentId, CommentNotFoundError, Session, SessionNotFoundError
from hydroml.domain.studio.steps import Filter
from tests.contracts import examples
from tests.contracts.examples import World
from tests.histories import Histories


def test_any_history_comes_back_as_it_was_after_each_change(uow: UnitOfWorkFactory) -> None:
    world = World(uow)

    def fresh() -> Session:
        session = examples.session(world.version, world.project, id=uuid4())
        empty = examples.without(session, entries=(), cursor=None, ahead={}, marks={})
        with uow() as unit:
            unit.sessions.add(empty)
            unit.commit()
        return empty  # type: ignore[no-any-return]

    def keep(session: Session) -> Session:
        with uow() as unit:
            unit.sessions.save(session)
            unit.commit()
        with uow() as unit:
            return unit.sessions.get(session.id)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Histories(fresh, keep),
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )


def test_sessions_are_listed_last_changed_first_by_those_who_may_see_them(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    owner, member = world.session.owner_id, examples.user()
    for project in (world.project, other.project):
        project.set_role(owner, Role.EDITOR)
        project.set_role(member, Role.VIEWER)
    newer = examples.session(world.version, other.project, owner_id=owner, shared=False, updated_at=examples.at(30))
    elsewhere = examples.session(other.version, world.project, owner_id=owner, updated_at=examples.at(20))
    gone = examples.session(world.version, world.project, owner_id=owner, updated_at=examples.at(1))
    gone.discard(examples.at(40))
    with uow() as unit:
        for project in (world.project, other.project):
            unit.projects.save(project)
        for session in (newer, elsewhere, gone):
            unit.sessions.add(session)
        unit.commit()
    with uow() as unit:
        seen = unit.sessions.seen_by

        def ids(found: object) -> list[object]:
            return [summary.id for summary in found]  # type: ignore[attr-defined]

        assert ids(seen(owner)) == [newer.id, elsewhere.id, world.session.id]
        assert ids(seen(owner, version_id=world.version.id)) == [newer.id, world.session.id]
        assert ids(seen(owner, project_id=world.project.id)) == [elsewhere.id, world.session.id]
        assert ids(seen(owner, trashed=True)) == [gone.id]
        assert ids(seen(member)) == []
        shown = ids(seen(member, shared=True))
        assert (shown[0], set(shown[1:])) == (elsewhere.id, {world.session.id, other.session.id})
        assert ids(seen(member, shared=True, trashed=True)) == [gone.id]
        assert ids(seen(owner, shared=True)) == [other.session.id]
        assert ids(seen(examples.user(), shared=True)) == []
        assert seen(owner, trashed=True)[0] == SessionSummary(
            id=gone.id,
            version_id=world.version.id,
            project_id=world.project.id,
            owner_id=owner,
            name=gone.name,
            shared=True,
            steps=3,
            created_at=gone.created_at,
            updated_at=examples.at(40),
            deleted_at=examples.at(40),
        )


def test_those_long_in_the_trash_are_found(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    first, second = (examples.session(world.version, world.project) for _ in range(2))
    first.discard(examples.at(10))
    second.discard(examples.at(20))
    with uow() as unit:
        unit.sessions.add(second)
        unit.sessions.add(first)
        unit.commit()
    with uow() as unit:
        assert list(unit.sessions.discarded_before(examples.at(9), 10)) == []
        assert list(unit.sessions.discarded_before(examples.at(10), 10)) == [first.id]
        assert list(unit.sessions.discarded_before(examples.at(20), 10)) == [first.id, second.id]
        assert list(unit.sessions.discarded_before(examples.at(20), 1)) == [first.id]


def test_comments_come_oldest_first_and_go_with_their_session(uow: UnitOfWorkFactory) -> None:
    world, other = World(uow), World(uow)
    late, early = examples.comment(world.session, created_at=examples.at(9)), examples.comment(world.session)
    elsewhere = examples.comment(other.session)
    with uow() as unit:
        for comment in (late, early, elsewhere):
            unit.sessions.add_comment(comment)
        unit.commit()
    with uow() as unit:
        assert list(unit.sessions.comments(world.session.id)) == [early, late]
        for wrong in (elsewhere.id, CommentId(uuid4())):
            with pytest.raises(CommentNotFoundError):
                unit.sessions.delete_comment(world.session.id, wrong)
        unit.sessions.delete_comment(world.session.id, early.id)
        assert list(unit.sessions.comments(world.session.id)) == [late]
        unit.sessions.delete(world.session.id)
        assert list(unit.sessions.comments(world.session.id)) == []
    with uow() as unit, pytest.raises(SessionNotFoundError):
        unit.sessions.add_comment(examples.comment(examples.session(world.version, world.project)))


def test_entries_are_added_to_those_that_are_stored(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    session = world.session
    for number in range(3):
        session.add(Filter(f"rain > {number}"))
        session.change(session.history()[0].id, step=Filter(f"flow > {number}"))
        with uow() as unit:
            unit.sessions.save(session)
            unit.commit()
    with uow() as unit:
        assert unit.sessions.get(session.id) == session


def test_recipes_of_a_project_come_by_name_and_go_with_it(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    first, last = (examples.recipe(world.project, name=name, deleted_at=None) for name in ("a", "Z"))
    with uow() as unit:
        unit.recipes.add(last)
        unit.recipes.add(first)
        with pytest.raises(ProjectNotFoundError):
            unit.recipes.add(examples.recipe(examples.project()))
    with uow() as unit:
        unit.recipes.add(last)
        unit.recipes.add(first)
        unit.commit()
    with uow() as unit:
        found = unit.recipes.of_project(world.project.id)
        assert [recipe.name for recipe in found] == ["a", "Z"]
        assert found[0] == first
        assert list(unit.recipes.of_project(world.project.id, trashed=True)) == [world.recipe]
        assert list(unit.recipes.discarded_before(examples.at(3), 9)) == []
        assert list(unit.recipes.discarded_before(examples.at(4), 0)) == []
        assert list(unit.recipes.discarded_before(examples.at(4), 9)) == [world.recipe.id]
        unit.recipes.delete(first.id)
        for missing in (unit.recipes.get, unit.recipes.delete):
            with pytest.raises(RecipeNotFoundError):
                missing(first.id)
        unit.projects.delete(world.project.id)
        assert list(unit.recipes.of_project(world.project.id)) == []


def test_what_recipes_have_made_is_told_by_name_with_its_parent(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    origin = Origin(OriginKind.RECIPE, parents=(world.version.id, VersionId(uuid4())), recipe_id=world.recipe.id)
    following = examples.without(world.source.following, source_id=world.source.id)
    with uow() as unit:
        for name, follows in (("b", None), ("A", following)):
            source = examples.source(world.project, name=name, following=follows)
            version = examples.version(source, origin=origin)
            source.current_version_id = version.id
            unit.sources.add(source)
            unit.versions.add(version)
        unit.sources.add(examples.source(world.project, current_version_id=world.version.id))
        unit.commit()
    with uow() as unit:
        made = unit.sources.made_by_recipes(world.project.id)
        assert [(one.name, one.parent, one.follows) for one in made] == [
            ("A", world.source.name, True),
            ("b", world.source.name, False),
        ]
        assert {(one.recipe_id, one.parent_id) for one in made} == {(world.recipe.id, world.source.id)}
        gone = unit.sources.get(made[0].id)
        gone.discard(examples.at(1))
        unit.sources.save(gone)
        assert [one.name for one in unit.sources.made_by_recipes(world.project.id)] == ["b"]


def test_followers_of_a_source_come_oldest_first(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    following = examples.without(world.source.following, source_id=world.source.id)
    first = examples.source(world.project, following=following, created_at=examples.at(1))
    second = examples.source(following=following, created_at=examples.at(2))
    with uow() as unit:
        unit.sources.add(second)
        unit.sources.add(first)
        unit.commit()
    with uow() as unit:
        assert list(unit.sources.followers(world.source.id)) == [first, second]
        assert list(unit.sources.followers(first.id)) == []
