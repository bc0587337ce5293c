"""Blobs and scratch folders."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from hydroml.domain.errors import NotFoundError


class BlobNotFoundError(NotFoundError):
    def __init__(self, key: str) -> None:
        super().__init__(f"blob {key} does not exist")


@dataclass(frozen=True, slots=True)
class Blob:
    """`key` is the SHA-256 of the bytes, in hexadecimal; `size` is in bytes."""

    key: str
    size: int


class BlobStore(Protocol):
    """Bytes that never change, under their SHA-256: the same bytes twice are kept once.

    Uploads wait under a name of their own until it is known whether they are wanted.
    """

    def add(self, file: Path) -> Blob:
        """Keeps a copy of the file's bytes; afterwards `file` may be gone."""

    def add_bytes(self, content: bytes) -> Blob: ...
    def open(self, key: str) -> BinaryIO: ...  # raises BlobNotFoundError
    def local(self, key: str) -> AbstractContextManager[Path]:
        """A file with the blob's bytes, to be read only, at least within the block. Raises BlobNotFoundError."""

    def delete(self, key: str) -> None:
        """No error when it is gone already."""

    def exists(self, key: str) -> bool: ...

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        """Streams an upload to `name` (letters, digits, -) and gives its size. Raises TooLargeError beyond `limit`
        bytes; whatever interrupts it leaves nothing behind."""

    def received(self, name: str) -> AbstractContextManager[Path]:
        """The upload as a file, within the block, also after it was kept. Raises BlobNotFoundError."""

    def keep(self, name: str) -> Blob:
        """The upload becomes a blob; done again, it gives the same. Raises BlobNotFoundError when it is not there."""

    def discard(self, name: str) -> None:
        """The upload is not wanted under its name any more; a blob it became stays. No error when it is gone."""


class Scratch(Protocol):
    """Folders for work in progress."""

    def folder(self, name: str) -> AbstractContextManager[Path]:
        """An empty folder, removed with all it holds at the end of the block. What a killed process left under the
        same name is removed first."""

    def remove(self, name: str) -> None:
        """Removes what a killed process left under the name."""
