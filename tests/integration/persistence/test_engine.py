"""What the database's troubles look like to those who call us, and how quick the long lists are."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Engine, text

from hydroml.adapters.persistence.engine import create_engine, to_json
from hydroml.adapters.persistence.migrations import migrate
from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError, InvalidInputError, UnavailableError
from hydroml.domain.jobs import Job, LogLine
from hydroml.domain.studio.session import MAX_ENTRIES
from hydroml.domain.studio.steps import Derive
from tests import services
from tests.contracts import examples
from tests.contracts.examples import World

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    url = services.create_database(f"{services.database_name()}_engine")
    migrate(url)
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def uow(engine: Engine) -> UnitOfWorkFactory:
    return lambda: SqlAlchemyUnitOfWork(engine)


def test_a_database_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        engine = create_engine(f"postgresql://hydroml:x@127.0.0.1:{port}/hydroml")
        with pytest.raises(UnavailableError), SqlAlchemyUnitOfWork(engine):
            pass


def test_a_lost_connection_is_replaced(uow: UnitOfWorkFactory, engine: Engine) -> None:
    world = World(uow)

    def cut() -> None:
        with engine.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                     " AND datname = current_database() AND pid <> pg_backend_pid()")
            )  # fmt: skip

    with uow() as unit:
        unit.projects.get(world.project.id)
        cut()
        with pytest.raises(UnavailableError):
            unit.projects.get(world.project.id)
    cut()
    with uow() as unit:
        assert unit.projects.get(world.project.id) == world.project


def test_too_many_at_once_are_told_to_wait(engine: Engine) -> None:
    small = create_engine(engine.url.render_as_string(hide_password=False), pool_size=1, max_overflow=0)
    small.pool._timeout = 0.1  # type: ignore[attr-defined]
    with SqlAlchemyUnitOfWork(small), pytest.raises(UnavailableError), SqlAlchemyUnitOfWork(small):
        pass
    small.dispose()


def test_a_statement_that_takes_too_long_ends(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        with pytest.raises(UnavailableError):
            connection.execute(text("SELECT pg_sleep(5)"))


def test_two_that_lock_in_a_circle_do_not_wait_for_ever(uow: UnitOfWorkFactory) -> None:
    first, second = examples.job(), examples.job()
    with uow() as unit:
        unit.jobs.add(first)
        unit.jobs.add(second)
        unit.commit()
    barrier = threading.Barrier(2)
    losers: list[Exception] = []

    def lock(one: Job, other: Job) -> None:
        try:
            with uow() as unit:
                unit.jobs.get_for_update(one.id)
                barrier.wait(5)
                unit.jobs.get_for_update(other.id)
        except ConcurrentUpdateError as error:
            losers.append(error)

    threads = [threading.Thread(target=lock, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(losers) == 1


def test_what_cannot_be_stored_is_refused_in_words(uow: UnitOfWorkFactory) -> None:
    with uow() as unit, pytest.raises(InvalidInputError):
        unit.projects.add(examples.project(description="a\x00b"))
    with uow() as unit, pytest.raises(InvalidInputError):
        unit.projects.add(examples.project(description="half a pair: \ud800"))
    with uow() as unit, pytest.raises(InvalidInputError):
        unit.jobs.add(examples.job(payload={"name": "a\x00b"}))
    with uow() as unit, pytest.raises(InvalidInputError):
        unit.projects.of_member(examples.user(), Listing(search="\x00"))


def test_a_jobs_words_are_stored_whatever_they_hold(uow: UnitOfWorkFactory) -> None:
    job = examples.job(error="cannot read \x00\ud800", message="\x00", phase="\x00")
    with uow() as unit:
        unit.jobs.add(job)
        unit.jobs.log(job.id, LogLine(examples.NOON, "error", "\x00"))
        unit.commit()
    with uow() as unit:
        stored = unit.jobs.get(job.id)
        assert stored.error == "cannot read \ufffd?"
        assert unit.jobs.log_of(job.id)[0].message == "\ufffd"


def test_figures_that_are_not_finite_come_back(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    outcome = replace(
        examples.outcome(), metrics={"test": {"a": float("inf"), "b": float("-inf")}, "train": {"c": float("nan")}}
    )
    run = examples.run(world.experiment, outcome=outcome)
    with uow() as unit:
        unit.runs.add(run)
        unit.commit()
    with uow() as unit:
        stored = unit.runs.get(run.id).outcome
    assert stored is not None
    assert stored.metrics["test"] == outcome.metrics["test"]
    assert stored.metrics["train"]["c"] != stored.metrics["train"]["c"]
    assert to_json((float("nan"),)) == '["NaN"]'


def test_sessions_of_the_largest_size_are_saved(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    session = examples.session(world.version, world.project)
    with uow() as unit:
        unit.sessions.add(session)
        unit.commit()
    while len(session.entries) < MAX_ENTRIES:
        session.add(
            Derive(f"column {len(session.entries)}", "ln(flow + 1) * sqrt(rain)"),
            partial(replace, fitted={"flow": 0.1}),
        )
    with uow() as unit:
        unit.sessions.save(session)
        unit.commit()
    with uow() as unit:
        assert unit.sessions.get(session.id) == session
