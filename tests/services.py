"""PostgreSQL, Valkey and S3 for the tests: one server of each a run, a database of its own for each worker.

The addresses are known before anything is started, so that Django's settings can be read at any time; the servers come
up when a test first asks for them. They belong to a small process of their own (`python -m tests.services`), which ends
with the run, since the worker that happened to need them first may end before the others.

`HYDROML_TEST_POSTGRES_URL` and `HYDROML_TEST_REDIS_URL` name servers to use instead; when they are given and cannot be
reached the tests fail.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).parent.parent
_RUN = "HYDROML_TEST_RUN"
PASSWORD = "only-for-the-tests"
SECRET_KEY = "a key for the tests only, 0123456789"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where this worker's services are, or will be once somebody asks."""

    postgres: str
    """The server's maintenance database; the others are `named`."""
    broker: str
    cache: str
    external_postgres: bool
    external_redis: bool

    def named(self, database: str, *, driver: str = "postgresql+psycopg") -> str:
        url = urlsplit(self.postgres)
        return f"{driver}://{url.netloc}/{database}" + (f"?{url.query}" if url.query else "")


def worker() -> str:
    """`gw0`, `gw1`, … under xdist, else `main`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def run_dir() -> Path:
    """The folder of this run, shared with its xdist workers."""
    if _RUN not in os.environ:
        path = Path("/tmp") / f"hydroml-tests-{os.getpid()}-{secrets.token_hex(3)}"
        path.mkdir(mode=0o711)
        os.environ[_RUN] = str(path)
    return Path(os.environ[_RUN])


def addresses() -> Addresses:
    """Pure: nothing is started."""
    number = 0 if worker() == "main" else 2 * int(worker().removeprefix("gw"))
    given_postgres = os.environ.get("HYDROML_TEST_POSTGRES_URL")
    given_redis = os.environ.get("HYDROML_TEST_REDIS_URL")
    run = run_dir()
    postgres = given_postgres or f"postgresql://hydroml:{PASSWORD}@/hydroml?host={run}/run/postgres"
    if given_redis:
        base = given_redis.rstrip("/").removesuffix("/0")
        broker, cache = f"{base}/{number % 14}", f"{base}/{number % 14 + 1}"
    else:
        socket = f"{run}/run/valkey.sock"
        broker = f"redis+socket://:{PASSWORD}@{socket}?virtual_host={number % 14}"
        cache = f"unix://:{PASSWORD}@{socket}?db={number % 14 + 1}"
    return Addresses(postgres, broker, cache, bool(given_postgres), bool(given_redis))


def ensure_started() -> Addresses:
    """Start what is not given from outside, once a run; raises RuntimeError with the reason."""
    where = addresses()
    run = run_dir()
    if not (where.external_postgres and where.external_redis):
        with _locked(run / "lock"):
            if not (run / "ready.json").exists():
                _spawn(run, postgres=not where.external_postgres, valkey=not where.external_redis)
    return where


def create_database(name: str, *, template: str | None = None) -> str:
    """A new empty database (or a copy of `template`) under this name; its SQLAlchemy address."""
    where = ensure_started()
    with psycopg.connect(
        where.named(urlsplit(where.postgres).path.strip("/"), driver="postgresql"), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        copied = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), copied))
    return where.named(name)


def migrated_template() -> str:
    """The name of a database that `hydroml migrate` has filled, made once a run."""
    ensure_started()
    run = run_dir()
    name = f"hydroml_template_{run.name.removeprefix('hydroml-tests-').replace('-', '_')}"
    with _locked(run / "template.lock"):
        if not (run / "template").exists():
            url = create_database(name)
            done = subprocess.run(
                [sys.executable, "-m", "hydroml", "migrate"],
                env=os.environ | {"HYDROML_DATABASE_URL": url, "PYTHONPATH": str(ROOT / "src")},
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"hydroml migrate failed on an empty database:\n{done.stdout}{done.stderr}")
            (run / "template").touch()
    return name


def database_name() -> str:
    """This worker's migrated database."""
    return f"hydroml_{run_dir().name.removeprefix('hydroml-tests-').replace('-', '_')}_{worker()}"


