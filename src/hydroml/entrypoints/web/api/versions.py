"""Versions: immutable tables, looked at page by page."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from hydroml.application.documents import write_options
from hydroml.application.ports.tables import (
    QUANTILES,
    REJECTED_COLUMNS,
    SEARCH_LENGTH,
    ColumnProfile,
    Distributions,
    FormulaKind,
    Profile,
    TablePage,
    TextHit,
    TextSearch,
)
from hydroml.application.profiles import MOST_COLUMNS
from hydroml.application.tables import FormulaCheck
from hydroml.domain.jobs import Job
from hydroml.domain.sources import Column, ColumnType, DataSource, Origin, OriginKind, Version, VersionId
from hydroml.domain.studio.conditions import MOST_PARTS, MOST_VALUES, Comparison, Group, Test
from hydroml.domain.studio.steps.columns import COLUMN_NAME_LENGTH
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import at_job, json_response, names, sort_keys
from hydroml.entrypoints.web.api.jobs import JobOut, StartedOut
from hydroml.entrypoints.web.downloads import download, file_description

router = Router(tags=["versions"])


class ColumnOut(Schema):
    """A column of a table."""

    name: str
    type: ColumnType
    nullable: bool

    @classmethod
    def of(cls, column: Column) -> "ColumnOut":
        return cls(name=column.name, type=column.type, nullable=column.nullable)


class OriginalOut(Schema):
    """A file as it was uploaded."""

    filename: str
    sha256: str
    bytes: int


class OriginOut(Schema):
    """Where a version came from."""

    kind: OriginKind
    parents: list[UUID]
    filename: str | None
    original_sha256: str | None
    original_bytes: int | None
    originals: list[OriginalOut]
    rejected: int = Field(description="How many rows of the files could not be read.")
    options: dict[str, Any] | None
    steps: list[dict[str, Any]]
    model_id: UUID | None

    @classmethod
    def of(cls, origin: Origin) -> "OriginOut":
        original = origin.originals[0] if origin.originals else None
        return cls(
            kind=origin.kind,
            parents=list(origin.parents),
            filename=original.filename if original else None,
            original_sha256=original.blob if original else None,
            original_bytes=original.size if original else None,
            originals=[OriginalOut(filename=o.filename, sha256=o.blob, bytes=o.size) for o in origin.originals],
            rejected=origin.rejected.rows if origin.rejected else 0,
            options=write_options(origin.options) if origin.options else None,
            steps=[entry["step"] for entry in origin.recipe],
            model_id=origin.model,
        )


class VersionOut(Schema):
    """An immutable table; `fingerprint` is the SHA-256 of its bytes."""

    id: UUID
    source_id: UUID
    number: int
    rows: int
    columns: list[ColumnOut]
    fingerprint: str
    bytes: int
    origin: OriginOut
    created_at: datetime
    note: str | None = None

    @classmethod
    def of(cls, version: Version) -> "VersionOut":
        return cls(
            id=version.id,
            source_id=version.source_id,
            number=version.number,
            rows=version.rows,
            columns=[ColumnOut.of(column) for column in version.columns],
            fingerprint=version.fingerprint,
            bytes=version.size,
            origin=OriginOut.of(version.origin),
            created_at=version.created_at,
        )


class NamedOut(Schema):
    """Something by its name."""

    id: UUID
    name: str


class VersionDetailOut(VersionOut):
    """A version and the data source it belongs to."""

    source: NamedOut

    @classmethod
    def of_both(cls, version: Version, source: DataSource) -> "VersionDetailOut":
        return cls(**VersionOut.of(version).model_dump(), source=NamedOut(id=source.id, name=source.name))


class RowsIn(Schema):
    """Which rows and columns, in which order."""

    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=1_000)
    sort: str = Field("", max_length=5_000, description='`-flow,date`, or `["-flow","date"]` for names with commas.')
    filter: str = Field("", max_length=4_000, description="A formula; rows for which it is true stay.")
    columns: str = Field("", max_length=200_000, description='`a,b`, or `["a","b"]`; all when empty.')
    total: bool = Field(True, description="Whether to count all rows, which may take longer than the page.")

    def shown(self) -> dict[str, Any]:
        """Filter, order and columns as a view takes them."""
        return {
            "filter": self.filter.strip() or None,
            "sort": sort_keys(self.sort),
            "columns": names(self.columns, "columns") or None,
        }


class PartIn(Schema):
    """Which rows."""

    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=1_000)


class FilterIn(Schema):
    """Which rows."""

    filter: str = Field("", max_length=4_000, description="A formula; rows for which it is true stay.")


class DistributionsIn(FilterIn):
    """Of which columns, and of which rows."""

    columns: str = Field("", max_length=200_000, description='`a,b`, or `["a","b"]`; the first 100 when empty.')

    def shown(self) -> dict[str, Any]:
        """Filter and columns as a view takes them."""
        return {"filter": self.filter.strip() or None, "columns": names(self.columns, "columns") or None}


class FindIn(Schema):
    """What to look for, and from which cell on."""

    text: str = Field(min_length=1, max_length=SEARCH_LENGTH, description="In upper or lower case.")
    columns: str = Field(
        "",
        max_length=200_000,
        description='Where to look, in the order of cells in a row: `a,b`, or `["a","b"]`; in all when empty.',
    )
    sort: str = Field("", max_length=5_000, description="As for rows.")
    filter: str = Field("", max_length=4_000, description="A formula; rows for which it is true are looked through.")
    after: int | None = Field(None, ge=0, description="A row's position in this order, counted from 0.")
    column: str | None = Field(None, max_length=500, description="The cell of that row; without it behind the row.")
    direction: Literal["next", "previous"] = "next"

    def shown(self) -> dict[str, Any]:
        """Filter, order and columns as a view takes them."""
        return {
            "filter": self.filter.strip() or None,
            "sort": sort_keys(self.sort),
            "columns": names(self.columns, "columns") or None,
        }

    def search(self) -> TextSearch:
        return TextSearch(self.text, self.after, self.column, self.direction == "previous")


class PageColumnOut(Schema):
    """A column of a page."""

    name: str
    type: ColumnType


class RowsOut(Schema):
    """Rows as lists of values. Integers beyond 2^53 and decimals are text, times are ISO 8601, missing is null."""

    columns: list[PageColumnOut]
    rows: list[list[Any]]
    row_numbers: list[int] | None = Field(description="From 1 in the table's own order; null where steps reorder it.")
    total: int | None
    elapsed_ms: float
    places: list[int] | None = Field(description="The number of each row by which an edit of a cell tells it.")


class HistogramOut(Schema):
    """Counts between edges; there is one edge more than counts."""

    edges: list[Any]
    counts: list[int]


class ColumnProfileOut(Schema):
    """Figures of a column."""

    name: str
    type: str
    missing: int
    distinct: int
    min: Any = None
    max: Any = None
    mean: float | None
    std: float | None
    quantiles: dict[str, float | None] | None
    zeros: int | None
    shortest: int | None = Field(description="Characters of the shortest text.")
    longest: int | None
    histogram: HistogramOut | None
    top: list[tuple[Any, int]] | None

    @classmethod
    def of(cls, column: ColumnProfile) -> "ColumnProfileOut":
        histogram = column.histogram
        return cls(
            name=column.name,
            type=column.type,
            missing=column.missing,
            distinct=column.distinct,
            min=column.minimum,
            max=column.maximum,
            mean=column.mean,
            std=column.std,
            quantiles=dict(zip(map(str, QUANTILES), column.quantiles, strict=True)) if column.quantiles else None,
            zeros=column.zeros,
            shortest=column.lengths[0] if column.lengths else None,
            longest=column.lengths[1] if column.lengths else None,
            histogram=HistogramOut(edges=list(histogram[0]), counts=list(histogram[1])) if histogram else None,
            top=list(column.top) if column.top is not None else None,
        )


class ProfileOut(Schema):
    """Figures of columns."""

    rows: int
    columns: list[ColumnProfileOut]
    total_columns: int = Field(description="How many there are to page through.")
    stage: str = Field(description="`full`: of all rows; `sample`: of `rows_read` of them, until `job` has ended.")
    rows_read: int
    elapsed_ms: float
    job: JobOut | None

    @classmethod
    def of(cls, profile: Profile, total_columns: int, job: Job | None = None) -> "ProfileOut":
        return cls(
            rows=profile.rows,
            columns=[ColumnProfileOut.of(column) for column in profile.columns],
            total_columns=total_columns,
            stage="full" if profile.rows_read == profile.rows else "sample",
            rows_read=profile.rows_read,
            elapsed_ms=profile.elapsed_ms,
            job=JobOut.of(job) if job else None,
        )


class ProfileIn(FilterIn):
    """Which columns, of which rows."""

    search: str = Field("", max_length=200, description="Columns with this in their name.")
    offset: int = 0
    limit: int = MOST_COLUMNS


class SpreadOut(Schema):
    """Bars between edges, of which there is one more: rows of the whole table, and those the filter keeps."""

    edges: list[Any]
    counts: list[int]
    kept: list[int]


class DistributionOut(Schema):
    """How the values of a column are spread."""

    name: str
    type: ColumnType
    missing: int
    kept_missing: int = Field(description="Of the rows that the filter keeps.")
    histogram: SpreadOut | None = Field(description="Of numbers and times; its edges do not follow the filter.")
    top: list[tuple[Any, int, int]] | None = Field(
        description="Of other columns the most frequent values of the whole table: value, rows, rows the filter keeps."
    )


class DistributionsOut(Schema):
    """How the values of columns are spread over the table, and over the rows that the filter keeps."""

    rows: int
    kept: int
    columns: list[DistributionOut]
    estimated: bool = Field(description="Whether the numbers of columns are estimated from some of the rows.")
    elapsed_ms: float


class FindOut(Schema):
    """The next cell that holds the text; after the last row the search goes on at the first."""

    position: int | None = Field(description="Of its row in this order, counted from 0; null when there is none.")
    column: str | None
    rows: int | None = Field(description="How many rows hold the text; null as long as not all were looked at.")
    searched: float = Field(description="Which share of the table has been looked at, from 0 to 1.")
    done: bool = Field(description="False: it takes longer. To ask the same again goes on with the search.")
    elapsed_ms: float


def distributions_out(found: Distributions) -> DistributionsOut:
    """As JSON."""
    columns = [
        DistributionOut(
            name=one.name,
            type=ColumnType(one.type),
            missing=one.missing,
            kept_missing=one.kept_missing,
            histogram=None
            if one.edges is None
            else SpreadOut(edges=list(one.edges), counts=list(one.counts), kept=list(one.kept)),
            top=None if one.top is None else list(one.top),
        )
        for one in found.columns
    ]
    return DistributionsOut(
        rows=found.rows, kept=found.kept, columns=columns, estimated=found.estimated, elapsed_ms=found.elapsed_ms
    )


def rows_response(found: TablePage) -> HttpResponse:
    """A page of rows, written at once: a check of every cell would cost more than finding it."""
    return json_response(rows_document(found))


def rows_document(found: TablePage) -> dict[str, Any]:
    """A page as `RowsOut`."""
    return {
        "columns": [{"name": column.name, "type": column.type} for column in found.columns],
        "rows": found.rows,
        "row_numbers": found.row_numbers,
        "total": found.total,
        "elapsed_ms": found.elapsed_ms,
        "places": found.places,
    }


@router.get("/{uuid:version_id}", response=VersionDetailOut)
def get_version(request: HttpRequest, version_id: UUID) -> VersionDetailOut:
    """A version: its columns, size and origin."""
    return VersionDetailOut.of_both(*container().sources().version(request.auth, VersionId(version_id)))


@router.get("/{uuid:version_id}/rows", response=RowsOut)
def get_rows(request: HttpRequest, version_id: UUID, which: Query[RowsIn]) -> HttpResponse:
    """A page of the table."""
    tables = container().tables()
    view = tables.version_view(request.auth, VersionId(version_id), **which.shown())
    return rows_response(tables.page(view, which.offset, which.limit, total=which.total))


@router.get("/{uuid:version_id}/rejected", response=RowsOut)
def get_rejected(request: HttpRequest, version_id: UUID, which: Query[PartIn]) -> HttpResponse:
    """The rows of its files that could not be read: file, line, reason and text."""
    tables = container().tables()
    view = tables.rejected_view(request.auth, VersionId(version_id))
    if view is None:
        return rows_response(TablePage(REJECTED_COLUMNS, (), (), 0, 0.0))
    return rows_response(tables.page(view, which.offset, which.limit))


@router.get("/{uuid:version_id}/profile", response=ProfileOut)
def get_profile(request: HttpRequest, version_id: UUID, which: Query[ProfileIn]) -> ProfileOut:
    """Missing and distinct values, ranges, means, quantiles, histograms and most frequent values of columns.

    Of a large table whose analysis has not ended, of a sample; what is missing, and the smallest and largest number or
    time, are of all rows even then.
    """
    found = (
        container()
        .profiles()
        .get(
            request.auth,
            VersionId(version_id),
            filter=which.filter.strip() or None,
            search=which.search,
            offset=which.offset,
            limit=which.limit,
        )
    )
    return ProfileOut.of(found.profile, found.total_columns, found.job)


@router.get("/{uuid:version_id}/distributions", response=DistributionsOut)
def get_distributions(request: HttpRequest, version_id: UUID, which: Query[DistributionsIn]) -> DistributionsOut:
    """How the values of columns are spread over all rows, and over those the filter keeps."""
    tables = container().tables()
    return distributions_out(
        tables.distributions(tables.version_view(request.auth, VersionId(version_id), **which.shown()))
    )


@router.get("/{uuid:version_id}/find", response=FindOut)
def find(request: HttpRequest, version_id: UUID, which: Query[FindIn]) -> TextHit:
    """The next cell that holds a text; answers within about two seconds, if need be before the search has ended."""
    tables = container().tables()
    return tables.find(tables.version_view(request.auth, VersionId(version_id), **which.shown()), which.search())


class FormulaIn(Schema):
    """A formula, and whether it is to give a value or to say yes or no."""

    formula: str = Field(max_length=FORMULA_LENGTH)
    kind: FormulaKind = "value"


class SpanOut(Schema):
    """A part of a text, in characters counted from 0."""

    start: int
    end: int


class FormulaFaultOut(Schema):
    """What is wrong with a formula, and with which part of it."""

    msg: str
    code: str
    at: SpanOut | None


class ComparisonDoc(Schema):
    """A column, how it is compared, and with what."""

    column: str = Field(max_length=COLUMN_NAME_LENGTH)
    test: Test
    values: list[StrictBool | StrictInt | StrictFloat | StrictStr] = Field([], max_length=MOST_VALUES)

    def read(self) -> Comparison:
        return Comparison(self.column, self.test, tuple(self.values))


class ConditionDoc(Schema):
    """All or any of some comparisons and further groups; `negated`: the opposite of that."""

    of: Literal["all", "any"]
    parts: list["ConditionDoc | ComparisonDoc"] = Field(max_length=MOST_PARTS)
    negated: bool = False

    @classmethod
    def of_group(cls, group: Group) -> "ConditionDoc":
        parts = [
            cls.of_group(part)
            if isinstance(part, Group)
            else ComparisonDoc(column=part.column, test=part.test, values=list(part.values))
            for part in group.parts
        ]
        return cls(of=group.of, parts=parts, negated=group.negated)

    def read(self) -> Group:
        return Group(self.of, tuple(part.read() for part in self.parts), self.negated)


class FormulaOut(Schema):
    """The type of the formula's value; null when there are faults. A condition that is made of comparisons of columns
    with values comes as a tree too."""

    type: ColumnType | None
    faults: list[FormulaFaultOut]
    condition: ConditionDoc | None

    @classmethod
    def of(cls, check: FormulaCheck) -> "FormulaOut":
        faults = [
            FormulaFaultOut(
                msg=fault.msg,
                code=fault.code,
                at=None if fault.span is None else SpanOut(start=fault.span[0], end=fault.span[1]),
            )
            for fault in check.faults
        ]
        condition = None if check.condition is None else ConditionDoc.of_group(check.condition)
        return cls(type=check.type, faults=faults, condition=condition)


@router.post("/{uuid:version_id}/formulas/check", response=FormulaOut)
def check_formula(request: HttpRequest, version_id: UUID, body: FormulaIn) -> FormulaOut:
    """The type of a formula over a version's columns, or its faults; reads no row."""
    tables = container().tables()
    view = tables.version_view(request.auth, VersionId(version_id))
    return FormulaOut.of(tables.check_formula(view, body.formula, body.kind))


