"""Files that can be computed again: row positions of views, and tables as of a step. Safe with several processes."""

import atexit
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hydroml.application.ports.asking import asker

_UNFINISHED, _LOCK = ".part", ".lock"
_PAUSE = 0.01
_FREE = 20
"""One part in so many of the disk stays free."""


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
    """Files under a hash of what they answer; the ones unused for longest leave when there are too many bytes.

    All processes of a machine share it: one makes a file, the others wait for it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        folder.mkdir(parents=True, exist_ok=True)
        self._drop_unfinished()

    def file(self, question: str, ending: str, make: Callable[[Path], None]) -> Path:
        """The file that answers `question`; `make` writes it when it is not there.

        It appears under its name only when it is whole. No two threads or processes make the same one at once; who
        waits for another's gives up when nobody waits for the answer any more.
        """
        path = self._path(question, ending)
        if _used(path):
            return path
        with _turn(path):
            if not _used(path):
                unfinished = path.with_name(path.name + _UNFINISHED)
                try:
                    make(unfinished)
                    unfinished.replace(path)
                finally:
                    unfinished.unlink(missing_ok=True)
                self._shrink(path)
        return path

    def found(self, question: str, ending: str) -> Path | None:
        """The file if it is there."""
        path = self._path(question, ending)
        return path if _used(path) else None

    def forget(self, before: float, *, dry_run: bool = False) -> tuple[int, int]:
        """Removes what nobody has used since; gives how many files and bytes that are."""
        self._drop_unfinished()
        old = [one for one in self._files() if one[0] < before]
        for _, _, path in old if not dry_run else ():
            path.unlink(missing_ok=True)
        return len(old), sum(size for _, size, _ in old)

    def _path(self, question: str, ending: str) -> Path:
        return self.folder / f"{hashlib.sha256(question.encode()).hexdigest()[:40]}{ending}"

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each was last used, its size, and where it is."""
        found = []
        for path in self.folder.iterdir():
            if path.suffix not in (_UNFINISHED, _LOCK):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    found.append((status.st_mtime, status.st_size, path))
        return found

    def _drop_unfinished(self) -> None:
        """What processes that were killed have left."""
        for unfinished in self.folder.glob(f"*{_UNFINISHED}"):
            with suppress(OSError), _lock_of(unfinished.with_suffix("")).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                unfinished.unlink(missing_ok=True)

    def _shrink(self, keep: Path) -> None:
        found = self._files()
        total = sum(size for _, size, _ in found)
        disk = shutil.disk_usage(self.folder)
        limit = min(self.limit, total + disk.free - disk.total // _FREE)
        for _, size, path in sorted(found):
            if total <= limit:
                return
            if path != keep:
                path.unlink(missing_ok=True)  # who has it open goes on reading
                total -= size


def _used(path: Path) -> bool:
    """Whether the file is there; if so, it counts as just used."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + _LOCK)


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """The right to make a file. The lock ends with its process, however that ends."""
    lock = _lock_of(path)
    while True:
        with lock.open("ab") as held:
            while not _locked(held):
                asker().check()
                time.sleep(_PAUSE)
            if not _is_at(held, lock):
                continue  # whoever had it has removed it
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
            return


def _locked(held: BinaryIO) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(held: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held.fileno()), path.stat())
    except FileNotFoundError:
        return False