def export_environment() -> None:
    """Point `Settings()` of this process and its children at this worker's services. Nothing is started."""
    where = addresses()
    data = run_dir() / worker()
    data.mkdir(mode=0o700, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("HYDROML_") and not name.startswith("HYDROML_TEST_")]:
        del os.environ[name]  # the developer's own installation is none of the tests' business
    os.environ.pop("SENTRY_DSN", None)
    os.environ |= {
        "HYDROML_DATA_DIR": str(data),
        "HYDROML_DATABASE_URL": where.named(database_name()),
        "HYDROML_MLFLOW_TRACKING_URI": where.named(f"{database_name()}_mlflow"),
        "HYDROML_BROKER_URL": where.broker,
        "HYDROML_CACHE_URL": where.cache,
        "HYDROML_SECRET_KEY": SECRET_KEY,
        "HYDROML_HTTPS": "false",
        "HYDROML_ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    }


def setup_django() -> None:
    """Load Django with the settings of this worker.

    The variable must not stay: xdist's workers would inherit it, and pytest-django would load the settings in them
    before they know which worker they are.
    """
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "hydroml.entrypoints.web.settings"
    try:
        django.setup()
    finally:
        del os.environ["DJANGO_SETTINGS_MODULE"]


def stop() -> None:
    """End the run: the services by their recorded process, then the folder. For the process that began it."""
    run = run_dir()
    with suppress(OSError, ValueError):
        pid = int((run / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 15
        while (run / "ready.json").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    _drop_external(addresses())
    shutil.rmtree(run, ignore_errors=True)


def _drop_external(where: Addresses) -> None:
    """On a server that stays, leave nothing behind."""
    if not where.external_postgres:
        return
    mark = run_dir().name.removeprefix("hydroml-tests-").replace("-", "_")
    with suppress(psycopg.Error), psycopg.connect(where.postgres, autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (f"%{mark}%",)).fetchall()
        for (name,) in rows:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _spawn(run: Path, *, postgres: bool, valkey: bool) -> None:
    wanted = [name for name, on in (("postgres", postgres), ("valkey", valkey)) if on]
    owner = os.environ.get("HYDROML_TEST_OWNER", str(os.getpid()))
    with (run / "services.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.services", str(run), owner, *wanted],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (run / "pid").write_text(str(process.pid))
    while not (run / "ready.json").exists():
        if process.poll() is not None:
            raise RuntimeError(f"the test services did not start:\n{(run / 'services.log').read_text()}")
        time.sleep(0.02)
    process.returncode = 0  # it outlives this worker, by intention


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        flock(file, LOCK_EX)
        yield


def serve(run: Path, owner: int, wanted: list[str]) -> None:
    """The process that holds the servers, until SIGTERM or until `owner` is gone."""
    from hydroml.entrypoints.supervisor.postgres import PostgresServer
    from hydroml.entrypoints.supervisor.valkey import ValkeyServer

    stopping = False

    def stop_soon(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    servers: list[PostgresServer | ValkeyServer] = []
    if "postgres" in wanted:
        servers.append(
            PostgresServer(
                data_dir=run,
                socket_dir=run / "run" / "postgres",
                log=run / "postgres.log",
                password=PASSWORD,
                durable=False,
            )
        )
    if "valkey" in wanted:
        servers.append(
            ValkeyServer(
                data=run / "valkey", socket_path=run / "run" / "valkey.sock", log=run / "valkey.log", password=PASSWORD,
                durable=False,
            )
        )  # fmt: skip
    try:
        for server in servers:
            server.start()
        ready = run / "ready.json"
        ready.with_suffix(".new").write_text(json.dumps(asdict(addresses())))
        ready.with_suffix(".new").rename(ready)
        while not stopping and Path(f"/proc/{owner}").exists():
            time.sleep(0.1)
    finally:
        for server in reversed(servers):
            server.stop()
        (run / "ready.json").unlink(missing_ok=True)
        if not stopping:  # nobody else will
            shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
