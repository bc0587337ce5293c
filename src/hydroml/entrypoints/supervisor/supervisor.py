"""`hydroml serve`: everything one machine needs, held by one light process.

PostgreSQL → Valkey → migrations → web → worker → scheduler; stopped in reverse order. The supervisor itself imports
neither Django nor Celery: what does is a child.
"""

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import FrameType

import hydroml
from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.ownership import Ownership
from hydroml.entrypoints.supervisor.processes import Backoff, Child, ServiceError, wait_until
from hydroml.entrypoints.supervisor.services import SUPERVISED, EmbeddedServices, embedded_services, prepare_data_dir

_FIRST_START_DONE = "administrator-created"
_MIGRATED = "migrated"


class _Stop(BaseException):
    """A signal asked us to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What `hydroml serve` was called with."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0 takes a free one."""
    web_only: bool = False
    workers: int = 1


@dataclass(slots=True)
class _Watched:
    child: Child
    launch: Callable[[], None]
    backoff: Backoff = field(default_factory=Backoff)


class Supervisor:
    """Starts, watches and stops the parts. `run` returns after a signal, raises ServiceError when one won't start."""

    def __init__(self, settings: Settings, options: ServeOptions) -> None:
        self._settings, self._options = settings, options
        self._services = EmbeddedServices(settings)
        self._watched: list[_Watched] = []
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP."""
        settings = self._settings
        before = {number: signal.signal(number, self._on_signal) for number in _STOP_SIGNALS}
        try:
            prepare_data_dir(settings)
            with ExitStack() as held:
                if self._options.web_only:
                    held.enter_context(embedded_services(settings, "serve --web-only"))
                else:
                    held.enter_context(Ownership(settings.data_dir)).claim_for_serving(_say)
                port = free_port(self._options.host, self._options.port)
                try:
                    self._start(port)
                    self._watch()
                finally:
                    self._stopping = True
                    self._stop()
        except _Stop:
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, port: int) -> None:
        """The web server comes before the worker: four heavy starts at once would only keep the first page waiting."""
        web = self._part("web", [*_PYTHON, "uvicorn", *self._uvicorn_options(port)], patience=2.0)
        if self._options.web_only:
            self._launch(web)
            self._wait_for_web(web, port)
        else:
            self._services.start()
            for server in self._services.servers:
                if server.child is not None:
                    self._watched.append(_Watched(server.child, server.launch))
            self._migrate_and_launch(web)
            self._create_administrator()
            self._wait_for_web(web, port)
            self._launch(self._part("worker", [*_PYTHON, "hydroml", "worker"], patience=2.5))
            self._launch(self._part("scheduler", [*_PYTHON, "hydroml", "scheduler"], patience=1.0))
        host = _reachable_host(self._options.host)
        shown = f"[{host}]" if ":" in host else host
        _say(f"HydroML is ready on http://{shown}:{port}  (data in {self._settings.data_dir}; Ctrl-C stops it)")

    def _migrate_and_launch(self, web: Child) -> None:
        """Migrations first; but where this very code has run them before, the web server has nothing to await."""
        mark, wanted = self._settings.data_dir / _MIGRATED, _migrations_fingerprint()
        migrate = self._part("migrate", [*_PYTHON, "hydroml", "migrate"])
        done_before = mark.exists() and mark.read_text() == wanted
        if done_before:
            self._launch(web)
        self._run_once(migrate)
        if not done_before:
            mark.write_text(wanted)
            self._launch(web)

    def _uvicorn_options(self, port: int) -> list[str]:
        settings = self._settings
        proxies = ",".join(settings.trusted_proxies)
        return [
            "hydroml.entrypoints.web.asgi:application",
            f"--host={self._options.host}",
            f"--port={port}",
            f"--workers={self._options.workers}",
            "--lifespan=off",
            "--no-server-header",
            "--no-access-log",
            "--timeout-graceful-shutdown=1",  # open event streams would hold the end up
            *(["--proxy-headers", f"--forwarded-allow-ips={proxies}"] if proxies else ["--no-proxy-headers"]),
        ]

    def _wait_for_web(self, web: Child, port: int) -> None:
        host = _reachable_host(self._options.host)
        name = self._settings.allowed_hosts[0].lstrip(".*") or "localhost"
        if not wait_until(lambda: _answers(host, port, name) or not web.alive, 120.0, step=0.05) or not web.alive:
            raise ServiceError(f"the web server did not get ready ({web.log}): {web.tail()}")

    def _create_administrator(self) -> None:
        """On the first start of an embedded installation; the command prints the password, once, to our terminal."""
        mark = self._settings.data_dir / _FIRST_START_DONE
        if not self._settings.embedded or mark.exists():
            return
        arguments = ["create_user", "admin", "--admin", "--generated-password"]
        child = self._part("administrator", [*_PYTHON, "hydroml", *arguments])
        child.log.unlink(missing_ok=True)
        try:
            self._run_once(child)
            _say(child.log.read_text().rstrip())
        finally:
            child.log.unlink(missing_ok=True)  # it holds a password
        mark.touch()

    def _run_once(self, child: Child) -> None:
        child.start()
        try:
            wait_until(lambda: not child.alive, float("inf"))
        finally:
            code = child.stop()
        if code != 0:
            raise ServiceError(f"{child.name} failed ({child.log}): {child.tail()}")

    def _part(
        self, name: str, command: list[str], *, stop_signals: tuple[int, ...] = (signal.SIGTERM,), patience: float = 3.0
    ) -> Child:
        environment = os.environ | {
            "HYDROML_DATA_DIR": str(self._settings.data_dir),
            "PYTHONUNBUFFERED": "1",
            SUPERVISED: "1",
        }
        log = self._settings.log_dir / f"{name}.log"
        return Child(name=name, command=command, log=log, env=environment, stop_signals=stop_signals, patience=patience)

    def _launch(self, child: Child) -> None:
        child.start()
        watched = _Watched(child, child.start)
        watched.backoff.began(time.monotonic())
        self._watched.append(watched)

    def _watch(self) -> None:
        """Start again what died, later and later."""
        while True:
            time.sleep(0.2)
            now = time.monotonic()
            for watched in self._watched:
                child, backoff = watched.child, watched.backoff
                if child.alive:
                    continue
                if backoff.due is None:
                    code = child.reap()
                    delay = backoff.died(now)
                    _say(f"{child.name} ended with {code} and is started again in {delay:g} s (see {child.log})")
                elif now >= backoff.due:
                    try:
                        watched.launch()
                        backoff.began(time.monotonic())
                    except ServiceError as error:
                        _say(f"{error}; the next try is in {backoff.died(time.monotonic()):g} s")

    def _stop(self) -> None:
        """In reverse order; all know of it at once, so that the last awaited has had the time of the others."""
        servers = [server.child for server in self._services.servers if server.child]
        parts = [watched.child for watched in reversed(self._watched) if watched.child not in servers]
        for child in parts:
            child.ask_to_stop()
        for child in parts:
            child.stop()
        self._services.stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise _Stop


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PYTHON = (sys.executable, "-P", "-m")  # -P: the working folder is not a place for modules


def _migrations_fingerprint() -> str:
    """Changes when a migration of ours comes or changes."""
    package = Path(hydroml.__file__).parent
    digest = sha256()
    for folder in (
        package / "migrations",
        package.parents[1] / "migrations",
        package / "entrypoints/web/accounts/migrations",
    ):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def free_port(host: str, port: int) -> int:
    """`port`, or one that is free when it is 0; raises ServiceError when it is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceError(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
            ) from error
        return int(probe.getsockname()[1])


def _reachable_host(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)


def _answers(host: str, port: int, name: str) -> bool:
    """Whether `/readyz` is content; a redirect to https is an answer, too."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/readyz", headers={"Host": f"{name}:{port}"})
        return connection.getresponse().status < 500
    return False


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone; that is no reason to leave children behind
        print(text, flush=True)


def serve(settings: Settings, options: ServeOptions) -> None:
    """What the command `serve` does."""
    Supervisor(settings, options).run()
