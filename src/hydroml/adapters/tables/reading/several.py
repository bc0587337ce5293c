"""Files as one table: each becomes a part with types of its own, and the parts are joined without loss."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.reading import forms, together
from hydroml.adapters.tables.reading.archive import Archive
from hydroml.adapters.tables.reading.files import BEGINNING, FileReader
from hydroml.adapters.tables.reading.joining import Part, joint
from hydroml.adapters.tables.writing import described, write
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import IncomingFile, WrittenTable
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, DetectedFile, Detection, ImportOptions, UnreadableFileError

_LOOKED_AT = 20
_NOTES = 50


@dataclass(frozen=True, slots=True)
class Member:
    """A file that is read: one that came by itself, or one out of an archive."""

    name: str
    size: int
    unpacked: Callable[[Path, int | None], Path]
    """Where it lies; out of an archive it comes into the folder, whole or as far as its beginning is enough."""


class TableReader:
    """Reads any number of files, and archives of them, as one table."""

    def __init__(self, connections: Connections, temp_folder: Path) -> None:
        self._connections = connections
        self._files = FileReader(connections, temp_folder)

    def detect(self, files: Sequence[IncomingFile], options: ImportOptions) -> Detection:
        members, notes = members_of(files, options)
        several = len(members) > 1
        looked_at = members[:_LOOKED_AT]
        found = [self._detected(member, options, several=several) for member in looked_at]
        for at, columns in together.to_be_read_anew(found).items():
            as_text = dict.fromkeys(columns, ColumnType.TEXT)
            kept = replace(options, types={**options.types, **as_text})
            found[at] = self._detected(looked_at[at], kept, several=several)
        if len(members) > len(looked_at):
            notes = (*notes, f"the first {len(looked_at)} of {len(members):,} files were looked at")
        whole = together.detection(found, [member.name for member in looked_at], options)
        if len(members) == len(looked_at):
            _refuse_unknown(options, {column.name for column in whole.columns})
        return replace(
            whole,
            files=tuple(DetectedFile(member.name, member.size) for member in members),
            judged_all=whole.judged_all and len(members) == len(looked_at),
            notes=(*notes, *whole.notes),
        )

    def read(  # noqa: PLR0917 - the port has as many
        self,
        files: Sequence[IncomingFile],
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
        onto: Path | None = None,
    ) -> WrittenTable:
        """As the port's `import_files`; `onto` is the Parquet file that the rows are appended to."""
        members, notes = members_of(files, options)
        if len(members) == 1 and onto is None:
            written = self._read(members[0], options, out, rejected, monitor)
        else:
            written = self._joined(members, options, out, rejected, monitor, onto)
        _refuse_unknown(options, {column.name for column in written.columns})
        return replace(written, notes=(*notes, *written.notes))

    def _joined(  # noqa: PLR0917 - the port has as many
        self,
        members: Sequence[Member],
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
        onto: Path | None,
    ) -> WrittenTable:
        total, done = sum(member.size for member in members) or 1, 0
        with self._files.scratch() as folder:
            written: list[WrittenTable] = []
            for at, member in enumerate(members):
                share = monitor.part(0.6 * done / total, 0.6 * (done + member.size) / total)
                written.append(self._part(member, options, folder, at, share, several=len(members) > 1))
                done += member.size
            paths = (folder, out.parent, rejected.parent, *((onto,) if onto else ()))
            with self._connections.fresh(*paths) as connection:
                parts = [
                    Part(_place(folder, at), member.name, tuple(_types(connection, _place(folder, at))))
                    for at, member in enumerate(members)
                ]
                if onto is not None:
                    parts.insert(0, Part(onto, "", tuple(_types(connection, onto)), is_table=True))
                plan = joint(connection, parts, options.missing)
                for at, columns in plan.anew.items():
                    types = {**options.types, **dict.fromkeys(columns, ColumnType.TEXT)}
                    member, place = members[at - bool(onto)], at - bool(onto)
                    again = replace(options, types=types)
                    self._part(member, again, folder, place, monitor.part(0.6, 0.6), several=len(members) > 1)
                    parts[at] = replace(parts[at], columns=tuple(_types(connection, parts[at].file)))
                casts = joint(connection, parts, options.missing) if plan.anew else plan
                monitor.report(0.7, "writing", "Joining the files")
                with connection.monitored(monitor.part(0.7, 1.0)):
                    write(connection, casts.query(parts), len(casts.columns), out)
                count = _rejected(connection, [_place(folder, at, "rejected") for at in range(len(members))], rejected)
                remarks = together.remarks([(m.name, w.notes) for m, w in zip(members, written, strict=True)])
                table = described(connection, out, (*_how_many(members), *plan.notes, *remarks)[: 2 * _NOTES])
        return replace(table, rejected=count)

    def _part(
        self, member: Member, options: ImportOptions, folder: Path, at: int, monitor: Monitor, *, several: bool
    ) -> WrittenTable:
        monitor.report(0.0, "reading", f"Reading “{member.name[:100]}”")
        place = _place(folder, at)
        return self._read(member, options, place, _place(folder, at, "rejected"), monitor, several=several)

    def _read(
        self,
        member: Member,
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
        *,
        several: bool = False,
    ) -> WrittenTable:
        with self._files.scratch() as folder, _named(member, several=several):
            file = member.unpacked(folder, None)
            return self._files.read(file, member.name, options, out, rejected, monitor)

    def _detected(self, member: Member, options: ImportOptions, *, several: bool) -> Detection:
        with self._files.scratch() as folder, _named(member, several=several):
            file = member.unpacked(folder, BEGINNING)
            return self._files.detect(file, member.name, options)


