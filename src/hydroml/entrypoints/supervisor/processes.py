"""Child processes that cannot outlive us: sessions of their own, a death signal, a log, and an orderly end."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LARGEST_LOG = 10_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class ServiceError(Exception):
    """A service could not be started or stopped; the message is meant for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom a child runs as."""

    uid: int
    gid: int


def service_user() -> User | None:
    """For a server that refuses to run as root: `nobody` when we are root, ourselves otherwise."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_uid, entry.pw_gid)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process a signal when its parent ends, however that comes about (Linux only).

    The request follows the *thread* that forked, so fork from the main one. A fork does not inherit it: a worker's pool
    calls this in each of its processes.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


@dataclass(slots=True, kw_only=True)
class Child:
    """One supervised process: started, watched, and stopped together with whatever it started in its group."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    user: User | None = None
    cwd: Path | None = None
    stop_signals: Sequence[int] = (signal.SIGTERM,)
    """Sent one after the other, each with its share of the patience; SIGKILL follows by itself."""
    death_signal: int = signal.SIGKILL
    patience: float = 3.0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Raises ServiceError when the program cannot be executed."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.log)
        parent = os.getpid()

        def before_exec() -> None:
            die_with_parent(self.death_signal)
            if os.getppid() != parent:  # it died while we were being born
                os._exit(1)

        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    list(self.command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(self.env) if self.env is not None else None,
                    cwd=self.cwd,
                    start_new_session=True,
                    preexec_fn=before_exec,  # noqa: PLW1509 (the supervisor has one thread)
                    user=self.user.uid if self.user else None,
                    group=self.user.gid if self.user else None,
                    extra_groups=() if self.user else None,
                )
        except OSError as error:
            raise ServiceError(f"{self.name} could not be started: {error}") from error

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it still runs; a dead one stays a zombie until `reap`, so that nobody else gets its number."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def reap(self) -> int | None:
        """End what is left of its group; its exit code, or None when it was never started."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode

    def ask_to_stop(self) -> None:
        """Send the first stop signal and do not wait."""
        self._signal(self.stop_signals[0])

    def stop(self) -> int | None:
        """Stop it: politely, then by force; its exit code."""
        for number in self.stop_signals:
            self._signal(number)
            if wait_until(lambda: not self.alive, self.patience / len(self.stop_signals)):
                break
        return self.reap()

    def tail(self, lines: int = 3) -> str:
        """The end of its log, for an error message."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4000))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def _signal(self, number: int) -> None:
        if self.alive and self._process is not None:
            self._process.send_signal(number)


@dataclass(slots=True)
class Backoff:
    """How long to wait before a dead child is started again: 0.5 s, doubling to 30 s; a healthy minute forgets."""

    failures: int = 0
    started: float = 0.0
    due: float | None = None

    def began(self, now: float) -> None:
        """It was started."""
        self.started, self.due = now, None

    def died(self, now: float) -> float:
        """It was found dead; the delay until the next start."""
        self.failures = 1 if now - self.started > 60 else self.failures + 1
        delay = min(0.5 * 2.0 ** (self.failures - 1), 30.0)
        self.due = now + delay
        return delay


def wait_until(condition: Callable[[], bool], seconds: float, *, step: float = 0.02) -> bool:
    """Whether `condition` became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step)
    return True


def _rotate(log: Path) -> None:
    with suppress(OSError):
        if log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
