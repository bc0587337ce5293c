"""What there is to choose from: steps, formula functions, algorithms, metrics; and the search."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.application.documents import step_schema
from hydroml.application.ports.repositories import Found
from hydroml.application.ports.tables import FunctionInfo
from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm, Hyperparameter
from hydroml.domain.experiments.metrics import METRICS, Better, Family, Metric
from hydroml.domain.studio.conditions import written
from hydroml.domain.studio.steps import STEPS, RowEffect, Step
from hydroml.domain.studio.steps.base import StepGroup
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import inlined
from hydroml.entrypoints.web.api.versions import ConditionDoc

router = Router(tags=["choices"])


class StepKindOut(Schema):
    """A kind of step; a form can be drawn from its JSON schema."""

    op: str
    title: str
    help: str
    group: StepGroup
    row_local: bool | None = Field(description="Null when it depends on the step's parameters.")
    schema_: dict[str, Any] = Field(alias="schema")

    @classmethod
    def of(cls, kind: type[Step]) -> "StepKindOut":
        effect = kind.effect
        return cls(
            op=str(kind.__dataclass_fields__["op"].default),
            title=kind.info.title,
            help=kind.info.help,
            group=kind.info.group,
            row_local=effect is RowEffect.LOCAL if isinstance(effect, RowEffect) else None,
            schema=inlined(step_schema(kind)),
        )


class StepKindListOut(Schema):
    items: list[StepKindOut]


class FunctionOut(Schema):
    """A function that formulas may use, with an example and what that gives."""

    name: str
    signature: str
    help: str
    group: str
    example: str
    result: str

    @classmethod
    def of(cls, one: FunctionInfo) -> "FunctionOut":
        return cls(
            name=one.name,
            signature=one.signature,
            help=one.help,
            group=one.group,
            example=one.example,
            result=one.result,
        )


class FunctionListOut(Schema):
    functions: list[FunctionOut]


class ConditionFormulaOut(Schema):
    """A condition as people write it."""

    formula: str


class SearchRangeOut(Schema):
    """Where a sweep looks for a number; `log` where only ratios count."""

    low: float
    high: float
    log: bool


class HyperparameterOut(Schema):
    """A setting of an algorithm."""

    name: str
    type: str
    default: int | float | str | bool | None
    minimum: float | None
    maximum: float | None
    choices: list[str]
    nullable: bool
    search: SearchRangeOut | None
    help: str

    @classmethod
    def of(cls, one: Hyperparameter) -> "HyperparameterOut":
        return cls(
            name=one.name,
            type=one.type,
            default=one.default,
            minimum=one.minimum,
            maximum=one.maximum,
            choices=list(one.choices),
            nullable=one.nullable,
            search=None if one.search is None else SearchRangeOut.model_validate(asdict(one.search)),
            help=one.help,
        )


class AlgorithmOut(Schema):
    """An algorithm, what it needs, and whether it is installed here."""

    name: str
    title: str
    help: str
    family: str
    problems: list[str]
    needs_scaling: bool
    handles_missing: bool
    most_rows: int | None
    package: str | None
    installed: bool
    hyperparameters: list[HyperparameterOut]

    @classmethod
    def of(cls, one: Algorithm, *, installed: bool) -> "AlgorithmOut":
        return cls(
            name=one.name,
            title=one.title,
            help=one.help,
            family=one.family,
            problems=list(one.problems),
            needs_scaling=one.needs_scaling,
            handles_missing=one.handles_missing,
            most_rows=one.most_rows,
            package=one.package,
            installed=installed,
            hyperparameters=[HyperparameterOut.of(parameter) for parameter in one.hyperparameters],
        )


class AlgorithmListOut(Schema):
    items: list[AlgorithmOut]


class MetricOut(Schema):
    """A metric, and in which direction it is better."""

    name: str
    title: str
    unit: str
    better: Better
    range: str
    definition: str
    source: str
    problems: list[str]
    family: Family

    @classmethod
    def of(cls, one: Metric) -> "MetricOut":
        return cls(
            name=one.name,
            title=one.title,
            unit=one.unit,
            better=one.better,
            range=one.range,
            definition=one.definition,
            source=one.source,
            problems=list(one.problems),
            family=one.family,
        )


class MetricListOut(Schema):
    items: list[MetricOut]


class SearchIn(Schema):
    """What to look for."""

    q: str = Field("", max_length=200, description="A part of a name.")
    limit: int = Field(20, ge=1, le=50)


class FoundOut(Schema):
    """Something found, and the page it is on."""

    kind: str
    id: UUID
    name: str
    url: str
    project: str
    project_id: UUID

    @classmethod
    def of(cls, found: Found) -> "FoundOut":
        return cls(
            kind=found.kind,
            id=found.id,
            name=found.name,
            url=_url(found),
            project=found.project_name,
            project_id=found.project_id,
        )


class SearchOut(Schema):
    items: list[FoundOut]


@router.get("/steps", response=StepKindListOut, by_alias=True)
def list_steps(request: HttpRequest) -> StepKindListOut:
    """Every kind of step with its JSON schema."""
    return StepKindListOut.model_construct(items=[StepKindOut.of(kind) for kind in STEPS])


@router.get("/formulas", response=FunctionListOut)
def list_functions(request: HttpRequest) -> FunctionListOut:
    """The functions that formulas may use."""
    found = container().tables_engine().functions()
    return FunctionListOut(functions=[FunctionOut.of(f) for f in found])


@router.post("/formulas/condition", response=ConditionFormulaOut)
def write_condition(request: HttpRequest, body: ConditionDoc) -> ConditionFormulaOut:
    """The formula of a condition; `formulas/check` of a table says whether it suits the columns."""
    return ConditionFormulaOut(formula=written(body.read()))


@router.get("/algorithms", response=AlgorithmListOut)
def list_algorithms(request: HttpRequest) -> AlgorithmListOut:
    """The algorithms with their hyperparameters."""
    service = container().preflight()
    return AlgorithmListOut(items=[AlgorithmOut.of(one, installed=service.can_run(one)) for one in ALGORITHMS.values()])


@router.get("/metrics", response=MetricListOut)
def list_metrics(request: HttpRequest) -> MetricListOut:
    """The metrics with their definitions."""
    return MetricListOut(items=[MetricOut.of(one) for one in METRICS.values()])


@router.get("/search", response=SearchOut, tags=["search"])
def search(request: HttpRequest, which: Query[SearchIn]) -> SearchOut:
    """My projects, data sources, recipes, experiments and models by name, best first."""
    return SearchOut(items=[FoundOut.of(f) for f in container().search().find(request.auth, which.q, which.limit)])


def _url(found: Found) -> str:
    match found.kind:
        case "project":
            return f"/projects/{found.id}"
        case "experiment":
            return f"/projects/{found.project_id}/experiments"
        case _:
            return f"/{found.kind}s/{found.id}"
