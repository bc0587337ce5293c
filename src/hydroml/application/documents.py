"""Steps, recipes and specifications as JSON documents: read with every fault named, written back, and their schemas."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass, replace
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from hydroml.domain.charts import CHARTS, Chart
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.plans import PLANS, Plan
from hydroml.domain.experiments.runs import Outcome
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.exports import ExportOptions, ExportShape
from hydroml.domain.rules import CHECKS, Check
from hydroml.domain.sources import Following, ImportOptions, Origin
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import STEPS, Step
from hydroml.domain.studio.steps.base import Ask

T = TypeVar("T")

_STRICT = ConfigDict(extra="forbid")

for _type in (*STEPS, *CHECKS, *CHARTS, *PLANS, Specification, ImportOptions, ExportOptions, ExportShape):
    with_config(_STRICT)(_type)

_step: TypeAdapter[Step] = TypeAdapter(Annotated[Step, Field(discriminator="op")])
_check: TypeAdapter[Check] = TypeAdapter(Annotated[Check, Field(discriminator="kind")])
_chart: TypeAdapter[Chart] = TypeAdapter(Annotated[Chart, Field(discriminator="kind")])
_specification: TypeAdapter[Specification] = TypeAdapter(Specification)
_plan: TypeAdapter[Plan] = TypeAdapter(Annotated[Plan, Field(discriminator="kind")])
_options: TypeAdapter[ImportOptions] = TypeAdapter(ImportOptions)
_shape: TypeAdapter[ExportShape] = TypeAdapter(ExportShape)
_origin: TypeAdapter[Origin] = TypeAdapter(Origin)
_following: TypeAdapter[Following] = TypeAdapter(Following)
_outcome: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_tags = frozenset(
    (
        *((kind.__dataclass_fields__["op"].default,) for kind in STEPS),
        *((kind.__dataclass_fields__["kind"].default,) for kind in (*CHECKS, *CHARTS, *PLANS)),
    )
)
"""What the place of a fault begins with in a document that may be of several kinds."""
_MEMBER = re.compile(r"<\w+\.\w+: ('\w+')>")
"""A member of an enumeration as Python shows it; people know it by its value."""


def _read(adapter: TypeAdapter[T], document: Any, what: str) -> T:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        faults = tuple(
            Fault(
                e["loc"][e["loc"][:1] in _tags :], _MEMBER.sub(r"\1", e["msg"].removeprefix("Value error, ")), e["type"]
            )
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise InvalidInputError(f"this is not a valid {what}", faults) from None


def read_step(document: Any) -> Step:
    """Raises InvalidInputError that names every fault."""
    return _read(_step, document, "step")


def write_step(step: Step) -> dict[str, Any]:
    return _dump(_step, step)


def step_schema(kind: type[Step]) -> dict[str, Any]:
    """The JSON schema of a kind of step, from which forms are drawn: with what `Ask` says of its parameters."""
    schema = TypeAdapter(kind).json_schema()
    _add_asks(schema, kind)
    for part in _parts(kind):
        if (definition := schema.get("$defs", {}).get(part.__name__)) is not None:
            _add_asks(definition, part)
    return schema


def _parts(kind: type[Any]) -> Iterator[type[Any]]:
    """The dataclasses that parameters of a kind of step are made of, one within the other."""
    for hint in get_type_hints(kind).values():
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and is_dataclass(part) and part is not kind:
                yield part
                yield from _parts(part)


def _add_asks(schema: dict[str, Any], kind: type[Any]) -> None:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        described = schema["properties"].get(name)
        if described is None:
            continue
        described["title"] = name.replace("_", " ").capitalize()  # not that of an enumeration it refers to
        for ask in _asks(hint):
            words = {"title": ask.title, "description": ask.help, "x-role": ask.role, "x-types": list(ask.types)}
            described |= {key: value for key, value in words.items() if value}
            if ask.choices:
                described["x-choices"] = dict(ask.choices)
            if ask.suggest:
                described["x-suggest"] = ask.suggest
            if ask.more:
                described["x-more"] = True
            if ask.when is not None:
                described["x-when"] = {ask.when[0]: list(ask.when[1])}


def _asks(hint: Any) -> list[Ask]:
    """Those of the parameter, and of what it may also be: a column or none. The outer ones come last, and count."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        return [*_asks(inner), *(note for note in notes if isinstance(note, Ask))]
    return [ask for part in get_args(hint) for ask in _asks(part)] if get_origin(hint) in (Union, UnionType) else []


