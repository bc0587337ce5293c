"""Quality: the report of a version, where its values are missing, and what has changed since another version."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.domain.jobs import JobState
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import json_response, names
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.downloads import attachment
from hydroml.entrypoints.web.quality_report import page

router = Router(tags=["quality"])


class FindingOut(Schema):
    """Something that may be wrong with a table; `step` is the Studio's step that would mend it."""

    id: str
    kind: str
    dimension: str
    severity: str
    columns: list[str]
    title: str
    detail: str
    rows: int | None
    share: float | None
    filter: str | None = Field(description="A formula that shows the rows.")
    row_numbers: list[int] = Field(description="The first rows, counted from 1; at most 20.")
    step: dict[str, Any] | None


class FitnessOut(Schema):
    """How fit a column is as a feature and as a target: good, doubtful or unfit."""

    column: str
    as_feature: str
    as_target: str
    reasons: list[str]


class GapOut(Schema):
    """Between two times that are there, so many steps are not."""

    from_: str = Field(alias="from")
    to: str
    missing: int
    group: str | None


class TimeOut(Schema):
    """The table as a time series, or as one for each group; `parts` are the columns the time is made of."""

    column: str
    parts: list[str]
    group: str | None
    groups: int
    from_: str = Field(alias="from")
    to: str
    step: str | None
    regular: float
    gaps: list[GapOut]
    gap_count: int
    missing_steps: int
    duplicates: int
    out_of_order: int


class AssociationOut(Schema):
    """pearson, spearman, cramers_v or correlation_ratio of two columns."""

    a: str
    b: str
    measure: str
    value: float


class QualityOut(Schema):
    """A quality report; without findings while it is being made."""

    status: str = Field(description="ready, running or failed")
    job: JobOut | None
    created_at: datetime | None = None
    rows: int | None = None
    columns: int | None = None
    findings: list[FindingOut] = Field(default_factory=list)
    fitness: list[FitnessOut] = Field(default_factory=list)
    time: TimeOut | None = None
    associations: list[AssociationOut] = Field(default_factory=list)
    bounds: list[str] = Field(default_factory=list, description="What was not looked at, in words.")


class ComparedOut(Schema):
    """Findings that are new, gone and still there."""

    new: list[FindingOut]
    gone: list[FindingOut]
    same: list[FindingOut]


class PatternOut(Schema):
    """Rows in which exactly these columns are missing."""

    missing: list[str]
    rows: int


class CombinationOut(Schema):
    """Rows with a value in every one of these columns."""

    columns: list[str]
    complete_rows: int


class MissingColumnOut(Schema):
    name: str
    missing: int


class MissingOut(Schema):
    """Where values are missing, alone and together."""

    rows: int
    columns: list[MissingColumnOut]
    patterns: list[PatternOut]
    combinations: list[CombinationOut]
    bounds: list[str]


class WithIn(Schema):
    """Which other version."""

    with_: UUID = Field(alias="with")


class ChosenIn(Schema):
    """Which columns' combinations."""

    columns: str = Field("", max_length=10_000, description='`a,b`, or `["a","b"]`; at most twelve.')


@router.get("/versions/{uuid:version_id}/quality", response=QualityOut, by_alias=True)
def get_quality(request: HttpRequest, version_id: UUID) -> Any:
    """The quality report: of a small table it is made at once, of a large one by a job."""
    found = container().quality().get(request.auth, VersionId(version_id))
    if found.document is not None:
        return json_response({"status": "ready", "job": None} | {**found.document})
    failed = found.job is not None and found.job.state in (JobState.FAILED, JobState.CANCELLED)
    job = JobOut.of(found.job) if found.job else None
    return json_response(QualityOut(status="failed" if failed else "running", job=job).model_dump(mode="json"))


@router.get("/versions/{uuid:version_id}/quality/report")
def get_quality_report(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """The report as one HTML file; 409 while it is being made."""
    version, source, document = container().quality().found(request.auth, VersionId(version_id))
    content = page(source.name, version.number, document).encode()
    return attachment(content, f"{source.name}, version {version.number}, quality.html", "text/html; charset=utf-8")


@router.get("/versions/{uuid:version_id}/quality/compare", response=ComparedOut)
def compare_quality(request: HttpRequest, version_id: UUID, other: Query[WithIn]) -> Any:
    """Which findings are new, gone and still there since another version; 409 while a report is being made."""
    return json_response(container().quality().compare(request.auth, VersionId(version_id), VersionId(other.with_)))


@router.get("/versions/{uuid:version_id}/missing", response=MissingOut)
def get_missing(request: HttpRequest, version_id: UUID, which: Query[ChosenIn]) -> Any:
    """Where values are missing together, and the complete rows of every combination of the chosen columns."""
    chosen = names(which.columns, "columns")
    found = container().quality().missing(request.auth, VersionId(version_id), chosen)
    return json_response(
        {
            "rows": found.rows,
            "columns": [{"name": name, "missing": missing} for name, missing in found.columns],
            "patterns": [{"missing": pattern.missing, "rows": pattern.rows} for pattern in found.patterns],
            "combinations": [{"columns": c.columns, "complete_rows": c.complete_rows} for c in found.combinations],
            "bounds": found.bounds,
        }
    )
