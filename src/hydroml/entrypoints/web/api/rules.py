"""Rules: a person's own checks of a data source."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import check_schema, write_check
from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.application.rules import check_of
from hydroml.domain.rules import CHECKS, Check, Rule, RuleId, RuleResult, RuleSeverity
from hydroml.domain.sources import SourceId, VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, at_job, inlined, page, whole
from hydroml.entrypoints.web.api.jobs import JobOut, StartedOut

router = Router(tags=["rules"])


class RuleIn(Schema):
    """A new rule; what `parameters` are depends on its kind, see `/rules/kinds`."""

    name: str
    kind: str
    columns: list[str] = Field(default_factory=list, max_length=100)
    parameters: dict[str, Any] = Field(default_factory=dict)
    severity: RuleSeverity = RuleSeverity.ERROR
    enabled: bool = True


class RulePatch(Schema):
    """What changes; what is left out stays."""

    name: str | None = None
    kind: str | None = None
    columns: list[str] | None = Field(None, max_length=100)
    parameters: dict[str, Any] | None = None
    severity: RuleSeverity | None = None
    enabled: bool | None = None


class RuleOut(Schema):
    """A check that is run on each new version."""

    id: UUID
    source_id: UUID
    name: str
    kind: str
    columns: list[str]
    parameters: dict[str, Any]
    severity: RuleSeverity
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        parameters = {name: value for name, value in write_check(rule.check).items() if name != "kind"}
        return cls(
            id=rule.id,
            source_id=rule.source_id,
            name=rule.name,
            kind=rule.kind,
            columns=list(rule.columns),
            parameters=parameters,
            severity=rule.severity,
            enabled=rule.enabled,
            created_at=rule.created_at,
        )


class RuleKindOut(Schema):
    """A kind of rule; a form for its parameters can be drawn from the JSON schema."""

    kind: str
    title: str
    help: str
    columns: str = Field(description="none, one or several")
    schema_: dict[str, Any] = Field(alias="schema")

    @classmethod
    def of(cls, kind: type[Check]) -> "RuleKindOut":
        name = str(kind.__dataclass_fields__["kind"].default)
        count = {"row_count": "none", "formula": "none", "set": "one", "pattern": "one", "monotonic": "one"}
        schema = inlined(check_schema(kind))
        schema["properties"] = {key: value for key, value in schema["properties"].items() if key != "kind"}
        return cls(kind=name, title=kind.title, help=kind.help, columns=count.get(name, "several"), schema=schema)


class RuleKindListOut(Schema):
    items: list[RuleKindOut]


class RuleResultOut(Schema):
    """What a rule has said about a version; `passed` is null when it could not be checked, and `error` says why."""

    rule_id: UUID
    rule_name: str
    severity: RuleSeverity
    version_id: UUID
    version_number: int
    passed: bool | None
    failing_rows: int
    filter: str | None = Field(description="A formula that shows the rows that fail.")
    row_numbers: list[int]
    error: str | None
    checked_at: datetime

    @classmethod
    def of(cls, result: RuleResult) -> "RuleResultOut":
        return cls(
            rule_id=result.rule_id,
            rule_name=result.rule_name,
            severity=result.severity,
            version_id=result.version_id,
            version_number=result.version_number,
            passed=result.passed,
            failing_rows=result.failing_rows,
            filter=result.filter,
            row_numbers=list(result.row_numbers),
            error=result.error,
            checked_at=result.checked_at,
        )


class ResultsIn(Schema):
    """Which part of the results."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=500)
    version: UUID | None = None


@router.get("/rules/kinds", response=RuleKindListOut, by_alias=True)
def list_kinds(request: HttpRequest) -> RuleKindListOut:
    """Every kind of rule."""
    return RuleKindListOut.model_construct(items=[RuleKindOut.of(kind) for kind in CHECKS])


@router.get("/sources/{uuid:source_id}/rules", response=Page[RuleOut])
def list_rules(request: HttpRequest, source_id: UUID) -> Any:
    """The rules of a data source, oldest first."""
    return whole([RuleOut.of(r) for r in container().rules().list(request.auth, SourceId(source_id))], RuleOut)


@router.post("/sources/{uuid:source_id}/rules", response={201: RuleOut})
def create_rule(request: HttpRequest, source_id: UUID, body: RuleIn) -> Status[RuleOut]:
    """A new rule; it is checked on each new version."""
    container().access().check(request.auth, "source", source_id)
    rule = (
        container()
        .rules()
        .create(
            request.auth,
            SourceId(source_id),
            body.name,
            check_of(body.kind, body.parameters),
            body.columns,
            severity=body.severity,
            enabled=body.enabled,
        )
    )
    return Status(201, RuleOut.of(rule))


@router.patch("/rules/{uuid:rule_id}", response=RuleOut)
def change_rule(request: HttpRequest, rule_id: UUID, body: RulePatch) -> RuleOut:
    """Change a rule."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    return RuleOut.of(container().rules().change(request.auth, RuleId(rule_id), changes))


@router.delete("/rules/{uuid:rule_id}", response={204: None})
def delete_rule(request: HttpRequest, rule_id: UUID) -> Status[None]:
    """Remove a rule with its results."""
    container().rules().delete(request.auth, RuleId(rule_id))
    return Status(204, None)


@router.get("/sources/{uuid:source_id}/rules/results", response=Page[RuleResultOut])
def list_results(request: HttpRequest, source_id: UUID, which: Query[ResultsIn]) -> Any:
    """What the rules have said, newest first."""
    listing = Listing(which.limit, which.cursor, "-checked_at")
    version = None if which.version is None else VersionId(which.version)
    return page(container().rules().results(request.auth, SourceId(source_id), listing, version), RuleResultOut)


@router.post("/versions/{uuid:version_id}/rules/check", response={202: StartedOut})
def check_rules(request: HttpRequest, response: HttpResponse, version_id: UUID) -> Status[StartedOut]:
    """Check the enabled rules on a version."""
    job = container().rules().check(request.auth, VersionId(version_id))
    at_job(response, job.id)
    return Status(202, StartedOut(job=JobOut.of(job)))
