"""Settings: derived when embedded, checked when on a server, silent about secrets."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from hydroml.entrypoints import settings as module
from hydroml.entrypoints.settings import Settings, run_dir, stored_secret

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HYDROML_") or name == "SENTRY_DSN":
            monkeypatch.delenv(name)


def server(**changes: object) -> Settings:
    given = {
        "database_url": "postgresql://me:p%40ss@db.example:5433/hydro?sslmode=require",
        "broker_url": "redis://b/0",
    }
    return Settings(**(given | {"secret_key": SECRET, "data_dir": "/nowhere"} | changes))  # type: ignore[arg-type]


def test_embedded_addresses_lie_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert settings.embedded
    assert settings.embedded_broker
    assert settings.storage_url == (tmp_path / "data" / "blobs").as_uri()
    assert str(settings.run_dir) in settings.database_url
    assert settings.mlflow_tracking_uri.startswith("postgresql+psycopg://hydroml:")
    assert "/mlflow?" in settings.mlflow_tracking_uri
    assert not settings.https


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    first, second = Settings(data_dir=tmp_path / "data"), Settings(data_dir=tmp_path / "data")
    assert first == second
    for path in (tmp_path / "data" / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(path.read_text()) >= 32
    assert stored_secret(tmp_path / "data", "secret_key") == first.secret_key.get_secret_value()


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", sentry_dsn="https://key@sentry.example/1")
    shown = f"{settings!r} {settings}"
    for path in (tmp_path / "data" / "secrets").iterdir():
        assert path.read_text() not in shown
    assert "key@sentry" not in shown


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYDROML_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HYDROML_MEMORY_LIMIT", "2GB")
    monkeypatch.setenv("HYDROML_ALLOWED_HOSTS", "a.example, b.example")
    monkeypatch.setenv("HYDROML_WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example/1")
    settings = Settings()
    assert settings.memory_limit == 2_000_000_000
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.worker_concurrency == 3
    assert settings.sentry_dsn == "https://key@sentry.example/1"


def test_settings_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        Settings(data_dir=tmp_path).debug = True  # type: ignore[misc]


def test_server_derives_the_rest_from_its_database() -> None:
    settings = server()
    assert not settings.embedded
    assert not settings.embedded_broker
    assert settings.https
    assert settings.cache_url == "redis://b/0"
    assert settings.mlflow_tracking_uri == "postgresql+psycopg://me:p%40ss@db.example:5433/mlflow?sslmode=require"
    assert settings.django_database() == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "hydro",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"options": "-c search_path=public", "sslmode": "require"},
    }


def test_django_finds_the_socket(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert settings.django_database()["HOST"] == str(settings.run_dir / "postgres")


@pytest.mark.parametrize(
    "secret", ["", "short", "changeme-changeme-changeme-changeme-changeme", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
)
def test_server_refuses_weak_secrets(secret: str) -> None:
    with pytest.raises(ValidationError, match="32 random characters") as caught:
        server(secret_key=secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("missing", ["secret_key", "broker_url"])
def test_server_names_what_is_missing(missing: str) -> None:
    with pytest.raises(ValidationError, match=f"HYDROML_{missing.upper()}"):
        server(**{missing: None})


def test_database_must_be_postgresql() -> None:
    with pytest.raises(ValidationError, match="PostgreSQL"):
        server(database_url="sqlite:///x.db")


def test_unknown_storage_is_refused() -> None:
    with pytest.raises(ValidationError, match="s3://"):
        server(storage_url="ftp://x")


def test_deep_folder_gets_a_short_place_for_its_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    short = run_dir(deep)
    assert len(str(short / "postgres" / ".s.PGSQL.5432")) <= 100
    assert short == run_dir(deep)
    assert short != run_dir(tmp_path / ("y" * 90))


def test_root_keeps_sockets_where_the_database_gets_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    assert run_dir(closed / "data").parent == Path("/tmp")
