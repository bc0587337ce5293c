"""Recipes as SQL: the rules of their steps, one after the other."""

from collections.abc import Sequence
from dataclasses import replace

from hydroml.adapters.tables.builder import Builder, Plan, Types
from hydroml.adapters.tables.steps import RULES
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import RowEffect


def compile_recipe(types: Types, columns: Sequence[Column], recipe: Recipe, before: Plan | None = None) -> Plan:
    """`before` is the plan of all steps but the last, where that is known. Raises InvalidInputError; for a fault in a
    step before the last, its message says in which."""
    placed = any(entry.step.effect is RowEffect.PLACED for entry in recipe)
    if placed and before is not None and before.loose:
        before = None  # the numbers of its rows would be those of no table
    builder = Builder(types, list(columns)) if before is None else Builder.after(types, before)
    for at, entry in enumerate(recipe):
        if before is not None and at < len(recipe) - 1:
            continue
        try:
            _put(builder, entry)
            if placed and builder.loose:
                builder.renumber()
        except InvalidInputError as error:
            if at == len(recipe) - 1:
                raise
            raise InvalidInputError(
                f"step {at + 1} ({entry.step.info.title.lower()}): {error}",
                tuple(replace(fault, loc=("recipe", at, *fault.loc)) for fault in error.faults),
            ) from None
    return builder.plan()


def _put(builder: Builder, entry: RecipeStep) -> None:
    known = len(builder.stages)
    try:
        RULES[type(entry.step)](builder, entry.step, entry)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        if not entry.fitted:
            raise
        # What was learnt may have come in a document that somebody wrote.
        raise InvalidInputError.at(
            "fitted", msg="what the step has learnt is not of its kind; let it learn anew", code="fitted"
        ) from None
    if entry.step.effect is RowEffect.RELATES and not any(stage.anew for stage in builder.stages[known:]):
        builder.loose = True
    title = entry.step.info.title
    builder.stages[known:] = [replace(s, comment=f"{title}: {s.comment}") for s in builder.stages[known:]]


def must_be_learnt(entries: Sequence[RecipeStep]) -> None:
    """Raises InvalidInputError for a step that has to learn from data and has not."""
    for at, entry in enumerate(entries):
        if entry.step.learns and not entry.fitted:
            title = entry.step.info.title.lower()
            raise InvalidInputError.at(
                "recipe", at, msg=f"step {at + 1} ({title}) has not learnt from data yet", code="not_fitted"
            )
