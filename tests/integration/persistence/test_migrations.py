"""Migrations lead to exactly the tables in the code, once, whoever runs them, and leave Django's alone."""

import json
import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from hydroml.adapters.persistence.migrations import config, create_database_if_missing, migrate, migration_engine
from hydroml.adapters.persistence.sources import SqlAlchemyVersionRepository
from hydroml.adapters.persistence.studio import SqlAlchemySessionRepository
from hydroml.domain.errors import UnavailableError
from hydroml.domain.sources import Original, VersionId
from hydroml.domain.studio.session import SessionId
from hydroml.domain.studio.steps import Filter
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


def test_versions_of_one_file_become_versions_of_several(url: str, engine: Engine) -> None:
    source_id, version_id = uuid4(), uuid4()
    origin = {"kind": "upload", "parents": [], "original": {"blob": "b", "filename": "a.csv", "size": 3}}
    with engine.connect() as connection:
        connection.execute(text("CREATE SCHEMA hydroml"))
        command.upgrade(config(connection), "0001")
        connection.execute(
            text("INSERT INTO hydroml.source VALUES (:id, 'a', :id, 'ready', NULL, NULL, 1, NULL, now(), now(), 0)"),
            {"id": source_id},
        )
        connection.execute(
            text(
                "INSERT INTO hydroml.version (id, source_id, number, columns, rows, size, fingerprint, origin, parents,"
                " original_blob, created_by, created_at)"
                " VALUES (:id, :source, 1, '[]', 0, 0, 'f', :origin, '{}', 'b', :id, now())"
            ),
            {"id": version_id, "source": source_id, "origin": json.dumps(origin)},
        )
        connection.commit()
    migrate(url)
    with engine.connect() as connection:
        version = SqlAlchemyVersionRepository(connection).get(VersionId(version_id))
    assert version.origin.originals == (Original("b", "a.csv", 3),)
    assert version.blobs == {"b", "f"}
    with engine.connect() as connection:
        command.downgrade(config(connection), "0001")
        kept = connection.execute(text("SELECT origin, original_blob FROM hydroml.version")).one()
    assert (kept.origin, kept.original_blob) == (origin, "b")


def test_the_history_of_a_session_becomes_rows_and_back(url: str, engine: Engine) -> None:
    id_, first, second, third = (uuid4() for _ in range(4))
    step = {"op": "filter", "condition": "rain > 1"}
    entries = [
        {"id": e.hex, "parent": parent and parent.hex, "step": step, "fitted": {"a": [1.5]}, "enabled": e != third}
        for e, parent in ((first, None), (second, first), (third, None))
    ]
    ahead = [[None, first.hex], [first.hex, second.hex]]
    with engine.connect() as connection:
        connection.execute(text("CREATE SCHEMA hydroml"))
        command.upgrade(config(connection), "0006")
        connection.execute(
            text("INSERT INTO hydroml.source VALUES (:id, 'a', :id, 'ready', NULL, NULL, 1, NULL, now(), now(), 0)"),
            {"id": id_},
        )
        connection.execute(text("INSERT INTO hydroml.project VALUES (:id, 'a', '', now(), 0)"), {"id": id_})
        connection.execute(
            text("INSERT INTO hydroml.version VALUES (:id, :id, 1, '[]', 0, 0, 'f', '{}', '{}', :id, now(), '{}')"),
            {"id": id_},
        )
        connection.execute(
            text(
                "INSERT INTO hydroml.session (id, version_id, project_id, owner_id, entries, cursor, ahead, created_at,"
                " updated_at, revision) VALUES (:id, :id, :id, :id, :entries, :cursor, :ahead, now(), now(), 3)"
            ),
            {"id": id_, "entries": json.dumps(entries), "cursor": second, "ahead": json.dumps(ahead)},
        )
        connection.commit()
    migrate(url)
    with engine.connect() as connection:
        session = SqlAlchemySessionRepository(connection).get(SessionId(id_))
        assert connection.execute(text("SELECT steps FROM hydroml.session")).scalar_one() == 2
        assert [(e.id, e.parent, e.enabled) for e in session.entries] == [
            (first, None, True),
            (second, first, True),
            (third, None, False),
        ]
        assert session.entries[0].step == Filter("rain > 1")
        assert (session.entries[0].fitted, session.ahead) == ({"a": [1.5]}, {None: first, first: second})
        command.downgrade(config(connection), "0006")
        kept = connection.execute(text("SELECT entries, ahead FROM hydroml.session")).one()
        assert [UUID(entry["id"]) for entry in kept.entries] == [first, second, third]
        assert [entry["step"] for entry in kept.entries] == [step] * 3
        assert [[place and UUID(place), UUID(child)] for place, child in kept.ahead] == [[None, first], [first, second]]


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
        assert connection.execute(text("SELECT version_num FROM hydroml.alembic_version")).scalars().all() == [
            ScriptDirectory.from_config(config(connection)).get_current_head()
        ]


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
