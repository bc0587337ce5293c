"""Data sources and their versions: immutable tables with a history, and where each came from."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId, clean_name

SourceId = NewType("SourceId", UUID)
VersionId = NewType("VersionId", UUID)


class SourceNotFoundError(NotFoundError):
    def __init__(self, source_id: SourceId) -> None:
        super().__init__(f"data source {source_id} does not exist")


class VersionNotFoundError(NotFoundError):
    def __init__(self, version_id: VersionId) -> None:
        super().__init__(f"version {version_id} does not exist")


class SourceBusyError(ConflictError):
    """An import into the same source has not ended yet."""


class SourceInUseError(ConflictError):
    """Experiments or sessions stand on one of its versions."""


class UnreadableFileError(InvalidInputError):
    """The file cannot be read as a table; the message says why, in words."""


class ColumnType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    TEXT = "text"
    CATEGORY = "category"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DURATION = "duration"

    @property
    def is_numeric(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL)

    @property
    def is_temporal(self) -> bool:
        return self in (ColumnType.DATE, ColumnType.TIMESTAMP)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    nullable: bool = True


_NOT_OF_FILES = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
"""What Python calls encodings too: of names and literals, some of them slow beyond all measure on a file."""


def _is_plain(text: str) -> bool:
    """Whether it holds no control characters but tabs, and can be stored."""
    return all((c >= " " or c == "\t") and c != "\x7f" and not "\ud800" <= c <= "\udfff" for c in text)


def _is_of_text(encoding: str) -> bool:
    try:
        found = codecs.lookup(encoding).name
        "a".encode(found)
    except (LookupError, ValueError):  # no such encoding; or one of bytes, such as zlib; or no name at all
        return False
    return found.replace("-", "_") not in _NOT_OF_FILES


class Layout(StrEnum):
    """How a line of text is cut into cells."""

    DELIMITED = "delimited"
    WHITESPACE = "whitespace"
    """By any run of spaces and tabs."""
    FIXED = "fixed"
    """At the same places in every line."""


class Ragged(StrEnum):
    """What becomes of a line with fewer or more cells than the table has columns."""

    REJECT = "reject"
    """It goes to the table of rejected rows."""
    FILL = "fill"
    """Missing cells become empty; a line with more cells than columns is rejected all the same."""


class DateOrder(StrEnum):
    """In which order day, month and year stand in the dates of a file."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    YEAR_FIRST = "ymd"


