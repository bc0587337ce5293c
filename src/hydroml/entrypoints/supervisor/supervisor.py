"""`hydroml serve`: everything one machine needs, held by one light process.

PostgreSQL → Valkey → migrations → worker → scheduler → web; stopped in reverse order. The supervisor itself imports
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
from types import FrameType

from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.ownership import Ownership
from hydroml.entrypoints.supervisor.processes import Backoff, Child, ServiceError, wait_until
from hydroml.entrypoints.supervisor.services import SUPERVISED, EmbeddedServices, embedded_services, prepare_data_dir

_FIRST_START_DONE = "administrator-created"


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
        web_only = self._options.web_only
        if not web_only:
            self._services.start()
            self._watched += [
                _Watched(server.child, server.launch) for server in self._services.servers if server.child
            ]
            self._run_once("migrate", ["migrate"], show=False)
            self._create_administrator()
            self._launch(
                self._part("worker", [*_PYTHON, "hydroml", "worker"], stop_signals=(signal.SIGTERM,), patience=2.5)
            )
            self._launch(self._part("scheduler", [*_PYTHON, "hydroml", "scheduler"], patience=1.0))
        web = self._part("web", [*_PYTHON, "uvicorn", *self._uvicorn_options(port)], patience=2.0)
        self._launch(web)
        self._wait_for_web(web, port)

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
        shown = f"[{host}]" if ":" in host else host
        _say(f"HydroML is ready on http://{shown}:{port}  (data in {self._settings.data_dir}; Ctrl-C stops it)")

    def _create_administrator(self) -> None:
        """On the first start of an embedded installation; the command prints the password, once, to our terminal."""
        mark = self._settings.data_dir / _FIRST_START_DONE
        if not self._settings.embedded or mark.exists():
            return
        self._run_once("administrator", ["create_user", "admin", "--admin", "--generated-password"], show=True)
        mark.touch()

    def _run_once(self, name: str, arguments: list[str], *, show: bool) -> None:
        child = self._part(name, [*_PYTHON, "hydroml", *arguments])
        if show:
            child.log.unlink(missing_ok=True)
        child.start()
        try:
            wait_until(lambda: not child.alive, float("inf"))
        finally:
            code = child.stop()
        if code != 0:
            raise ServiceError(f"`hydroml {' '.join(arguments)}` failed ({child.log}): {child.tail()}")
        if show:
            sys.stdout.write(child.log.read_text())
            sys.stdout.flush()
            child.log.unlink()  # it holds a password

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
        """In reverse order; worker and scheduler know of it while the web server still closes its connections."""
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
