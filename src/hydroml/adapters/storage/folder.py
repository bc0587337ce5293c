"""Blobs and scratch folders on a disk."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from hydroml.adapters.names import check_key, check_name
from hydroml.application.ports.storage import Blob, BlobNotFoundError, Stored
from hydroml.domain.errors import ConflictError, TooLargeError

_DRAFT = ".draft-"  # no name of an upload begins with a dot
_KEPT = "-kept"
_TICK = 0.02
"""Seconds by which the clock of a file system may be behind the one that people read."""


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the file is larger than the limit of {limit / 1e6:,.0f} MB")


def check_offset(size: int, offset: int) -> None:
    if size != offset:
        raise ConflictError(f"{size:,} bytes have come; go on from there, not from {offset:,}")


class FolderBlobStore:
    """`<root>/ab/abcdef…` holds a blob, `<root>/incoming/` what is not one yet; a rename makes the difference.

    A blob's time is that of its last adding. `<root>/.lock` keeps a deletion from coming between the moment somebody
    finds a blob there and the moment its time says so.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, file: Path) -> Blob:
        key, size = sha256_of(file), file.stat().st_size
        self._move_in(file, key)
        return Blob(key, size)

    def add_bytes(self, content: bytes) -> Blob:
        key = hashlib.sha256(content).hexdigest()
        with self._draft() as draft:
            draft.write_bytes(content)
            self._move_in(draft, key)
        return Blob(key, len(content))

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise BlobNotFoundError(key) from None

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        if not self.exists(key):
            raise BlobNotFoundError(key)
        yield self._path(key)

    def delete(self, key: str, *, unless_added_after: datetime | None = None) -> bool:
        path = self._path(key)
        with self._lock(fcntl.LOCK_EX):
            try:
                if unless_added_after is not None and path.stat().st_mtime + _TICK > unless_added_after.timestamp():
                    return False
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def blobs(self) -> Iterator[Stored]:
        for folder in self._root.glob("[0-9a-f][0-9a-f]"):
            yield from _stored(folder, "?" * 64)

    def uploads(self) -> Iterator[Stored]:
        for found in _stored(self._incoming(), "[!.]*"):
            yield replace(found, name=found.name.removesuffix(_KEPT))

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        size = 0
        with self._draft() as draft:
            with draft.open("wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise too_large(limit)
                    file.write(chunk)
                _sync(file)
            draft.replace(self._waiting(name))
        return size

    def append(self, name: str, offset: int, chunks: Iterable[bytes], limit: int) -> int:
        with self._waiting(name).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError("somebody else is sending this file") from None
            size = os.fstat(file.fileno()).st_size
            check_offset(size, offset)
            try:
                for chunk in chunks:
                    if size + len(chunk) > limit:
                        raise too_large(limit)
                    file.write(chunk)
                    size += len(chunk)
            finally:
                _sync(file)
        return size

    def appended(self, name: str) -> int:
        try:
            return self._waiting(name).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def received(self, name: str) -> Iterator[Path]:
        waiting = self._waiting(name)
        yield waiting if waiting.is_file() else self._path(self._kept(name))

    def keep(self, name: str) -> Blob:
        """A note of the key stays under the name, so that a second call after a crash finds it."""
        waiting = self._waiting(name)
        if waiting.is_file():
            key = sha256_of(waiting)
            self._note(name).write_text(key)
            self._move_in(waiting, key)
        else:
            with self._lock(fcntl.LOCK_SH):
                key = self._kept(name)
                os.utime(self._path(key))
        return Blob(key, self._path(key).stat().st_size)

    def _note(self, name: str) -> Path:
        return self._waiting(f"{name}{_KEPT}")

    def _kept(self, name: str) -> str:
        try:
            key = self._note(name).read_text()
        except FileNotFoundError:
            raise BlobNotFoundError(name) from None
        if not self.exists(key):
            raise BlobNotFoundError(name)
        return key

    def discard(self, name: str) -> None:
        self._waiting(name).unlink(missing_ok=True)
        self._note(name).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)[:2] / key

    def _waiting(self, name: str) -> Path:
        return self._incoming() / check_name(name)

    def _incoming(self) -> Path:
        folder = self._root / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as lock:
            fcntl.flock(lock, how)
            yield

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A file to write to. It is locked as long as its process lives: an unlocked one was left by a killed one."""
        for left in self._incoming().glob(f"{_DRAFT}*"):
            _remove_if_left(left)
        draft, lock = self._locked_draft()
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)
            os.close(lock)

    def _locked_draft(self) -> tuple[Path, int]:
        while True:
            draft = self._incoming() / f"{_DRAFT}{uuid4()}"
            lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return draft, lock
            os.close(lock)  # taken for one that was left, before it was locked

    def _move_in(self, file: Path, key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock(fcntl.LOCK_SH), suppress(FileNotFoundError):
            os.utime(path)
            file.unlink()
            return
        with file.open("rb+") as stream:
            _sync(stream)
        try:
            file.replace(path)
        except OSError:  # from another file system
            with self._draft() as draft:
                shutil.copyfile(file, draft)
                with draft.open("rb+") as stream:
                    _sync(stream)
                draft.replace(path)
            file.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class FolderScratch:
    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        self.remove(name)
        path = self._path(name)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            self.remove(name)

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._path(name))

    def folders(self) -> Iterator[Stored]:
        return folders_in(self._root / "work")

    def _path(self, name: str) -> Path:
        return self._root / "work" / check_name(name)


def folders_in(root: Path) -> Iterator[Stored]:
    for found in root.glob("*"):
        with suppress(FileNotFoundError):
            files = [file.stat() for file in (found, *found.rglob("*"))]
            at = datetime.fromtimestamp(max(file.st_mtime for file in files), UTC)
            yield Stored(found.name, sum(file.st_size for file in files[1:]), at)


def _stored(folder: Path, pattern: str) -> Iterator[Stored]:
    for file in folder.glob(pattern):
        with suppress(FileNotFoundError):
            status = file.stat()
            yield Stored(file.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _remove_if_left(draft: Path) -> None:
    try:
        lock = os.open(draft, os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.unlink(missing_ok=True)
    except BlockingIOError:
        pass  # somebody writes to it
    finally:
        os.close(lock)