MAX_OPTIONS = 10_000
"""As many columns may be given a type, and as many files of an archive be named."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How files are to be read; whatever is None is detected."""

    delimiter: str | None = None
    encoding: str | None = None
    quote: str | None = None
    escape: str | None = None
    """What stands before a quote within a quoted cell; the quote itself where it is doubled."""
    decimal: str | None = None
    thousands: str | None = None
    """What groups digits: “,”, “.”, “'” or a space."""
    comment: str | None = None
    """Lines that begin with it are no rows."""
    skip: int | None = None
    """Lines before the table, its header included in none of them."""
    header: bool | None = None
    header_rows: int | None = None
    """Rows that the names are made of, if there is a header: their texts are joined by a space."""
    layout: Layout | None = None
    widths: tuple[int, ...] = ()
    """Characters of each column of a fixed layout; the last one reaches to the end of the line."""
    ragged: Ragged | None = None
    date_order: DateOrder | None = None
    missing: tuple[str, ...] | None = None
    """Texts that stand for a missing value beside empty cells; None takes those that are proposed as certain."""
    guards: bool | None = None
    """Whether an apostrophe before =, +, -, @, a tab or a return at the start of a text is a guard against
    spreadsheets, as exports write it, and is taken off; None takes it off where there are such cells, and says so."""
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    """Types of columns by name, whatever their values suggest: what does not fit becomes missing and is counted."""
    sheet: str | None = None
    range: str | None = None
    """The part of a sheet, as in B3:F20; an end may be open, as in B3:F."""
    files: tuple[str, ...] = ()
    """Which files of an archive, by name; all that are tables when empty."""

    def __post_init__(self) -> None:
        self._check_signs()
        self._check_numbers()
        if self.encoding is not None and not _is_of_text(self.encoding):
            raise _refused("encoding", "this is not an encoding of text", "unknown_encoding")
        if self.sheet is not None and not (_is_plain(self.sheet) and len(self.sheet) <= 255):
            raise _refused("sheet", "this is not the name of a sheet", "length")
        if self.range is not None and not _RANGE.fullmatch(self.range):
            raise _refused("range", "a range looks like B3:F20", "pattern")
        if self.missing is not None:
            if not all(_is_plain(marker) for marker in self.missing):
                raise _refused("missing", "markers hold no control characters", "characters")
            if len(self.missing) > 50 or any(len(marker) > 50 for marker in self.missing):
                raise _refused("missing", "at most 50 markers of at most 50 characters", "length")
        for name, count in (("types", len(self.types)), ("files", len(self.files)), ("widths", len(self.widths))):
            if count > MAX_OPTIONS:
                raise _refused(name, f"at most {MAX_OPTIONS:,}", "length")

    def _check_signs(self) -> None:
        for name in ("delimiter", "quote", "escape", "decimal", "thousands", "comment"):
            value = getattr(self, name)
            if value is not None and (len(value) != 1 or not _is_plain(value)):
                raise _refused(name, f"{name} is a single character", "length")
        if self.decimal is not None and self.decimal == self.delimiter:
            raise _refused("decimal", "decimal sign and delimiter differ", "ambiguous")
        if self.thousands is not None and self.thousands == self.decimal:
            raise _refused("thousands", "decimal sign and thousands sign differ", "ambiguous")
        if self.quote is not None and self.quote == self.delimiter:
            raise _refused("quote", "quote and delimiter differ", "ambiguous")

    def _check_numbers(self) -> None:
        if self.skip is not None and not 0 <= self.skip <= 10_000:
            raise _refused("skip", "between 0 and 10,000 lines", "range")
        if self.header_rows is not None and not 1 <= self.header_rows <= 10:
            raise _refused("header_rows", "between 1 and 10 rows", "range")
        if any(not 1 <= width <= 100_000 for width in self.widths):
            raise _refused("widths", "a column is at least one character wide", "range")


_RANGE = re.compile(r"[A-Za-z]{1,3}[1-9][0-9]{0,6}:[A-Za-z]{1,3}([1-9][0-9]{0,6})?")


def _refused(option: str, message: str, code: str) -> InvalidInputError:
    return InvalidInputError.at("options", option, msg=message, code=code)


