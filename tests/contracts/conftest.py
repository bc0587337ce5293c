"""Each port's adapters, one after the other: what a suite asks for by the port's name."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from hydroml.adapters.memory import InMemoryStore, InMemoryUnitOfWork
from hydroml.adapters.persistence.engine import create_engine
from hydroml.adapters.persistence.metadata import metadata
from hydroml.adapters.persistence.migrations import migrate
from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.application.ports.repositories import UnitOfWorkFactory
from tests import services


@pytest.fixture(scope="session")
def migrated_engine() -> Iterator[Engine]:
    """On a database of its own with our tables, and none of Django's."""
    url = services.create_database(f"{services.database_name()}_contracts")
    migrate(url)
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(migrated_engine: Engine) -> Engine:
    """Without a row."""
    tables = ", ".join(table.fullname for table in metadata.sorted_tables)
    with migrated_engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables}"))
    return migrated_engine


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.services)])
def uow(request: pytest.FixtureRequest) -> UnitOfWorkFactory:
    """Units of work that share what they commit."""
    if request.param == "memory":
        store = InMemoryStore()
        return lambda: InMemoryUnitOfWork(store)
    engine: Engine = request.getfixturevalue("engine")
    return lambda: SqlAlchemyUnitOfWork(engine)
