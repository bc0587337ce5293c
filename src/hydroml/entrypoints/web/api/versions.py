"""Versions: immutable tables, looked at page by page."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.application.documents import write_options
from hydroml.application.ports.tables import ColumnProfile, Profile, TablePage
from hydroml.application.sources import Lineage
from hydroml.domain.sources import Column, ColumnType, DataSource, Origin, OriginKind, Version, VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import json_response, names, sort_keys

router = Router(tags=["versions"])

CHUNK = 2**18


class ColumnOut(Schema):
    """A column of a table."""

    name: str
    type: ColumnType
    nullable: bool

    @classmethod
    def of(cls, column: Column) -> "ColumnOut":
        return cls(name=column.name, type=column.type, nullable=column.nullable)


class OriginOut(Schema):
    """Where a version came from."""

    kind: OriginKind
    parents: list[UUID]
    filename: str | None
    original_sha256: str | None
    original_bytes: int | None
    options: dict[str, Any] | None
    steps: list[dict[str, Any]]
    model_id: UUID | None

    @classmethod
    def of(cls, origin: Origin) -> "OriginOut":
        original = origin.original
        return cls(
            kind=origin.kind,
            parents=list(origin.parents),
            filename=original.filename if original else None,
            original_sha256=original.blob if original else None,
            original_bytes=original.size if original else None,
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


class FilterIn(Schema):
    """Which rows."""

    filter: str = Field("", max_length=4_000, description="A formula; rows for which it is true stay.")


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
            histogram=HistogramOut(edges=list(histogram[0]), counts=list(histogram[1])) if histogram else None,
            top=list(column.top) if column.top is not None else None,
        )


class ProfileOut(Schema):
    """Figures of every column."""

    rows: int
    columns: list[ColumnProfileOut]
    approximate: bool
    elapsed_ms: float

    @classmethod
    def of(cls, profile: Profile) -> "ProfileOut":
        return cls(
            rows=profile.rows,
            columns=[ColumnProfileOut.of(column) for column in profile.columns],
            approximate=profile.approximate,
            elapsed_ms=profile.elapsed_ms,
        )


class NodeOut(Schema):
    """An original file, version, run or model; a version names its data source."""

    kind: str
    id: str
    label: str
    detail: str
    source_id: UUID | None


class LineageOut(Schema):
    """What a version was made from and what was made from it; `edges` go from a node's id to its child's."""

    nodes: list[NodeOut]
    edges: list[tuple[str, str]]

    @classmethod
    def of(cls, lineage: Lineage) -> "LineageOut":
        nodes = [
            NodeOut(kind=n.kind, id=n.id, label=n.label, detail=n.detail, source_id=n.source_id) for n in lineage.nodes
        ]
        return cls(nodes=nodes, edges=list(lineage.edges))


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


@router.get("/{uuid:version_id}/profile", response=ProfileOut)
def get_profile(request: HttpRequest, version_id: UUID, which: Query[FilterIn]) -> ProfileOut:
    """Missing and distinct values, ranges, means and histograms of all columns."""
    tables = container().tables()
    view = tables.version_view(request.auth, VersionId(version_id), filter=which.filter.strip() or None)
    return ProfileOut.of(tables.profile(view))


@router.get("/{uuid:version_id}/lineage", response=LineageOut)
def get_lineage(request: HttpRequest, version_id: UUID) -> LineageOut:
    """From the original file to the models, as far as I may see it."""
    return LineageOut.of(container().sources().lineage(request.auth, VersionId(version_id)))


@router.get(
    "/{uuid:version_id}/original",
    openapi_extra={
        "responses": {
            200: {
                "description": "The bytes of the file as it was uploaded.",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def get_original(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """The file as it was uploaded."""
    original, stream = container().sources().original(request.auth, VersionId(version_id))
    chunks = _chunks_async(stream) if isinstance(request, ASGIRequest) else _chunks(stream)
    response = StreamingHttpResponse(chunks, content_type="application/octet-stream")
    response["Content-Length"] = str(original.size)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=original.filename)
    return response


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


async def _chunks_async(stream: BinaryIO) -> AsyncIterator[bytes]:
    """Django would read the whole of a synchronous iterator into memory first."""
    read = sync_to_async(stream.read, thread_sensitive=False)
    try:
        while chunk := await read(CHUNK):
            yield chunk
    finally:
        stream.close()
