"""Blobs and scratch folders."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from hydroml.adapters.names import check_name
from hydroml.adapters.storage.folder import too_large
from hydroml.application.ports.storage import Blob, BlobNotFoundError


class InMemoryBlobStore:
    """Blobs and waiting uploads in dictionaries; only `local` and `received` write files, for as long as needed."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self._kept: dict[str, str] = {}

    def add(self, file: Path) -> Blob:
        blob = self.add_bytes(file.read_bytes())
        file.unlink()
        return blob

    def add_bytes(self, content: bytes) -> Blob:
        key = sha256(content).hexdigest()
        self.blobs[key] = content
        return Blob(key, len(content))

    def open(self, key: str) -> BinaryIO:
        return BytesIO(self._blob(key))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with _file_of(self._blob(key)) as file:
            yield file

    def delete(self, key: str) -> None:
        self.blobs.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.blobs

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        check_name(name)
        content = bytearray()
        for chunk in chunks:
            content += chunk
            if len(content) > limit:
                raise too_large(limit)
        self.uploads[name] = bytes(content)
        self._kept.pop(name, None)
        return len(content)

    @contextmanager
    def received(self, name: str) -> Iterator[Path]:
        with _file_of(self._upload(name)) as file:
            yield file

    def keep(self, name: str) -> Blob:
        blob = self.add_bytes(self._upload(name))
        self.uploads.pop(name, None)
        self._kept[name] = blob.key
        return blob

    def discard(self, name: str) -> None:
        self.uploads.pop(check_name(name), None)
        self._kept.pop(name, None)

    def _blob(self, key: str) -> bytes:
        if key not in self.blobs:
            raise BlobNotFoundError(key)
        return self.blobs[key]

    def _upload(self, name: str) -> bytes:
        if check_name(name) in self.uploads:
            return self.uploads[name]
        if self._kept.get(name) in self.blobs:
            return self.blobs[self._kept[name]]
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

    def _path(self, name: str) -> Path:
        return Path(self._root.name) / check_name(name)


@contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hydroml-blob-") as folder:
        file = Path(folder) / "blob"
        file.write_bytes(content)
        yield file
