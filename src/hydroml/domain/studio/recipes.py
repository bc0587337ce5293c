"""Recipes: steps in order, each with what it learnt."""

from dataclasses import dataclass, field

from hydroml.domain.studio.steps import Fitted, RowEffect, Step


@dataclass(frozen=True, slots=True)
class RecipeStep:
    step: Step
    fitted: Fitted = field(default_factory=dict)


Recipe = tuple[RecipeStep, ...]


def row_local_part(recipe: Recipe) -> Recipe:
    """The steps that can be replayed on any single row: what a prediction runs on new rows."""
    return tuple(entry for entry in recipe if entry.step.effect is RowEffect.LOCAL)
