"""Which steps of a recipe can run: the table at any place of a history is the table of all that can."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Step

K = TypeVar("K")

Schema = Callable[[Recipe], tuple[Column, ...]]
"""The columns after a recipe; raises InvalidInputError when it cannot run. It is asked often, and keeps its answers."""


class StepStatus(StrEnum):
    OK = "ok"
    DISABLED = "disabled"
    FAILED = "failed"
    WAITING = "waiting"
    """For a step before it, which cannot run and would make a column that this one needs."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[K]):
    """Whether a step can run after those before it that can, and why not."""

    status: StepStatus
    reason: str = ""
    faults: tuple[Fault, ...] = ()
    waits_for: K | None = None


def judge(steps: Mapping[K, RecipeStep], schema: Schema) -> dict[K, Verdict[K]]:
    """A verdict on each of the steps, in order: each is tried after those before it that can run."""
    try:
        schema(tuple(steps.values()))
    except InvalidInputError:
        return _one_by_one(steps, schema)
    return dict.fromkeys(steps, Verdict(StepStatus.OK))


def running(steps: Mapping[K, RecipeStep], verdicts: Mapping[K, Verdict[K]]) -> Recipe:
    """Those of the steps that can run."""
    return tuple(step for key, step in steps.items() if verdicts[key].status is StepStatus.OK)


def made(before: Iterable[Column], after: Iterable[Column]) -> tuple[str, ...]:
    """The columns that are new after a step, or of another type."""
    known = {column.name: column.type for column in before}
    return tuple(column.name for column in after if known.get(column.name) is not column.type)


def speaks_of(step: Step, column: str) -> bool:
    """Whether any of the step's parameters names the column, alone or as a word of a formula."""
    word = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
    return any(word.search(text) for text in _texts(step))


def _one_by_one(steps: Mapping[K, RecipeStep], schema: Schema) -> dict[K, Verdict[K]]:
    verdicts: dict[K, Verdict[K]] = {}
    recipe: Recipe = ()
    for key, entry in steps.items():
        try:
            schema((*recipe, entry))
        except InvalidInputError as error:
            stopped = [other for other in verdicts if verdicts[other].status is not StepStatus.OK]
            needed = [other for other in stopped if any(speaks_of(entry.step, name) for name in steps[other].made)]
            status = StepStatus.WAITING if needed else StepStatus.FAILED
            verdicts[key] = Verdict(status, str(error), error.faults, needed[-1] if needed else None)
        else:
            verdicts[key] = Verdict(StepStatus.OK)
            recipe = (*recipe, entry)
    return verdicts


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            if field.name != "op":
                yield from _texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from (*_texts(key), *_texts(part))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _texts(part)