@dataclass(frozen=True, slots=True)
class DetectedColumn:
    """A column as it would be read; `misfits` counts the cells that would become missing since they do not fit."""

    name: str
    type: ColumnType
    misfits: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProposedMarker:
    """A text that seems to stand for a missing value in some columns; `applied` when it is read as one."""

    text: str
    columns: tuple[str, ...]
    cells: int
    applied: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """What only the owner of a file can know: the option that answers it, and the answers."""

    option: str
    text: str
    choices: tuple[Choice, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A line that is no row of the table; `text` is cut to 1,000 characters."""

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """One of the files that are read as one table; `size` is in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Detection:
    """What an import of files would do: the options in force, the first rows as read, and what is doubtful."""

    format: str
    """csv, text (for other layouts), excel, json, jsonl, parquet, arrow"""
    options: ImportOptions
    """Every option in force: an import with them does what is shown."""
    columns: tuple[DetectedColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    files: tuple[DetectedFile, ...] = ()
    sheets: tuple[str, ...] = ()
    missing: tuple[ProposedMarker, ...] = ()
    questions: tuple[Question, ...] = ()
    rejected: int = 0
    rejects: tuple[RejectedRow, ...] = ()
    """The first of the rejected rows."""
    judged_all: bool = True
    """False when only the beginning was looked at: counts are of that part."""
    notes: tuple[str, ...] = ()


FILENAME_LENGTH = 255


def clean_filename(filename: str) -> str:
    """The last part of the name, without control characters, cut to 255 characters from its end."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable()).strip()
    return kept[-FILENAME_LENGTH:] or "file"


class OriginKind(StrEnum):
    UPLOAD = "upload"
    """Files; with a parent they were appended to it."""
    ROLLBACK = "rollback"
    """An earlier version, its parent, once more."""
    IMPORT = "import"
    RECIPE = "recipe"
    QUERY = "query"
    PREDICTION = "prediction"
    FORK = "fork"
    """The same table, its parent's, taken from the gallery."""


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes as they came: the blob that keeps them, the name they came under, and their size in bytes."""

    blob: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """What an engine needs to know to read a version: its blob, its columns and its row count."""

    blob: str
    columns: tuple[Column, ...]
    rows: int
    size: int = field(default=0, compare=False)

    @classmethod
    def of(cls, version: "Version") -> "Table":
        return cls(version.fingerprint, version.columns, version.rows, version.size)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from; `parents` are the edges of the lineage graph."""

    kind: OriginKind
    parents: tuple[VersionId, ...] = ()
    originals: tuple[Original, ...] = ()
    rejected: Table | None = None
    """The rows that could not be read: file, line, reason, text."""
    options: ImportOptions | None = None
    recipe: tuple[dict[str, Any], ...] = ()
    """The recipe's steps as documents, each with what it learnt (`fitted`)."""
    recipe_name: str = ""
    """The name it was kept under, if it was."""
    recipe_id: UUID | None = None
    model: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An immutable table in Parquet; `fingerprint` is the SHA-256 of its bytes and the name of its blob."""

    id: VersionId
    source_id: SourceId
    number: int
    columns: tuple[Column, ...]
    rows: int
    size: int
    fingerprint: str
    origin: Origin
    created_by: UserId
    created_at: datetime

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    @property
    def blobs(self) -> frozenset[str]:
        """Every blob it needs: its table, the files it was read from, its rejected rows."""
        rejected = () if self.origin.rejected is None else (self.origin.rejected.blob,)
        return frozenset((self.fingerprint, *(original.blob for original in self.origin.originals), *rejected))


@dataclass(frozen=True, slots=True)
class Following:
    """What keeps a data source up to date: the recipe that is run on each new version of another source, as long as
    both are in the project."""

    source_id: SourceId
    project_id: ProjectId
    recipe: tuple[dict[str, Any], ...]
    relearn: bool = False
    """Whether its steps learn anew each time."""
    recipe_name: str = ""
    recipe_id: UUID | None = None
    behind: bool = False
    """The other source got a new version while a job worked on this one."""


class SourceStatus(StrEnum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class DataSource:
    """A named table with a history of versions; it can belong to several projects."""

    id: SourceId
    name: str
    owner_id: UserId
    project_ids: frozenset[ProjectId]
    status: SourceStatus = SourceStatus.PROCESSING
    error: str | None = None
    current_version_id: VersionId | None = None
    versions: int = 0
    """How many versions it has ever had: the next one gets this number plus one."""
    job_id: UUID | None = None
    """The job that makes, or failed to make, the newest version."""
    following: Following | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    """Since when it has been in the trash."""
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)

    def discard(self, at: datetime) -> None:
        """To the trash. Raises SourceBusyError while a job makes a version."""
        if self.status is SourceStatus.PROCESSING:
            raise SourceBusyError(f"“{self.name}” is being imported; cancel that first")
        self.deleted_at = self.updated_at = at

    def restore(self, at: datetime) -> None:
        """Out of the trash. Raises ConflictError when it is not there."""
        if self.deleted_at is None:
            raise ConflictError(f"“{self.name}” is not in the trash")
        self.deleted_at, self.updated_at = None, at

    def rename(self, name: str, at: datetime) -> None:
        self.name = clean_name(name)
        self.updated_at = at

    def begin_version(self, job_id: UUID, at: datetime) -> None:
        """A job starts to make the next version. Raises SourceBusyError while another one does."""
        if self.status is SourceStatus.PROCESSING and self.job_id is not None:
            raise SourceBusyError(f"“{self.name}” is being imported; wait for that or cancel it")
        self.status, self.error, self.job_id, self.updated_at = SourceStatus.PROCESSING, None, job_id, at

    def add_version(self, version: Version) -> None:
        """The new version becomes the current one."""
        if version.source_id != self.id or version.number != self.versions + 1:
            raise ConflictError(f"version {version.number} does not follow version {self.versions}")
        self.versions = version.number
        self.current_version_id = version.id
        self.status, self.error, self.updated_at = SourceStatus.READY, None, version.created_at

    def fail_version(self, error: str, at: datetime) -> None:
        """The new version could not be made; an earlier one stays current and usable."""
        self.status = SourceStatus.FAILED if self.current_version_id is None else SourceStatus.READY
        self.error, self.updated_at = error, at
