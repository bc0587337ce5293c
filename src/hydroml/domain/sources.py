"""Data sources and their versions: immutable tables with a history, and where each came from."""

import codecs
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


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be read; whatever is None is detected."""

    delimiter: str | None = None
    encoding: str | None = None
    quote: str | None = None
    decimal: str | None = None
    header: bool | None = None
    sheet: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("delimiter", "quote", "decimal"):
            value = getattr(self, name)
            if value is not None and (len(value) != 1 or not _is_plain(value)):
                raise InvalidInputError.at("options", name, msg=f"{name} is a single character", code="length")
        if self.decimal is not None and self.decimal == self.delimiter:
            raise InvalidInputError.at("options", "decimal", msg="decimal sign and delimiter differ", code="ambiguous")
        if self.quote is not None and self.quote == self.delimiter:
            raise InvalidInputError.at("options", "quote", msg="quote and delimiter differ", code="ambiguous")
        if self.encoding is not None and not _is_of_text(self.encoding):
            raise InvalidInputError.at(
                "options", "encoding", msg="this is not an encoding of text", code="unknown_encoding"
            )
        if self.sheet is not None and not (_is_plain(self.sheet) and len(self.sheet) <= 255):
            raise InvalidInputError.at("options", "sheet", msg="this is not the name of a sheet", code="length")
        if not all(_is_plain(marker) for marker in self.missing):
            raise InvalidInputError.at(
                "options", "missing", msg="markers hold no control characters", code="characters"
            )
        if len(self.missing) > 50 or any(len(marker) > 50 for marker in self.missing):
            raise InvalidInputError.at(
                "options", "missing", msg="at most 50 markers of at most 50 characters", code="length"
            )


@dataclass(frozen=True, slots=True)
class Detection:
    """What an import of a file would do: the options in force, the first rows as read, and remarks."""

    format: str
    options: ImportOptions
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    sheets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class OriginKind(StrEnum):
    UPLOAD = "upload"
    IMPORT = "import"
    RECIPE = "recipe"
    QUERY = "query"
    PREDICTION = "prediction"


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes as they came: the blob that keeps them, the name they came under, and their size in bytes."""

    blob: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from; `parents` are the edges of the lineage graph."""

    kind: OriginKind
    parents: tuple[VersionId, ...] = ()
    original: Original | None = None
    options: ImportOptions | None = None
    recipe: tuple[dict[str, Any], ...] = ()
    """The recipe's steps as documents, each with what it learnt (`fitted`)."""
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
    created_at: datetime
    updated_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)

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


@dataclass(frozen=True, slots=True)
class Table:
    """What an engine needs to know to read a version: its blob, its columns and its row count."""

    blob: str
    columns: tuple[Column, ...]
    rows: int
    size: int = field(default=0, compare=False)

    @classmethod
    def of(cls, version: Version) -> "Table":
        return cls(version.fingerprint, version.columns, version.rows, version.size)
