"""Compressed files: unpacked by a stream, and no further than a table would be."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from hydroml.domain.sources import UnreadableFileError

_CHUNK = 1 << 20
_MAX_INFLATED = 64 << 30
_SUSPICIOUS_INFLATED = 1 << 30
_SUSPICIOUS_RATIO = 300
_LZMA_MEMORY = 256 << 20
"""The dictionary of an xz file may ask for gigabytes; its strongest usual preset needs 65 MB."""


def allowed_size(packed: int) -> int:
    """How many bytes so many packed ones may unpack to and still be tables."""
    return min(max(_SUSPICIOUS_INFLATED, packed * _SUSPICIOUS_RATIO), _MAX_INFLATED)


def inflated(file: Path, folder: Path, most: int | None = None) -> Path:
    """The file itself, or what it holds when it is compressed by gzip, bzip2, xz or Zstandard.

    With `most`, no further than that more than so many bytes are there. Raises UnreadableFileError for a damaged file,
    and for one that unpacks to far more than a table would.
    """
    with file.open("rb") as stream:
        start = stream.read(6)
    chunks = next((read for signature, read in _READERS.items() if start.startswith(signature)), None)
    if chunks is None:
        return file
    out = folder / "inflated"
    limit = allowed_size(file.stat().st_size)
    size = 0
    try:
        with file.open("rb") as packed, out.open("wb") as target:
            for chunk in chunks(packed):
                size += len(chunk)
                if size > limit:
                    raise UnreadableFileError("the compressed file unpacks to far more than a table would")
                target.write(chunk)
                if most is not None and size > most:
                    break
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, MemoryError):
        raise UnreadableFileError("the compressed file is damaged or cut off") from None
    return out


def _gzip(packed: BinaryIO) -> Iterator[bytes]:
    with gzip.open(packed, "rb") as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def _bzip2(packed: BinaryIO) -> Iterator[bytes]:
    with bz2.open(packed, "rb") as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def _xz(packed: BinaryIO) -> Iterator[bytes]:
    decompressor = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    data = packed.read(_CHUNK)
    while True:
        if decompressor.eof:  # another stream may follow
            data = (decompressor.unused_data or packed.read(_CHUNK)).lstrip(b"\0")
            if not data:
                return
            decompressor = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
        yield decompressor.decompress(data, _CHUNK)
        data = packed.read(_CHUNK) if decompressor.needs_input else b""
        if decompressor.needs_input and not data and not decompressor.eof:
            raise EOFError


def _zstandard(packed: BinaryIO) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd") as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


_READERS: dict[bytes, Callable[[BinaryIO], Iterator[bytes]]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ": _xz,
    b"\x28\xb5\x2f\xfd": _zstandard,
}
