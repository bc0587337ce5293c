"""Tokens, idempotency keys, and search."""

from datetime import timedelta

import pytest

from hydroml.application.ports.repositories import KeptAnswer, UnitOfWorkFactory
from hydroml.domain.errors import ConflictError
from hydroml.domain.tokens import TokenNotFoundError
from tests.contracts import examples
from tests.contracts.examples import World

ANSWER = KeptAnswer("digest", 202, '{"job": "ü"}', "/api/v1/jobs/1")


def test_a_token_is_found_by_its_digest(uow: UnitOfWorkFactory) -> None:
    token = examples.token()
    with uow() as unit:
        unit.tokens.add(token)
        unit.commit()
    with uow() as unit:
        assert unit.tokens.by_digest(token.digest) == token
        with pytest.raises(TokenNotFoundError):
            unit.tokens.by_digest("another")


def test_tokens_are_their_users_alone(uow: UnitOfWorkFactory) -> None:
    mine = examples.user()
    older, newer = examples.token(mine), examples.token(mine, created_at=examples.at(5))
    with uow() as unit:
        for token in (older, newer, examples.token()):
            unit.tokens.add(token)
        unit.commit()
    with uow() as unit:
        assert list(unit.tokens.of_user(mine)) == [newer, older]
        with pytest.raises(TokenNotFoundError):
            unit.tokens.delete(examples.user(), older.id)
        unit.tokens.delete(mine, older.id)
        unit.commit()
    with uow() as unit:
        assert list(unit.tokens.of_user(mine)) == [newer]
        with pytest.raises(TokenNotFoundError):
            unit.tokens.delete(mine, older.id)


def test_the_last_use_of_a_token_is_noted(uow: UnitOfWorkFactory) -> None:
    token = examples.token(last_used_at=None)
    with uow() as unit:
        unit.tokens.add(token)
        unit.tokens.used(token.id, examples.at(44))
        unit.commit()
    with uow() as unit:
        assert unit.tokens.by_digest(token.digest).last_used_at == examples.at(44)


def test_a_key_is_claimed_once_and_its_answer_given_again(uow: UnitOfWorkFactory) -> None:
    me = examples.user()
    with uow() as unit:
        assert unit.idempotency.claim(me, "key", "digest", examples.NOON) is None
        unit.commit()
    with uow() as unit, pytest.raises(ConflictError):
        unit.idempotency.claim(me, "key", "digest", examples.NOON + timedelta(seconds=59))
    with uow() as unit:
        unit.idempotency.keep(me, "key", ANSWER)
        unit.commit()
    with uow() as unit:
        assert unit.idempotency.claim(me, "key", "digest", examples.NOON) == ANSWER
        assert unit.idempotency.claim(examples.user(), "key", "digest", examples.NOON) is None
        with pytest.raises(ConflictError):
            unit.idempotency.claim(me, "key", "of another request", examples.NOON)


def test_a_claim_without_an_answer_ends_after_a_minute(uow: UnitOfWorkFactory) -> None:
    me = examples.user()
    with uow() as unit:
        unit.idempotency.claim(me, "key", "digest", examples.NOON)
        unit.commit()
    with uow() as unit:
        assert unit.idempotency.claim(me, "key", "digest", examples.at(1.01)) is None
        unit.commit()
    with uow() as unit, pytest.raises(ConflictError):
        unit.idempotency.claim(me, "key", "digest", examples.at(1.5))


def test_a_released_or_forgotten_key_is_free_again(uow: UnitOfWorkFactory) -> None:
    me = examples.user()
    with uow() as unit:
        unit.idempotency.claim(me, "released", "digest", examples.NOON)
        unit.idempotency.claim(me, "forgotten", "digest", examples.NOON)
        unit.idempotency.claim(me, "kept", "digest", examples.at(60))
        unit.commit()
    with uow() as unit:
        unit.idempotency.release(me, "released")
        unit.idempotency.forget(examples.at(1))
        unit.commit()
    with uow() as unit:
        assert unit.idempotency.claim(me, "released", "another", examples.NOON) is None
        assert unit.idempotency.claim(me, "forgotten", "another", examples.NOON) is None
        with pytest.raises(ConflictError):
            unit.idempotency.claim(me, "kept", "another", examples.NOON)


def test_search_finds_all_kinds_best_first(uow: UnitOfWorkFactory) -> None:
    owner = examples.user()
    world, foreign = World(uow, owner), World(uow)
    with uow() as unit:
        project = examples.project(owner, name="A rainy place", created_at=examples.at(999))
        unit.projects.add(project)
        unit.sources.add(examples.source(world.project, project, name="rain"))
        unit.sources.add(examples.source(foreign.project, name="rain elsewhere"))
        specification = examples.specification(world.version, name="Rain to runoff")
        unit.experiments.add(examples.experiment(world.version, world.project, specification=specification))
        unit.models.add(examples.model(world.project, name="RAIN"))
        unit.recipes.add(examples.recipe(world.project, name="Rain gaps", deleted_at=None))
        unit.recipes.add(examples.recipe(world.project, name="Rain gaps, once"))
        unit.recipes.add(examples.recipe(foreign.project, name="Rain gaps elsewhere", deleted_at=None))
        unit.commit()
    with uow() as unit:
        found = unit.search.find(owner, " rain ", 10)
        assert [hit.name.lower() for hit in found] == [
            "rain",
            "rain",
            "rain gaps",
            "rain to runoff",
            "a rainy place",
        ]
        assert {hit.kind for hit in found[:2]} == {"source", "model"}
        assert [hit.kind for hit in found[2:]] == ["recipe", "experiment", "project"]
        assert {(hit.project_id, hit.project_name) for hit in found[:4]} == {(world.project.id, world.project.name)}
        assert len(unit.search.find(owner, "rain", 2)) == 2
        assert list(unit.search.find(owner, "", 10)) == []
        assert list(unit.search.find(owner, "rai%", 10)) == []
        assert list(unit.search.find(examples.user(), "rain", 10)) == []
