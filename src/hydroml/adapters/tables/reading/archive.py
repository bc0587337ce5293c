"""ZIP archives of tables: looked through before anything is unpacked, and unpacked under names of our own."""

import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hydroml.adapters.tables.reading.compression import allowed_size
from hydroml.adapters.tables.reading.forms import is_partly_readable
from hydroml.domain.errors import TooLargeError
from hydroml.domain.sources import UnreadableFileError

MAX_MEMBERS = 10_000
MAX_TABLES = 1_000
_CHUNK = 1 << 20
_ENDINGS = frozenset(
    (
        ".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".data", ".asc", ".rdb", ".json", ".jsonl", ".ndjson",
        ".geojson", ".parquet", ".pq", ".arrow", ".arrows", ".ipc", ".feather", ".xlsx", ".xlsm", ".xlsb", ".xls",
        ".ods",
    )
)  # fmt: skip
_PACKED = frozenset((".gz", ".bz2", ".xz", ".zst"))
_ARCHIVES = frozenset((".zip", ".7z", ".rar", ".tar", ".tgz"))
_PROSE = ("readme", "license", "licence", "copying", "changelog")


class Archive:
    """The files in a ZIP. Raises UnreadableFileError for one that is damaged, locked, a bomb, or sets traps."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with _opened(file) as archive:
            self._members = {m.filename: m for m in _checked(archive.infolist(), file.stat().st_size)}
        self.names = tuple(sorted(self._members))

    def tables(self) -> list[zipfile.ZipInfo]:
        """All that look like tables, or the only file there is, in the order of their names."""
        found = [name for name in self.names if _looks_like_table(name)] or list(self.names)
        if not found:
            raise UnreadableFileError("the archive is empty")
        if len(found) > 1 and not _looks_like_table(found[0]):
            raise UnreadableFileError("the archive holds no tables")
        return self.named(found)

    def named(self, names: Sequence[str]) -> list[zipfile.ZipInfo]:
        """Those of the names that are in the archive."""
        found = [self._members[name] for name in dict.fromkeys(names) if name in self._members]
        if len(found) > MAX_TABLES:
            raise UnreadableFileError(f"the archive holds {len(found):,} tables; at most {MAX_TABLES:,} can be read")
        nested = next((m.filename for m in found if PurePosixPath(m.filename.casefold()).suffix in _ARCHIVES), None)
        if nested is not None:
            raise UnreadableFileError(f"“{nested[:100]}” in the archive is an archive itself; unpack it first")
        return found

    def unpacked(self, member: zipfile.ZipInfo, folder: Path, most: int | None) -> Path:
        """The member as a file in the folder; with `most`, a text only so far that more than these bytes are there."""
        out = folder / "unpacked"
        self._unpack(member, out, None if most is None else most + 1)
        if most is not None and member.file_size > most and not is_partly_readable(out, member.filename):
            self._unpack(member, out, None)
        return out

    def _unpack(self, member: zipfile.ZipInfo, out: Path, most: int | None) -> None:
        left = member.file_size if most is None else min(most, member.file_size)
        if shutil.disk_usage(out.parent).free < left:
            raise TooLargeError("there is not enough disk space to unpack the archive")
        with _opened(self._file) as archive, archive.open(member) as packed, out.open("wb") as target:
            while left > 0 and (chunk := packed.read(min(_CHUNK, left))):
                target.write(chunk)
                left -= len(chunk)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except NotImplementedError:
        raise UnreadableFileError(
            "the archive is packed in a way that cannot be read; pack it as a usual ZIP"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        raise UnreadableFileError("the archive is damaged") from None


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Folders, and what systems leave in archives."""
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    return (
        member.is_dir()
        or "__MACOSX" in parts
        or not parts
        or (parts[-1].startswith(".") and parts[-1] != "..")
        or parts[-1].casefold() in ("thumbs.db", "desktop.ini")
    )


def _checked(found: Sequence[zipfile.ZipInfo], size: int) -> list[zipfile.ZipInfo]:
    """All but litter; `size` is the archive's, in bytes."""
    members = [member for member in found if not _is_litter(member)]
    if len(found) > MAX_MEMBERS:
        raise UnreadableFileError(f"the archive holds {len(found):,} files; at most {MAX_MEMBERS:,} can be read")
    for member in members:
        name = member.filename
        shown = f"“{name[:100]}”"
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts or name[1:2] == ":":
            raise UnreadableFileError(f"the archive is not opened: {shown} points out of it")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnreadableFileError(f"the archive is not opened: {shown} is a link, not a file")
        if member.flag_bits & 1:
            raise UnreadableFileError(f"{shown} in the archive is locked with a password")
    twice = [name for name, count in Counter(member.filename for member in members).items() if count > 1]
    if twice:
        raise UnreadableFileError(f"the archive holds “{twice[0][:100]}” more than once")
    if sum(member.file_size for member in members) > allowed_size(size):
        raise UnreadableFileError("the archive unpacks to far more than tables would; it is not opened")
    return members


def _looks_like_table(name: str) -> bool:
    path = PurePosixPath(name.casefold())
    if path.suffix in _PACKED:
        path = PurePosixPath(path.stem)
    return path.suffix in _ENDINGS and not path.stem.startswith(_PROSE)
