"""Blobs and scratch folders."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from hydroml.adapters.names import check_name
from hydroml.adapters.storage.folder import check_offset, folders_in, too_large
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.storage import Blob, BlobNotFoundError, Stored


class InMemoryBlobStore:
    """Blobs and waiting uploads in dictionaries; only `local` and `received` write files, for as long as needed."""

    def __init__(self, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self.held: dict[str, bytes] = {}
        self.waiting: dict[str, bytes] = {}
        self._kept: dict[str, str] = {}
        self._clock = clock
        self._times: dict[str, datetime] = {}

    def add(self, file: Path) -> Blob:
        blob = self.add_bytes(file.read_bytes())
        file.unlink()
        return blob

    def add_bytes(self, content: bytes) -> Blob:
        key = sha256(content).hexdigest()
        self.held[key], self._times[key] = content, self._clock()
        return Blob(key, len(content))

    def open(self, key: str) -> BinaryIO:
        return BytesIO(self._blob(key))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with _file_of(self._blob(key)) as file:
            yield file

    def delete(self, key: str, *, unless_added_after: datetime | None = None) -> bool:
        if key not in self.held or (unless_added_after is not None and self._times[key] > unless_added_after):
            return False
        del self.held[key]
        return True

    def exists(self, key: str) -> bool:
        return key in self.held

    def blobs(self) -> Iterator[Stored]:
        yield from [Stored(key, len(content), self._times[key]) for key, content in self.held.items()]

    def uploads(self) -> Iterator[Stored]:
        sizes = {**dict.fromkeys(self._kept, 64), **{name: len(content) for name, content in self.waiting.items()}}
        yield from [Stored(name, size, self._times[name]) for name, size in sizes.items()]

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        check_name(name)
        content = bytearray()
        for chunk in chunks:
            content += chunk
            if len(content) > limit:
                raise too_large(limit)
        self.waiting[name], self._times[name] = bytes(content), self._clock()
        self._kept.pop(name, None)
        return len(content)

    def append(self, name: str, offset: int, chunks: Iterable[bytes], limit: int) -> int:
        content = self.waiting.get(check_name(name), b"")
        check_offset(len(content), offset)
        self.waiting[name], self._times[name] = content, self._clock()
        for chunk in chunks:
            if len(self.waiting[name]) + len(chunk) > limit:
                raise too_large(limit)
            self.waiting[name] += chunk
        return len(self.waiting[name])

    def appended(self, name: str) -> int:
        return len(self.waiting.get(check_name(name), b""))

    @contextmanager
    def received(self, name: str) -> Iterator[Path]:
        with _file_of(self._upload(name)) as file:
            yield file

    def keep(self, name: str) -> Blob:
        blob = self.add_bytes(self._upload(name))
        self.waiting.pop(name, None)
        self._kept[name] = blob.key
        return blob

    def discard(self, name: str) -> None:
        self.waiting.pop(check_name(name), None)
        self._kept.pop(name, None)

    def _blob(self, key: str) -> bytes:
        if key not in self.held:
            raise BlobNotFoundError(key)
        return self.held[key]

    def _upload(self, name: str) -> bytes:
        if check_name(name) in self.waiting:
            return self.waiting[name]
        if self._kept.get(name) in self.held:
            return self.held[self._kept[name]]
        raise BlobNotFoundError(name)


class InMemoryScratch:
    """Folders are files' places, so these are real ones, under the system's folder for temporary files."""

    def __init__(self) -> None:
        self._root = tempfile.TemporaryDirectory(prefix="hydroml-scratch-")

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        path = self._path(name)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def remove(self, name: str) -> None:
        shutil.rmtree(self._path(name), ignore_errors=True)

    def folders(self) -> Iterator[Stored]:
        return folders_in(Path(self._root.name))

    def _path(self, name: str) -> Path:
        return Path(self._root.name) / check_name(name)


@contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hydroml-blob-") as folder:
        file = Path(folder) / "blob"
        file.write_bytes(content)
        yield file