class CompareIn(Schema):
    """Which earlier version, and what tells rows apart."""

    with_: UUID = Field(alias="with")
    key: list[str] | None = Field(
        None, max_length=20, description="Left out, what tells rows apart is looked for; an empty list is whole rows."
    )


@router.post("/{uuid:version_id}/compare", response={202: StartedOut})
def compare(request: HttpRequest, response: HttpResponse, version_id: UUID, body: CompareIn) -> Status[StartedOut]:
    """What has changed since an earlier version, or any other; the result of the job holds it."""
    job = container().comparisons().request(request.auth, VersionId(version_id), VersionId(body.with_), body.key)
    at_job(response, job.id)
    return Status(202, StartedOut(job=JobOut.of(job)))


@router.post("/{uuid:version_id}/analyse", response={202: StartedOut})
def analyse(request: HttpRequest, response: HttpResponse, version_id: UUID) -> Status[StartedOut]:
    """Make the profile and the quality report again, and check the rules again."""
    job = container().analyses().request(request.auth, VersionId(version_id))
    at_job(response, job.id)
    return Status(202, StartedOut(job=JobOut.of(job)))


@router.get("/{uuid:version_id}/original", openapi_extra=file_description("The bytes of the file as it was uploaded."))
def get_original(request: HttpRequest, version_id: UUID, file: Query[int] = 0) -> HttpResponseBase:
    """The file as it was uploaded; `file` counts from 0 where there are several."""
    original, stream = container().sources().original(request.auth, VersionId(version_id), file)
    return download(request, stream, original.filename, original.size)
