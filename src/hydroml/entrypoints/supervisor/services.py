"""PostgreSQL and Valkey of an embedded installation together, for `serve` and for single commands."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import unquote, urlsplit

from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.ownership import Ownership
from hydroml.entrypoints.supervisor.postgres import PostgresServer, passable_folder
from hydroml.entrypoints.supervisor.processes import ServiceError
from hydroml.entrypoints.supervisor.valkey import ValkeyServer

SUPERVISED = "HYDROML_SUPERVISED"
"""Set for the supervisor's children, which find their services running."""


_LONGEST_START = 120.0


class EmbeddedServices:
    """The private servers that these settings ask for, in the order of their start; none in a server installation."""

    def __init__(self, settings: Settings) -> None:
        self.servers: list[PostgresServer | ValkeyServer] = []
        if settings.embedded:
            self.servers.append(
                PostgresServer(
                    data_dir=settings.data_dir,
                    socket_dir=settings.run_dir / "postgres",
                    log=settings.log_dir / "postgres.log",
                    password=unquote(urlsplit(settings.database_url).password or ""),
                )
            )
        if settings.embedded_broker:
            self.servers.append(
                ValkeyServer(
                    data=settings.data_dir / "valkey",
                    socket_path=settings.run_dir / "valkey.sock",
                    log=settings.log_dir / "valkey.log",
                    password=unquote(urlsplit(settings.broker_url).password or ""),
                )
            )

    def start(self) -> None:
        """Start them; when one does not come up, none is left running."""
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop them in reverse order."""
        for server in reversed(self.servers):
            server.stop()


def prepare_data_dir(settings: Settings) -> None:
    """Make the data folder and its standing parts."""
    passable_folder(settings.data_dir)
    for folder in (settings.tmp_dir, settings.log_dir):
        folder.mkdir(mode=0o700, exist_ok=True)
    if settings.embedded or settings.embedded_broker:
        passable_folder(settings.run_dir)


@contextmanager
def embedded_services(settings: Settings, activity: str = "command") -> Iterator[None]:
    """Run the block with the services up: those of a running `serve` (or command), else ones started for the block.

    Does nothing in a server installation and in the supervisor's own children. Raises ServiceError.
    """
    if os.environ.get(SUPERVISED) or not (settings.embedded or settings.embedded_broker):
        yield
        return
    prepare_data_dir(settings)
    with Ownership(settings.data_dir) as ownership:
        deadline = time.monotonic() + _LONGEST_START
        ownership.share()
        while not ownership.claim(activity):
            if _answers(settings):
                yield
                return
            if time.monotonic() > deadline:
                name, pid = ownership.holder()
                raise ServiceError(
                    f"`hydroml {name}` (process {pid}) holds the data folder, but its services do not answer"
                )
            ownership.stop_sharing()  # the owner may be waiting for us in order to stop
            time.sleep(0.1)
            ownership.share()
        ownership.stop_sharing()
        services = EmbeddedServices(settings)
        services.start()
        try:
            yield
        finally:
            ownership.wait_for_users()
            services.stop()


def _answers(settings: Settings) -> bool:
    """Whether the owner's services take connections; it may still be starting them, or failing to."""
    sockets = []
    if settings.embedded:
        sockets.append(settings.run_dir / "postgres" / ".s.PGSQL.5432")
    if settings.embedded_broker:
        sockets.append(settings.run_dir / "valkey.sock")
    for path in sockets:
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                return False
    return True


__all__ = ["SUPERVISED", "EmbeddedServices", "ServiceError", "embedded_services", "prepare_data_dir"]
