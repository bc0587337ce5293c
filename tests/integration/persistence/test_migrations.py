"""Migrations lead to exactly the tables in the code, once, whoever runs them, and leave Django's alone."""

import threading
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text

from hydroml.adapters.persistence.migrations import config, create_database_if_missing, migrate, migration_engine
from hydroml.domain.errors import UnavailableError
from tests import services

pytestmark = pytest.mark.services


@pytest.fixture
def url() -> str:
    return services.create_database(f"{services.database_name()}_migrations")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = migration_engine(url)
    yield engine
    engine.dispose()


def test_the_tables_are_those_in_the_code_and_others_are_left_alone(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE public.accounts_user (id uuid PRIMARY KEY)"))
    migrate(url)
    with engine.connect() as connection:
        command.check(config(connection))
    assert inspect(engine).get_table_names("public") == ["accounts_user"]


def test_there_and_back(url: str, engine: Engine) -> None:
    migrate(url)
    with engine.connect() as connection:
        command.downgrade(config(connection), "base")
        connection.commit()
    assert inspect(engine).get_table_names("hydroml") == ["alembic_version"]
    migrate(url)
    with engine.connect() as connection:
        command.check(config(connection))


def test_several_at_once_do_it_once(url: str, engine: Engine) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            migrate(url)
        except Exception as error:  # noqa: BLE001 (shown below)
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM hydroml.alembic_version")).scalars().all() == ["0001"]


def test_a_database_is_made_when_it_is_missing(url: str, engine: Engine) -> None:
    name = f'{services.database_name()}_"made"'
    create_database_if_missing(url, name)
    create_database_if_missing(url, name)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": name})
        assert count.scalar() == 1


def test_without_a_database_it_says_so() -> None:
    with pytest.raises(UnavailableError):
        migrate("postgresql://hydroml:x@127.0.0.1:9/hydroml")
    with pytest.raises(UnavailableError):
        create_database_if_missing("postgresql://hydroml:x@127.0.0.1:9/hydroml", "mlflow")
