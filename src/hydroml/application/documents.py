"""Steps, recipes and specifications as JSON documents: read with every fault named, written back, and their schemas."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.runs import Outcome
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.sources import ImportOptions, Origin
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import STEPS, Step

T = TypeVar("T")

_STRICT = ConfigDict(extra="forbid")

for _type in (*STEPS, Specification, ImportOptions):
    with_config(_STRICT)(_type)

_step: TypeAdapter[Step] = TypeAdapter(Annotated[Step, Field(discriminator="op")])
_specification: TypeAdapter[Specification] = TypeAdapter(Specification)
_options: TypeAdapter[ImportOptions] = TypeAdapter(ImportOptions)
_origin: TypeAdapter[Origin] = TypeAdapter(Origin)
_outcome: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_ops = frozenset(kind.__dataclass_fields__["op"].default for kind in STEPS)


def _read(adapter: TypeAdapter[T], document: Any, what: str) -> T:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        faults = tuple(
            Fault(tuple(p for p in e["loc"] if p not in _ops), e["msg"].removeprefix("Value error, "), e["type"])
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise InvalidInputError(f"this is not a valid {what}", faults) from None


def read_step(document: Any) -> Step:
    """Raises InvalidInputError that names every fault."""
    return _read(_step, document, "step")


def write_step(step: Step) -> dict[str, Any]:
    return _dump(_step, step)


def step_schema(kind: type[Step]) -> dict[str, Any]:
    """The JSON schema of a kind of step, from which forms are drawn."""
    return TypeAdapter(kind).json_schema()


def read_recipe(documents: Any) -> Recipe:
    return tuple(RecipeStep(read_step(d["step"]), d.get("fitted") or {}) for d in documents)


def write_recipe(recipe: Recipe) -> tuple[dict[str, Any], ...]:
    return tuple({"step": write_step(entry.step), "fitted": dict(entry.fitted)} for entry in recipe)


def read_specification(document: Any) -> Specification:
    """Raises InvalidInputError that names every fault."""
    return _read(_specification, document, "experiment specification")


def write_specification(specification: Specification) -> dict[str, Any]:
    return _dump(_specification, specification)


def read_options(document: Any) -> ImportOptions:
    """Raises InvalidInputError that names every fault."""
    return _read(_options, document, "set of import options")


def write_options(options: ImportOptions) -> dict[str, Any]:
    return _dump(_options, options)


def read_origin(document: Any) -> Origin:
    return _read(_origin, document, "origin")


def write_origin(origin: Origin) -> dict[str, Any]:
    return _dump(_origin, origin)


def read_outcome(document: Any) -> Outcome:
    return _read(_outcome, document, "outcome")


def write_outcome(outcome: Outcome) -> dict[str, Any]:
    return _dump(_outcome, outcome)


def _dump(adapter: TypeAdapter[Any], value: Any) -> dict[str, Any]:
    document: Mapping[str, Any] = adapter.dump_python(value, mode="json")
    return dict(document)
