"""Exports: a table, or a part of it, as a file in somebody else's format, kept for a while; and templates for them."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.jobs import JobId
from hydroml.domain.projects import ProjectId, UserId, clean_name
from hydroml.domain.sources import FILENAME_LENGTH, VersionId, clean_filename
from hydroml.domain.studio.steps import SortKey

ExportId = NewType("ExportId", UUID)
"""The id of its job, too: a job that runs twice makes one file."""
TemplateId = NewType("TemplateId", UUID)

MOST_TEMPLATES = 200
"""In a project."""
GUARDED = r"^'*[=+\-@\t\r]"
"""A text like this would be run as a formula by a spreadsheet, or reads like one that was guarded: it gets one more
apostrophe in front, and an import takes one off."""


class ExportNotFoundError(NotFoundError):
    def __init__(self, export_id: ExportId) -> None:
        super().__init__(f"export {export_id} does not exist")


class TemplateNotFoundError(NotFoundError):
    def __init__(self, template_id: TemplateId) -> None:
        super().__init__(f"export template {template_id} does not exist")


class ExportFormat(StrEnum):
    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"
    FEATHER = "feather"

    @property
    def opens_in_spreadsheets(self) -> bool:
        return self in (ExportFormat.CSV, ExportFormat.TSV, ExportFormat.XLSX)


def format_of(filename: str) -> ExportFormat:
    """By the ending of a file's name. Raises InvalidInputError for another ending."""
    ending = filename.rpartition(".")[2].lower()
    try:
        return ExportFormat(ending)
    except ValueError:
        formats = ", ".join(ExportFormat)
        raise InvalidInputError.at(
            "format", msg=f"“{ending[:50]}” is not a format: {formats}", code="unknown_format"
        ) from None


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How values are written; what a format has no use for is passed over."""

    delimiter: str | None = None
    """Between the cells of csv (a comma when None); tsv has a tab."""
    decimal: str = "."
    """The decimal sign of csv and tsv."""
    header: bool = True
    """Whether csv, tsv and xlsx begin with the names of the columns."""
    missing: str = ""
    """What stands for a missing value in csv and tsv."""
    bom: bool = False
    """Whether csv and tsv begin with a byte order mark, by which Excel knows that they are UTF-8."""
    neutralise: bool = True
    """Whether csv, tsv and xlsx keep texts like formulas from being run; see `GUARDED`."""

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter not in ",;\t|:~^ "):
            raise _refused("delimiter", "one of , ; tab | : ~ ^ or a space", "enum")
        if self.decimal not in (".", ","):
            raise _refused("decimal", "a point or a comma", "enum")
        if self.decimal == (self.delimiter or ""):
            raise _refused("decimal", "decimal sign and delimiter differ", "ambiguous")
        if len(self.missing) > 50 or not all(c.isprintable() for c in self.missing):
            raise _refused("missing", "at most 50 characters, no control characters", "length")
        if '"' in self.missing or (self.delimiter or ",") in self.missing:
            raise _refused("missing", "neither quotes nor the delimiter", "ambiguous")
        if self.missing[:1] in ("=", "+", "@", "'"):
            raise _refused("missing", "a spreadsheet would run this as a formula", "formula")


def _refused(option: str, message: str, code: str) -> InvalidInputError:
    return InvalidInputError.at("options", option, msg=message, code=code)


@dataclass(frozen=True, slots=True)
class ExportShape:
    """Which part of a table, in which order and format. `columns` are all when None, `filter` is a formula."""

    format: ExportFormat
    columns: tuple[str, ...] | None = None
    filter: str | None = None
    sort: tuple[SortKey, ...] = ()
    limit: int | None = None
    options: ExportOptions = field(default_factory=ExportOptions)

    def __post_init__(self) -> None:
        if self.columns is not None and not self.columns:
            raise InvalidInputError.at("columns", msg="choose at least one column", code="required")
        if self.limit is not None and self.limit < 0:
            raise InvalidInputError.at("limit", msg="0 rows or more", code="range")
        decimal_is_delimiter = self.options.decimal == self.delimiter
        if self.format is ExportFormat.CSV and decimal_is_delimiter:
            raise _refused("delimiter", "with a decimal comma the delimiter is another one, such as ;", "ambiguous")

    @property
    def delimiter(self) -> str:
        return "\t" if self.format is ExportFormat.TSV else self.options.delimiter or ","

    @property
    def guards(self) -> bool:
        """Whether texts like formulas get an apostrophe in front."""
        return self.options.neutralise and self.format.opens_in_spreadsheets


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; the importer gives back the one before."""
    return f"'{text}" if re.match(GUARDED, text) else text


