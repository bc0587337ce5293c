"""Lineage: where things came from, and what was made of them."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from hydroml.application.lineage import Lineage, LineageKind
from hydroml.entrypoints.bootstrap import container

router = Router(tags=["lineage"])


class NodeOut(Schema):
    """An original file, version, run, model or export; a version and an original name their data source."""

    kind: str
    id: str = Field(description="Of an original, the SHA-256 of its bytes.")
    label: str
    detail: str
    source_id: UUID | None
    href: str | None = Field(description="The page that shows it, or the address of the file.")
    at: datetime


class LineageOut(Schema):
    """From the original bytes to what was made of them; an edge is `[from, to, how]`."""

    nodes: list[NodeOut]
    edges: list[tuple[str, str, str | None]]
    truncated: bool = Field(description="Whether there is more than is shown.")

    @classmethod
    def of(cls, lineage: Lineage) -> "LineageOut":
        nodes = [
            NodeOut(
                kind=node.kind,
                id=node.id,
                label=node.label,
                detail=node.detail,
                source_id=node.source_id,
                href=node.href,
                at=node.at,
            )
            for node in lineage.nodes
        ]
        edges = [(edge.start, edge.end, edge.label) for edge in lineage.edges]
        return cls(nodes=nodes, edges=edges, truncated=lineage.truncated)


@router.get("/lineage/{kind}/{uuid:object_id}", response=LineageOut)
def get_lineage(request: HttpRequest, kind: LineageKind, object_id: UUID) -> LineageOut:
    """Back to the original files and forward to exports, models and predictions, as far as I may see it."""
    return LineageOut.of(container().lineage().of(request.auth, kind, object_id))


@router.get("/versions/{uuid:version_id}/lineage", response=LineageOut)
def get_version_lineage(request: HttpRequest, version_id: UUID) -> LineageOut:
    """The same of a version."""
    return LineageOut.of(container().lineage().of(request.auth, LineageKind.VERSION, version_id))
