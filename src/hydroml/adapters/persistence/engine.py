"""The engine: how we connect, and what the database's troubles mean to those who call us."""

import json
from math import isfinite, isnan
from typing import Any

import psycopg
from sqlalchemy import Engine, event, make_url
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.engine import ExceptionContext

from hydroml.domain.errors import ConcurrentUpdateError, InvalidInputError, UnavailableError

CONNECT_SECONDS = 5
POOL_WAIT_SECONDS = 10
SEARCH_PATH = "-c search_path=public"
"""Without it a role named like our schema would find that one in place of `public`."""
_OPTIONS = (
    f"{SEARCH_PATH} -c timezone=UTC"
    " -c statement_timeout=30s"
    " -c lock_timeout=10s"
    # a process that hangs within a transaction must not hold its locks for ever
    " -c idle_in_transaction_session_timeout=60s"
)


def create_engine(database_url: str, *, pool_size: int = 5, max_overflow: int = 15) -> Engine:
    """Connects at first use. Belongs to one process: build it after a fork.

    Statements raise UnavailableError when the database does not answer, ConcurrentUpdateError when somebody else's
    transaction is in the way, and InvalidInputError for values it cannot hold.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy_engine(
        url,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=1_800,
        json_serializer=to_json,
        connect_args={
            "application_name": "hydroml",
            "connect_timeout": CONNECT_SECONDS,
            "options": _OPTIONS,
            # TCP: notice within about half a minute that the server's machine is gone
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )
    event.listen(engine, "handle_error", _translate)
    return engine


def to_json(document: Any) -> str:
    """JSON as PostgreSQL takes it: numbers that are not finite as text, which reads back as a number."""
    try:
        return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(document), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _translate(context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool's own business: it connects again
    error = context.original_exception
    if isinstance(
        error,
        psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure,
    ):
        raise ConcurrentUpdateError("somebody else is changing the same; try again") from error
    if isinstance(error, psycopg.errors.QueryCanceled):
        raise UnavailableError("the database took too long to answer; try again later") from error
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        raise UnavailableError("the database does not answer; try again later") from error
    if isinstance(error, psycopg.DataError):
        raise InvalidInputError("a text holds characters, or a number is of a size, that cannot be stored") from error
    if isinstance(error, UnicodeEncodeError):
        raise InvalidInputError("a text is not valid Unicode") from error
