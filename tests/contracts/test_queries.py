"""Queries that people have run: memory and PostgreSQL."""

from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.queries import QueryId, QueryNotFoundError, QueryRun
from hydroml.domain.studio.session import SessionId
from tests.contracts import examples


def stored(uow: UnitOfWorkFactory, project: ProjectId, owner: UserId, minutes: float = 0) -> QueryRun:
    run = QueryRun(
        id=QueryId(uuid4()),
        project_id=project,
        owner_id=owner,
        session_id=SessionId(uuid4()),
        sql=examples.AWKWARD,
        created_at=examples.at(minutes),
    )
    with uow() as unit:
        unit.queries.add(run)
        unit.commit()
    return run


@pytest.fixture
def project(uow: UnitOfWorkFactory) -> ProjectId:
    made = examples.project()
    with uow() as unit:
        unit.projects.add(made)
        unit.commit()
    return made.id


def test_it_comes_back_as_it_was_and_as_it_ended(uow: UnitOfWorkFactory, project: ProjectId) -> None:
    run = stored(uow, project, examples.user())
    with uow() as unit:
        found = unit.queries.get_for_update(run.id)
        assert found == run
        found.cancel()
        found.fail("because")
        unit.queries.save(found)
        unit.commit()
    with uow() as unit:
        assert unit.queries.get(run.id) == found


def test_an_id_is_given_once(uow: UnitOfWorkFactory, project: ProjectId) -> None:
    run = stored(uow, project, examples.user())
    with uow() as unit, pytest.raises(ConflictError):
        unit.queries.add(run)
    run.project_id = ProjectId(uuid4())
    run.id = QueryId(uuid4())
    with uow() as unit, pytest.raises(ConflictError):
        unit.queries.add(run)


def test_unknown_ones_are_not_found(uow: UnitOfWorkFactory, project: ProjectId) -> None:
    run = stored(uow, project, examples.user())
    with uow() as unit:
        unit.queries.trim(run.owner_id, project, 0)
        for ask in (unit.queries.get, unit.queries.get_for_update):
            with pytest.raises(QueryNotFoundError):
                ask(run.id)
        with pytest.raises(QueryNotFoundError):
            unit.queries.save(run)


def test_newest_of_a_person_and_project_stay(uow: UnitOfWorkFactory, project: ProjectId) -> None:
    me, you = examples.user(), examples.user()
    runs = [stored(uow, project, me, minutes) for minutes in (2, 1, 3)]
    theirs = stored(uow, project, you)
    with uow() as unit:
        assert [run.id for run in unit.queries.of_owner(me, project)] == [runs[2].id, runs[0].id, runs[1].id]
        unit.queries.trim(me, project, 2)
        unit.commit()
    with uow() as unit:
        assert [run.id for run in unit.queries.of_owner(me, project)] == [runs[2].id, runs[0].id]
        assert [run.id for run in unit.queries.of_owner(you, project)] == [theirs.id]
