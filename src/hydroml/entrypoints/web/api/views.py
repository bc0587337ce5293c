"""Views of data sources that people keep."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from hydroml.domain.sources import SourceId
from hydroml.domain.studio.steps import SortKey
from hydroml.domain.views import Layout, SavedView, SavedViewId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, seen_revision, tag, whole

router = Router(tags=["views"])


class SortKeyDocument(Schema):
    """A column that gives the order."""

    column: str
    descending: bool = False


class LayoutDocument(Schema):
    """How columns are laid out, by name; what a table does not have is passed over."""

    order: list[str] = Field(default_factory=list, max_length=10_000, description="Empty: as in the table.")
    hidden: list[str] = Field(default_factory=list, max_length=10_000)
    pinned: list[str] = Field(default_factory=list, max_length=10_000)
    widths: dict[str, int] = Field(default_factory=dict, max_length=10_000, description="In pixels.")

    def layout(self) -> Layout:
        return Layout(tuple(self.order), tuple(self.hidden), tuple(self.pinned), self.widths)


class SavedViewIn(Schema):
    """What the grid shows of a data source, under a name."""

    name: str
    filter: str = ""
    sort: list[SortKeyDocument] = Field(default_factory=list)
    layout: LayoutDocument = LayoutDocument()


class SavedViewPatch(Schema):
    """What changes; what is left out stays."""

    name: str | None = None
    filter: str | None = None
    sort: list[SortKeyDocument] | None = None
    layout: LayoutDocument | None = None


class SavedViewOut(Schema):
    """A view that its owner keeps of a data source."""

    id: UUID
    source_id: UUID
    name: str
    filter: str | None
    sort: list[SortKeyDocument]
    layout: LayoutDocument
    revision: int

    @classmethod
    def of(cls, view: SavedView) -> "SavedViewOut":
        layout = view.layout
        return cls(
            id=view.id,
            source_id=view.source_id,
            name=view.name,
            filter=view.filter,
            sort=[SortKeyDocument(column=key.column, descending=key.descending) for key in view.sort],
            layout=LayoutDocument(
                order=list(layout.order),
                hidden=list(layout.hidden),
                pinned=list(layout.pinned),
                widths=dict(layout.widths),
            ),
            revision=view.revision,
        )


@router.get("/sources/{uuid:source_id}/views", response=Page[SavedViewOut])
def list_views(request: HttpRequest, source_id: UUID) -> Any:
    """The asker's views of a data source, by name."""
    found = container().views().list(request.auth, SourceId(source_id))
    return whole([SavedViewOut.of(view) for view in found], SavedViewOut)


@router.post("/sources/{uuid:source_id}/views", response={201: SavedViewOut})
def create_view(
    request: HttpRequest, response: HttpResponse, source_id: UUID, body: SavedViewIn
) -> Status[SavedViewOut]:
    """Keep a view of a data source; nobody else sees it."""
    container().access().check(request.auth, "source", source_id)
    view = (
        container()
        .views()
        .create(
            request.auth,
            SourceId(source_id),
            body.name,
            filter=body.filter,
            sort=_keys(body.sort),
            layout=body.layout.layout(),
        )
    )
    response["Location"] = f"/api/v1/views/{view.id}"
    tag(response, view.revision)
    return Status(201, SavedViewOut.of(view))


@router.get("/views/{uuid:view_id}", response=SavedViewOut)
def get_view(request: HttpRequest, response: HttpResponse, view_id: UUID) -> SavedViewOut:
    """A view as it was kept."""
    view = container().views().get(request.auth, SavedViewId(view_id))
    tag(response, view.revision)
    return SavedViewOut.of(view)


@router.patch("/views/{uuid:view_id}", response=SavedViewOut)
def change_view(request: HttpRequest, response: HttpResponse, view_id: UUID, body: SavedViewPatch) -> SavedViewOut:
    """Another name, filter, order or layout."""
    container().views().get(request.auth, SavedViewId(view_id))  # strangers must not learn that the body is wrong
    view = (
        container()
        .views()
        .change(
            request.auth,
            SavedViewId(view_id),
            name=body.name,
            filter=body.filter,
            sort=None if body.sort is None else _keys(body.sort),
            layout=None if body.layout is None else body.layout.layout(),
            revision=seen_revision(request),
        )
    )
    tag(response, view.revision)
    return SavedViewOut.of(view)


@router.delete("/views/{uuid:view_id}", response={204: None})
def delete_view(request: HttpRequest, view_id: UUID) -> Status[None]:
    """Forget a view; the table stays as it is."""
    container().views().delete(request.auth, SavedViewId(view_id), seen_revision(request))
    return Status(204, None)


def _keys(sort: list[SortKeyDocument]) -> tuple[SortKey, ...]:
    return tuple(SortKey(key.column, key.descending) for key in sort)