def members_of(files: Sequence[IncomingFile], options: ImportOptions) -> tuple[list[Member], tuple[str, ...]]:
    """The files to be read, out of archives too, and what was left out of those."""
    found: list[Member] = []
    notes: list[str] = []
    for file in files:
        path = file.path.resolve()
        if forms.is_archive(path, file.name):
            archive = Archive(path)
            chosen = archive.tables() if not options.files else archive.named(options.files)
            found += [Member(member.filename, member.file_size, partial(archive.unpacked, member)) for member in chosen]
            left_out = [name for name in archive.names if name not in {member.filename for member in chosen}]
            if left_out:
                shown = ", ".join(f"“{name[:100]}”" for name in left_out[:3])
                notes.append(f"{len(left_out):,} files of the archive were not read: {shown}")
        elif not options.files or file.name in options.files:
            found.append(Member(file.name, path.stat().st_size, partial(_as_it_is, path)))
    unknown = [name for name in options.files if name not in {member.name for member in found}]
    if unknown:
        raise InvalidInputError.at(
            "options", "files", msg=f"there is no file “{unknown[0][:100]}”", code="unknown_file"
        )
    return found, tuple(notes)


@contextmanager
def _named(member: Member, *, several: bool) -> Iterator[None]:
    """Says which of several files it is that cannot be read."""
    try:
        yield
    except UnreadableFileError as error:
        if not several:
            raise
        raise UnreadableFileError(f"“{member.name[:100]}”: {error}") from error


def _as_it_is(path: Path, _folder: Path, _most: int | None) -> Path:
    return path


def _place(folder: Path, at: int, what: str = "part") -> Path:
    return folder / f"{what}-{at}.parquet"


def _types(connection: Connection, file: Path) -> list[tuple[str, str]]:
    return connection.described(f"SELECT * FROM read_parquet({sql.path(file)})")


def _refuse_unknown(options: ImportOptions, known: set[str]) -> None:
    unknown = next((name for name in options.types if name not in known), None)
    if unknown is not None:
        raise InvalidInputError.at(
            "options", "types", unknown[:100], msg=f"there is no column “{unknown[:100]}”", code="unknown_column"
        )


def _rejected(connection: Connection, found: Sequence[Path], out: Path) -> int:
    """Writes the rejected rows of all parts, if there are any, and gives their count."""
    files = ", ".join(sql.text(str(file)) for file in found if file.exists())
    if not files:
        return 0
    rows = f"SELECT * FROM read_parquet([{files}])"
    connection.run(f"COPY ({rows}) TO {sql.text(str(out))} (FORMAT parquet, COMPRESSION zstd)")
    return int(connection.row(f"SELECT count(*) FROM ({rows})")[0])


def _how_many(members: Sequence[Member]) -> tuple[str, ...]:
    return (f"{len(members):,} files were read as one table",) if len(members) > 1 else ()