def read_check(document: Any) -> Check:
    """A rule's kind with its parameters. Raises InvalidInputError that names every fault."""
    return _read(_check, document, "rule")


def write_check(check: Check) -> dict[str, Any]:
    return _dump(_check, check)


def check_schema(kind: type[Check]) -> dict[str, Any]:
    """The JSON schema of the parameters of a kind of rule, from which forms are drawn."""
    return TypeAdapter(kind).json_schema()


def read_chart(document: Any) -> Chart:
    """Raises InvalidInputError that names every fault."""
    return _read(_chart, document, "chart")


def write_chart(chart: Chart) -> dict[str, Any]:
    return _dump(_chart, chart)


def chart_schema(kind: type[Chart]) -> dict[str, Any]:
    """The JSON schema of a kind of chart, from which forms are drawn: with what `Ask` says of its parameters."""
    schema = TypeAdapter(kind).json_schema()
    _add_asks(schema, kind)
    return schema


def read_recipe(documents: Any) -> Recipe:
    return tuple(
        RecipeStep(read_step(d["step"]), d.get("fitted") or {}, made=tuple(d.get("made", ()))) for d in documents
    )


def read_steps(documents: Sequence[Mapping[str, Any]]) -> Recipe:
    """Steps that somebody sends, each bare or with what it has learnt. Raises InvalidInputError that names every
    fault."""
    steps: list[RecipeStep] = []
    faults: list[Fault] = []
    for at, document in enumerate(documents):
        entry: Mapping[str, Any] = {"step": document} if "op" in document else document
        learnt, made = entry.get("fitted") or {}, entry.get("made") or []
        if not isinstance(learnt, dict) or not isinstance(made, list) or not _can_be_kept(entry):
            faults.append(Fault(("steps", at), "a step, or {step, fitted, made}; without zero bytes", "step"))
            continue
        try:
            steps.append(RecipeStep(read_step(entry.get("step")), learnt, made=tuple(map(str, made))))
        except InvalidInputError as error:
            faults += [replace(fault, loc=("steps", at, *fault.loc)) for fault in error.faults]
    if faults:
        raise InvalidInputError(f"the recipe cannot be read: {faults[0].msg}", tuple(faults))
    return tuple(steps)


def _can_be_kept(document: Any) -> bool:
    """The database keeps no zero bytes and no halves of characters."""
    text = json.dumps(document, ensure_ascii=False)
    return "\\u0000" not in text and all(not "\ud800" <= c <= "\udfff" for c in text)


def write_recipe(recipe: Recipe) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"step": write_step(entry.step), "fitted": dict(entry.fitted), "made": list(entry.made)} for entry in recipe
    )


def read_specification(document: Any) -> Specification:
    """Raises InvalidInputError that names every fault."""
    return _read(_specification, document, "experiment specification")


def write_specification(specification: Specification) -> dict[str, Any]:
    return _dump(_specification, specification)


def read_plan(document: Any) -> Plan:
    """What a suite varies. Raises InvalidInputError that names every fault."""
    return _read(_plan, document, "plan of a suite")


def write_plan(plan: Plan) -> dict[str, Any]:
    return _dump(_plan, plan)


def plan_schema() -> dict[str, Any]:
    """The JSON schema of every kind of plan."""
    return _plan.json_schema()


def read_options(document: Any) -> ImportOptions:
    """Raises InvalidInputError that names every fault."""
    return _read(_options, document, "set of import options")


def write_options(options: ImportOptions) -> dict[str, Any]:
    return _dump(_options, options)


def read_shape(document: Any) -> ExportShape:
    """What an export holds. Raises InvalidInputError that names every fault."""
    return _read(_shape, document, "export")


def write_shape(shape: ExportShape) -> dict[str, Any]:
    return _dump(_shape, shape)


def read_origin(document: Any) -> Origin:
    return _read(_origin, document, "origin")


def write_origin(origin: Origin) -> dict[str, Any]:
    return _dump(_origin, origin)


def read_following(document: Any) -> Following:
    return _read(_following, document, "source to follow")


def write_following(following: Following) -> dict[str, Any]:
    return _dump(_following, following)


def read_outcome(document: Any) -> Outcome:
    return _read(_outcome, document, "outcome")


def write_outcome(outcome: Outcome) -> dict[str, Any]:
    return _dump(_outcome, outcome)


def _dump(adapter: TypeAdapter[Any], value: Any) -> dict[str, Any]:
    document: Mapping[str, Any] = adapter.dump_python(value, mode="json")
    return dict(document)