SHEET_ROWS = 1_048_576
SHEET_COLUMNS = 16_384
CELL_CHARACTERS = 32_767
"""What a sheet of Excel holds; its cells are measured in units of UTF-16."""


def check_sheet(rows: int, columns: int, *, header: bool) -> None:
    """Raises InvalidInputError, in words, for a table that is too long or too wide for Excel."""
    if columns > SHEET_COLUMNS:
        raise _too_much(f"a sheet of Excel has at most {SHEET_COLUMNS:,} columns, and this would be {columns:,}")
    if rows + header > SHEET_ROWS:
        with_header = " with the header" if header else ""
        raise _too_much(f"a sheet of Excel has at most {SHEET_ROWS:,} rows{with_header}, and this would be {rows:,}")


def check_cell(column: str, longest: int) -> None:
    """Raises InvalidInputError, in words, for a column with a text that no cell of Excel can hold."""
    if longest > CELL_CHARACTERS:
        raise _too_much(
            f"a cell of Excel has at most {CELL_CHARACTERS:,} characters, and one of “{column[:100]}” has {longest:,}"
        )


def _too_much(words: str) -> InvalidInputError:
    return InvalidInputError.at(
        "format", msg=f"{words}; choose fewer rows or columns, or another format", code="excel_limit"
    )


class ExportStatus(StrEnum):
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(slots=True, kw_only=True)
class Export:
    """A file made of a version: running → ready → expired, or failed."""

    id: ExportId
    version_id: VersionId
    shape: ExportShape
    filename: str
    status: ExportStatus = ExportStatus.RUNNING
    blob: str | None = None
    """Only while it is ready."""
    size: int | None = None
    rows: int | None = None
    error: str | None = None
    created_by: UserId
    created_at: datetime
    expires_at: datetime | None = None

    @property
    def job_id(self) -> JobId:
        return JobId(self.id)

    def finish(self, blob: str, size: int, rows: int, expires_at: datetime) -> None:
        self.status, self.error = ExportStatus.READY, None
        self.blob, self.size, self.rows, self.expires_at = blob, size, rows, expires_at

    def fail(self, error: str) -> None:
        self.status, self.error = ExportStatus.FAILED, error

    def begin_again(self) -> None:
        self.status, self.error = ExportStatus.RUNNING, None

    def expire(self) -> None:
        self.status, self.blob = ExportStatus.EXPIRED, None

    def file(self) -> str:
        """The blob of its file. Raises ConflictError while there is none, or when it is gone."""
        if self.blob is None:
            words = {
                ExportStatus.RUNNING: "the file is being written; wait for its job",
                ExportStatus.FAILED: f"the export failed: {self.error}",
            }
            raise ConflictError(words.get(self.status, "the file has expired; export the table again"))
        return self.blob


def export_filename(wanted: str | None, source: str, number: int, format_: ExportFormat) -> str:
    """What somebody called it, or the source's name and the version; always with the format's ending."""
    ending = f".{format_}"
    bare = re.sub(r"\.[A-Za-z][A-Za-z0-9]{0,7}$", "", source)  # a source often bears the name of its file
    given = (wanted or "").strip() or re.sub(r"[/\\]", "-", f"{bare}, version {number}")
    name = clean_filename(given)
    stem = name[: -len(ending)] if name.lower().endswith(ending) else name
    return f"{stem[: FILENAME_LENGTH - len(ending)] or 'table'}{ending}"


@dataclass(slots=True, kw_only=True)
class ExportTemplate:
    """A shape under a name, for every table of a project that has its columns."""

    id: TemplateId
    project_id: ProjectId
    name: str
    shape: ExportShape
    created_by: UserId
    created_at: datetime

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)
