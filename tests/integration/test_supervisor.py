"""`hydroml serve` and what it holds: everything comes up, everything goes down, nothing is left behind."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.postgres import PostgresServer, cluster_dir, passable_folder
from hydroml.entrypoints.supervisor.processes import Backoff, Child, ServiceError, wait_until
from hydroml.entrypoints.supervisor.services import embedded_services
from tests.conftest import environment_of
from tests.serving import Serving, processes_of


@dataclass(frozen=True)
class FirstStart:
    """What came of a first start that was stopped by Ctrl-C."""

    data_dir: Path
    output: str
    status: int
    code: int
    seconds_to_stop: float
    left: dict[int, str]


@pytest.fixture(scope="module")
def first_start(module_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstStart]:
    data_dir = Path(module_environment["HYDROML_DATA_DIR"])
    serving = Serving(module_environment, tmp_path_factory.mktemp("first") / "log")
    try:
        status = get(serving.ready(), "/readyz")
        began = time.monotonic()
        os.killpg(serving.process.pid, signal.SIGINT)
        code = serving.process.wait(90)
        yield FirstStart(data_dir, serving.output, status, code, time.monotonic() - began, processes_of(data_dir))
    finally:
        serving.stop()


@pytest.fixture
def serve(first_start: FirstStart, data_dir: Path, tmp_path: Path) -> Iterator[Callable[[], Serving]]:
    """Starts in a copy of that folder, which spares each test a first start."""
    subprocess.run(["cp", "-a", str(first_start.data_dir), str(data_dir)], check=True)
    started: list[Serving] = []

    def begin() -> Serving:
        started.append(Serving(environment_of(data_dir), tmp_path / f"serve-{len(started)}.log"))
        return started[-1]

    yield begin
    for serving in started:
        serving.stop()


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_first_start_serves_tells_how_to_log_in_and_stops(first_start: FirstStart) -> None:
    assert first_start.status == 200
    assert "admin" in first_start.output
    assert first_start.code == 0
    assert first_start.seconds_to_stop < 6
    assert first_start.left == {}


@pytest.mark.slow
def test_sigterm_stops_everything(serve: Callable[[], Serving], data_dir: Path) -> None:
    serving = serve()
    assert get(serving.ready(), "/readyz") == 200
    assert "admin" not in serving.output  # the administrator of the first start is still there
    serving.process.terminate()
    assert serving.process.wait(90) == 0
    assert processes_of(data_dir) == {}


@pytest.mark.slow
def test_nothing_survives_a_killed_supervisor(serve: Callable[[], Serving], data_dir: Path) -> None:
    serving = serve()
    serving.ready()
    serving.process.kill()
    serving.process.wait()
    assert wait_until(lambda: not processes_of(data_dir), 90), processes_of(data_dir)
    again = serve()
    assert get(again.ready(), "/readyz") == 200


@pytest.mark.slow
def test_second_serve_is_refused_and_dead_parts_come_back(serve: Callable[[], Serving], data_dir: Path) -> None:
    first = serve()
    port = first.ready()
    second = serve()
    assert second.process.wait(90) == 1
    assert f"in use by `hydroml serve` (process {first.process.pid})" in second.output

    web = next(pid for pid, command in processes_of(data_dir).items() if "uvicorn" in command)
    os.kill(web, signal.SIGKILL)

    def back() -> bool:
        try:
            return get(port, "/readyz") == 200
        except OSError:
            return False

    assert wait_until(lambda: "web ended with -9" in first.output, 90)
    assert wait_until(back, 90)


def test_taken_port_is_told(embedded_environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "hydroml", "serve", "--port", str(taken.getsockname()[1])],
            env=embedded_environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "choose another with --port" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def embedded_settings(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("HYDROML_") and not name.startswith("HYDROML_TEST_")]:
        monkeypatch.delenv(name)
    return Settings(data_dir=data_dir)


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


def test_a_command_brings_its_services_up_and_down(embedded_settings: Settings, data_dir: Path) -> None:
    with embedded_services(embedded_settings):
        assert rows(
            embedded_settings,
            "SELECT current_user, current_setting('fsync'), rolsuper FROM pg_roles WHERE rolname = 'hydroml'",
        ) == [("hydroml", "on", False)]
        with embedded_services(embedded_settings):  # another command finds them running
            assert rows(embedded_settings, "SELECT 1") == [(1,)]
    assert processes_of(data_dir) == {}


def test_database_is_closed_to_those_without_the_password(embedded_settings: Settings) -> None:
    with embedded_services(embedded_settings):
        sockets = embedded_settings.run_dir / "postgres"
        for user in ("hydroml", "postgres"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(f"postgresql://{user}:guess@/hydroml?host={sockets}")
        assert (sockets / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0
        assert (embedded_settings.run_dir / "valkey.sock").stat().st_mode & 0o077 == 0


def test_files_of_another_postgresql_are_refused(embedded_settings: Settings) -> None:
    with embedded_services(embedded_settings):
        pass
    (cluster_dir(embedded_settings.data_dir) / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServiceError, match=r"PostgreSQL 17.*backup"), embedded_services(embedded_settings):
        pass


def test_an_interrupted_first_start_begins_anew(data_dir: Path) -> None:
    passable_folder(data_dir)
    half = data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = PostgresServer(
        data_dir=data_dir, socket_dir=data_dir / "run" / "p", log=data_dir / "log", password="x" * 16, durable=False
    )
    server.start()
    server.stop()
    assert not half.exists()


def test_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there"
    (tmp_path / "elsewhere").mkdir()
    there.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServiceError, match="belongs to another user"):
        passable_folder(there)


def test_child_ends_with_everything_in_its_group(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 600 & echo $! > grandchild; wait; sleep 600"
    child = Child(name="stubborn", command=["sh", "-c", script], log=tmp_path / "log", cwd=tmp_path, patience=0.3)
    child.start()
    note = tmp_path / "grandchild"
    assert wait_until(lambda: note.exists() and note.read_text().strip() != "", 90)
    grandchild = int(note.read_text())
    assert child.stop() == -signal.SIGKILL
    assert wait_until(lambda: not _runs(grandchild), 90)


def test_child_that_cannot_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="nonesuch could not be started"):
        Child(name="nonesuch", command=["/nonesuch"], log=tmp_path / "log").start()


def test_backoff_grows_and_forgets() -> None:
    backoff = Backoff()
    delays = []
    for now in range(8):
        backoff.began(now)
        delays.append(backoff.died(now + 0.1))
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.began(100)
    assert backoff.died(200) == 0.5


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
