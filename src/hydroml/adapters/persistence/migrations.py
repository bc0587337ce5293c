"""Brings the schema up to date, and makes databases; safe to be called by several processes at once."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from hydroml.adapters.persistence.engine import CONNECT_SECONDS, SEARCH_PATH
from hydroml.adapters.persistence.metadata import SCHEMA
from hydroml.domain.errors import UnavailableError

_MIGRATION_LOCK = 0x6879_6472_6F6D  # any number, as long as it is always this one
_PACKAGE = Path(__file__).parents[2]


def migrate(database_url: str) -> None:
    """Creates the schema if need be and runs the migrations that are missing. Raises UnavailableError."""
    engine = migration_engine(database_url)
    try:
        with engine.connect() as connection:
            # Held by the connection, not by a transaction: a second process waits here and then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            connection.commit()
            command.upgrade(config(connection), "head")
            connection.commit()
    except OperationalError as error:
        raise UnavailableError(f"the database does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def migration_engine(database_url: str) -> Engine:
    """Without the limits of time that ordinary work has: a migration may take long."""
    return create_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={
            "application_name": "hydroml migrate",
            "connect_timeout": CONNECT_SECONDS,
            "options": SEARCH_PATH,
        },
    )


def config(connection: Connection) -> Config:
    """Alembic's configuration for an open connection."""
    made = Config()
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def folder() -> Path:
    """Where the migrations are: within the installed package, or at the top of a checkout."""
    for candidate in (_PACKAGE / "migrations", _PACKAGE.parents[1] / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    raise FileNotFoundError("the migrations are neither in the package nor beside its sources")


def create_database_if_missing(database_url: str, name: str) -> None:
    """Makes an empty database on the same server. Raises UnavailableError, also when the role may not do that."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            known = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if known.scalar() is None:
                quoted = engine.dialect.identifier_preparer.quote_identifier(name)
                connection.execute(text(f"CREATE DATABASE {quoted}"))
    except Exception as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.errors.DuplicateDatabase | psycopg.errors.UniqueViolation):
            return  # another process was faster
        if isinstance(cause, psycopg.Error):
            raise UnavailableError(f"the database “{name}” could not be made: {cause}") from error
        raise
    finally:
        engine.dispose()
