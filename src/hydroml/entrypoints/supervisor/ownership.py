"""Who runs the services of a data folder: one `serve`, or the commands that happen to need them.

The owner holds an exclusive lock; commands that use the owner's services share another, for which a command that owns
them waits before it stops them. Locks go with their process, however it ends.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from pathlib import Path
from typing import IO, Self

from hydroml.entrypoints.supervisor.processes import ServiceError


class Ownership:
    """The claim of one process on a data folder; released by `close` or by the end of the process."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "owner.lock"
        self._owner: IO[str] = self._path.open("a+")
        self._users: IO[str] = (data_dir / "users.lock").open("a+")
        self._owns = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def claim(self, activity: str) -> bool:
        """Become the owner, unless somebody is."""
        try:
            flock(self._owner, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        self._owns = True
        self._owner.seek(0)
        self._owner.truncate()
        json.dump({"pid": os.getpid(), "activity": activity}, self._owner)
        self._owner.flush()
        return True

    def claim_for_serving(self, announce: Callable[[str], None], *, patience: float = 120.0) -> None:
        """Become the owner for long; waits for a command that is at work, raises ServiceError when somebody serves."""
        deadline = time.monotonic() + patience
        announced = False
        while not self.claim("serve"):
            activity, pid = self.holder()
            if activity == "serve" or time.monotonic() > deadline:
                raise ServiceError(
                    f"the data folder {self._path.parent} is in use by `hydroml {activity}` (process {pid}); "
                    "stop it first, or choose another folder with --data-dir"
                )
            if not announced:
                announce(f"waiting for `hydroml {activity}` (process {pid}) to end")
                announced = True
            time.sleep(0.2)

    def share(self) -> None:
        """Be counted as a user of the owner's services; waits while they are being stopped."""
        flock(self._users, LOCK_SH)

    def wait_for_users(self) -> None:
        """Before the owner stops the services: wait until nobody else uses them, and let nobody begin."""
        flock(self._users, LOCK_EX)

    def stop_sharing(self) -> None:
        """The opposite of `share`."""
        flock(self._users, LOCK_UN)

    def holder(self) -> tuple[str, int]:
        """What the owner does and its process, as far as is known."""
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(self._path.read_text())
            return str(found["activity"]), int(found["pid"])
        return "another command", 0

    def close(self) -> None:
        """Give both locks up, the owner's first: who waits for the other then finds it free."""
        self._owner.close()
        self._users.close()
