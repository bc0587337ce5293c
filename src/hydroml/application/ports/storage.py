"""Blobs and scratch folders."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies in a store under a name: a blob, an upload or a scratch folder; its size in bytes, and when it was
    written or added once more."""

    name: str
    size: int
    at: datetime


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

    def delete(self, key: str, *, unless_added_after: datetime | None = None) -> bool:
        """Whether it was there and is gone. One that was added, or added once more, after that time stays: whoever
        added it relies on it and may not have said so in the database yet."""

    def exists(self, key: str) -> bool: ...
    def blobs(self) -> Iterator[Stored]:
        """Every blob there is, in any order."""

    def uploads(self) -> Iterator[Stored]:
        """Every upload that waits, and every one that was kept and not discarded."""

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        """Streams an upload to `name` (letters, digits, -) and gives its size. Raises TooLargeError beyond `limit`
        bytes; whatever interrupts it leaves nothing behind."""

    def append(self, name: str, offset: int, chunks: Iterable[bytes], limit: int) -> int:
        """Adds to the upload `name` from byte `offset` on, and gives its size then; when the line breaks, `appended`
        tells what has come and stays. Raises ConflictError when it has not exactly `offset` bytes, or somebody else
        adds to it, and TooLargeError beyond `limit` bytes."""

    def appended(self, name: str) -> int:
        """How many bytes have come under the name; 0 when there are none."""

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

    def folders(self) -> Iterator[Stored]:
        """Every folder there is, with the bytes it holds."""
