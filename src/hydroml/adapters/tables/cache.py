"""Files that can be computed again: row positions of views, and tables as of a step. Safe with several processes."""

import atexit
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

_ABANDONED_SECONDS = 24 * 3600


def own_folder(parent: Path) -> Path:
    """A folder for this process's temporary files, gone when it ends; those of killed processes go now.

    A lock tells the living from the dead, also where process numbers mean nothing to each other.
    """
    for old in parent.glob("process-*"):
        with suppress(OSError), (old / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix="process-"))
    held = (folder / "lock").open("wb")
    fcntl.flock(held, fcntl.LOCK_EX)
    atexit.register(_leave, folder, held, os.getpid())
    return folder


def _leave(folder: Path, held: BinaryIO, owner: int) -> None:
    if os.getpid() == owner:  # a forked child has the same handlers
        shutil.rmtree(folder, ignore_errors=True)
    held.close()


class FileCache:
    """Files under a hash of what they answer; the ones unused for longest leave when there are too many bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._making: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.part"):  # of a process that was killed
            with suppress(FileNotFoundError):
                if time.time() - unfinished.stat().st_mtime > _ABANDONED_SECONDS:
                    unfinished.unlink()

    def file(self, question: str, ending: str, make: Callable[[Path], None]) -> Path:
        """The file that answers `question`; `make` writes it when it is not there.

        It appears under its name only when it is whole. Two threads never make the same one at once.
        """
        path = self.path(question, ending)
        with self._lock:
            turn = self._making.setdefault(path.name, threading.Lock())
        with turn:
            if not self._used(path):
                unfinished = path.with_name(f"{uuid4().hex}.part")
                try:
                    make(unfinished)
                    unfinished.replace(path)
                finally:
                    unfinished.unlink(missing_ok=True)
                self._shrink(path)
        with self._lock:
            self._making.pop(path.name, None)
        return path

    def holds(self, question: str, ending: str) -> bool:
        return self.path(question, ending).exists()

    def path(self, question: str, ending: str) -> Path:
        return self.folder / f"{hashlib.sha256(question.encode()).hexdigest()[:40]}{ending}"

    def _used(self, path: Path) -> bool:
        """Whether the file is there; if so, it counts as just used."""
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _shrink(self, keep: Path) -> None:
        found = []
        for path in self.folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._limit:
                return
            if path != keep:
                path.unlink(missing_ok=True)  # who has it open goes on reading
                total -= size
