"""Fixtures every kind of test may use. Nothing here starts a server until a test asks for one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hydroml.entrypoints.settings import Settings
from tests import services

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["HYDROML_TEST_OWNER"] = str(os.getpid())
services.export_environment()

DJANGO_TESTS = ("tests/integration/web/", "tests/management_commands/")


@pytest.hookimpl(tryfirst=True)
def pytest_collect_file(file_path: Path) -> None:
    """Only these need Django in the process; a conftest of theirs that imports models calls `setup_django` itself."""
    if file_path.suffix == ".py" and file_path.relative_to(services.ROOT).as_posix().startswith(DJANGO_TESTS):
        services.setup_django()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        services.stop()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """An empty database of this worker's own (SQLAlchemy's form of the address)."""
    return services.create_database(f"{services.database_name()}_empty")


@pytest.fixture(scope="session")
def database_url() -> str:
    """This worker's database as `hydroml migrate` leaves it; `Settings()` and Django's settings name the same one."""
    template = services.migrated_template()
    services.create_database(f"{services.database_name()}_mlflow")
    return services.create_database(services.database_name(), template=template)


@pytest.fixture(scope="session")
def mlflow_url() -> str:
    """An empty database for an MLflow store of this worker's own."""
    return services.create_database(f"{services.database_name()}_tracking")


@pytest.fixture(scope="session")
def django_db_setup(database_url: str, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's own would make a database with Django's tables alone."""
    yield
    from django.db import connections

    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def clean_database(database_url: str) -> str:
    """`database_url`, with every row of ours and Django's removed: for tests that commit."""
    with psycopg.connect(database_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        found = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('hydroml', 'public')"
            " AND tablename NOT IN ('alembic_version', 'django_migrations', 'django_content_type', 'auth_permission')"
        ).fetchall()
        if found:
            tables = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table in found)
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))
    return database_url


@pytest.fixture(scope="session")
def _valkey() -> services.Addresses:
    return services.ensure_started()


@pytest.fixture
def broker_url(_valkey: services.Addresses) -> str:
    """An emptied broker, in Celery's form of the address."""
    _flush(_valkey.broker)
    return _valkey.broker


@pytest.fixture
def redis_url(_valkey: services.Addresses) -> str:
    """An emptied Valkey database, in redis-py's form of the address."""
    _flush(_valkey.cache)
    return _valkey.cache


def _flush(url: str) -> None:
    import redis

    client = redis.Redis.from_url(url.replace("redis+socket:", "unix:", 1).replace("virtual_host=", "db="))
    client.flushdb()
    client.close()


@pytest.fixture(scope="session")
def _s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(_s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """`s3://bucket/prefix?endpoint=…` of an empty bucket, with credentials in the environment."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"test-{os.urandom(4).hex()}"
    boto3.client("s3", endpoint_url=_s3_endpoint).create_bucket(Bucket=bucket)
    return f"s3://{bucket}/prefix?endpoint={_s3_endpoint}"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder whose path is short enough for sockets, and open to the database's user when we are root."""
    with short_folder() as folder:
        yield folder / "data"


@pytest.fixture(scope="module")
def module_environment() -> Iterator[dict[str, str]]:
    """As `embedded_environment`, for an installation that the tests of a module share."""
    with short_folder() as folder:
        yield environment_of(folder / "data")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server installation: this worker's services, a data folder of this test's own."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def embedded_environment(data_dir: Path) -> dict[str, str]:
    """The environment of an embedded installation in `data_dir`, for commands run as child processes."""
    return environment_of(data_dir)


@contextmanager
def short_folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hml-", dir="/tmp"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment_of(data_dir: Path) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HYDROML_", "DJANGO_", "PYTEST_", "COV_"))
    }
    return environment | {"HYDROML_DATA_DIR": str(data_dir), "PYTHONPATH": str(services.ROOT / "src")}
