"""Charts of tables: what they draw, and those that a project keeps."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field, WithJsonSchema

from hydroml.application.documents import chart_schema, read_chart, write_chart
from hydroml.application.ports.tables import ChartData
from hydroml.domain.charts import CHARTS, Chart, ChartId, SavedChart
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import SessionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, inlined, json_response, seen_revision, tag, whole
from hydroml.entrypoints.web.api.sessions import step_at
from hydroml.entrypoints.web.api.versions import PageColumnOut

router = Router(tags=["charts"])

ChartDocument = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {"oneOf": [inlined(chart_schema(kind)) for kind in CHARTS], "description": "A chart, by its `kind`."}
    ),
]


class DrawIn(Schema):
    """Which chart, of which rows."""

    chart: ChartDocument
    filter: str = Field("", max_length=4_000, description="A formula; rows for which it is true are drawn.")


class SessionDrawIn(DrawIn):
    """Which chart, of which rows, as of the cursor or of any step."""

    step: str = Field("", max_length=36, description="A step's id, or root; empty is the cursor.")


class ChartDataOut(Schema):
    """What a chart draws, as a table: a row for each mark."""

    columns: list[PageColumnOut]
    marks: list[list[Any]]
    rows: int = Field(description="How many rows there are.")
    used: int = Field(description="How many of them have the values needed, and are behind the marks.")
    how: Literal["all", "binned", "sampled"]
    note: str
    elapsed_ms: float


class ChartKindOut(Schema):
    """A kind of chart; a form for its parameters can be drawn from the JSON schema."""

    kind: str
    title: str
    help: str
    schema_: dict[str, Any] = Field(alias="schema")

    @classmethod
    def of(cls, kind: type[Chart]) -> "ChartKindOut":
        name = str(kind.__dataclass_fields__["kind"].default)
        schema = inlined(chart_schema(kind))
        schema["properties"] = {key: value for key, value in schema["properties"].items() if key != "kind"}
        return cls(kind=name, title=kind.title, help=kind.help, schema=schema)


class ChartKindListOut(Schema):
    items: list[ChartKindOut]


class SavedChartIn(Schema):
    """A chart under a name, of a version or of a session."""

    name: str
    chart: ChartDocument
    version_id: UUID | None = None
    session_id: UUID | None = None
    filter: str = Field("", max_length=4_000)


class SavedChartPatch(Schema):
    """What changes; what is left out stays."""

    name: str | None = None
    chart: ChartDocument | None = None
    filter: str | None = Field(None, max_length=4_000)


class SavedChartOut(Schema):
    """A chart that a project keeps."""

    id: UUID
    project_id: UUID
    name: str
    version_id: UUID | None
    session_id: UUID | None
    chart: ChartDocument
    filter: str | None
    created_at: datetime
    revision: int

    @classmethod
    def of(cls, saved: SavedChart) -> "SavedChartOut":
        return cls(
            id=saved.id,
            project_id=saved.project_id,
            name=saved.name,
            version_id=saved.version_id,
            session_id=saved.session_id,
            chart=write_chart(saved.chart),
            filter=saved.filter,
            created_at=saved.created_at,
            revision=saved.revision,
        )


@router.get("/charts/kinds", response=ChartKindListOut, by_alias=True)
def list_chart_kinds(request: HttpRequest) -> ChartKindListOut:
    """Every kind of chart."""
    return ChartKindListOut.model_construct(items=[ChartKindOut.of(kind) for kind in CHARTS])


@router.post("/versions/{uuid:version_id}/chart", response=ChartDataOut)
def draw_version(request: HttpRequest, version_id: UUID, body: DrawIn) -> HttpResponse:
    """What a chart of a version draws; nothing is stored."""
    tables = container().tables()
    view = tables.version_view(request.auth, VersionId(version_id), filter=body.filter.strip() or None)
    return _drawn(tables.chart(view, read_chart(body.chart)))


@router.post("/sessions/{uuid:session_id}/chart", response=ChartDataOut)
def draw_session(request: HttpRequest, session_id: UUID, body: SessionDrawIn) -> HttpResponse:
    """What a chart draws of a session's table, as of the cursor or any step; nothing is stored."""
    tables = container().tables()
    formula = body.filter.strip() or None
    view = tables.session_view(request.auth, SessionId(session_id), at=step_at(body.step), filter=formula)
    return _drawn(tables.chart(view, read_chart(body.chart)))


@router.get("/projects/{uuid:project_id}/charts", response=Page[SavedChartOut])
def list_charts(request: HttpRequest, project_id: UUID) -> Any:
    """The charts a project keeps, by name; those of sessions only to whose session it is."""
    found = container().charts().list(request.auth, ProjectId(project_id))
    return whole([SavedChartOut.of(saved) for saved in found], SavedChartOut)


@router.post("/projects/{uuid:project_id}/charts", response={201: SavedChartOut})
def create_chart(
    request: HttpRequest, response: HttpResponse, project_id: UUID, body: SavedChartIn
) -> Status[SavedChartOut]:
    """Keep a chart under a name."""
    container().access().check(request.auth, "project", project_id)
    saved = (
        container()
        .charts()
        .create(
            request.auth,
            ProjectId(project_id),
            body.name,
            read_chart(body.chart),
            version_id=None if body.version_id is None else VersionId(body.version_id),
            session_id=None if body.session_id is None else SessionId(body.session_id),
            filter=body.filter,
        )
    )
    response["Location"] = f"/api/v1/charts/{saved.id}"
    tag(response, saved.revision)
    return Status(201, SavedChartOut.of(saved))


@router.get("/charts/{uuid:chart_id}", response=SavedChartOut)
def get_chart(request: HttpRequest, response: HttpResponse, chart_id: UUID) -> SavedChartOut:
    """A chart as it was kept; `/versions/{id}/chart` or `/sessions/{id}/chart` draws it."""
    saved = container().charts().get(request.auth, ChartId(chart_id))
    tag(response, saved.revision)
    return SavedChartOut.of(saved)


@router.patch("/charts/{uuid:chart_id}", response=SavedChartOut)
def change_chart(request: HttpRequest, response: HttpResponse, chart_id: UUID, body: SavedChartPatch) -> SavedChartOut:
    """Another name, chart or filter."""
    container().charts().get(request.auth, ChartId(chart_id))  # strangers must not learn that the body is wrong
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if body.chart is not None:
        changes["chart"] = read_chart(body.chart)
    saved = container().charts().change(request.auth, ChartId(chart_id), changes, seen_revision(request))
    tag(response, saved.revision)
    return SavedChartOut.of(saved)


@router.delete("/charts/{uuid:chart_id}", response={204: None})
def delete_chart(request: HttpRequest, chart_id: UUID) -> Status[None]:
    """Forget a chart; the table stays as it is."""
    container().charts().delete(request.auth, ChartId(chart_id), seen_revision(request))
    return Status(204, None)


def _drawn(found: ChartData) -> HttpResponse:
    return json_response(
        {
            "columns": [{"name": column.name, "type": column.type} for column in found.columns],
            "marks": found.marks,
            "rows": found.rows,
            "used": found.used,
            "how": found.how,
            "note": found.note,
            "elapsed_ms": found.elapsed_ms,
        }
    )
