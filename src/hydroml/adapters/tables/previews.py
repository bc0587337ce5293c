"""What a step would do, before it is taken."""

from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.compiler import derived
from hydroml.adapters.tables.fitting import fit
from hydroml.adapters.tables.pages import Pages
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.tables import StepPreview, View
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Derive, FillMissing, Step

SHOWN_ROWS = 100


def preview(views: Views, pages: Pages, table: Table, recipe: Recipe, step: Step) -> StepPreview:
    before = views.plan(table.columns, recipe).columns
    views.plan(table.columns, (*recipe, RecipeStep(step)))  # faults are found before anything is computed
    after = (*recipe, RecipeStep(step, fit(views, table, recipe, step)))
    page = pages.page(View(table, after), 0, SHOWN_ROWS, total=True)
    rows_before = pages.total(View(table, recipe))
    old, new = {c.name for c in before}, {c.name for c in page.columns}
    rows_after = page.total if page.total is not None else pages.total(View(table, after))
    return StepPreview(
        page=replace(page, total=rows_after),
        added_columns=tuple(c.name for c in page.columns if c.name not in old),
        removed_columns=tuple(c.name for c in before if c.name not in new),
        rows_before=rows_before,
        rows_after=rows_after,
        changed_cells=_changed(views, table, recipe, after, before),
    )


def _changed(views: Views, table: Table, recipe: Recipe, after: Recipe, before: tuple[Column, ...]) -> dict[str, int]:
    """How many cells of columns that were there before get another value."""
    step = after[-1].step
    if isinstance(step, FillMissing):
        was, now = _known(views, table, recipe, step.columns), _known(views, table, after, step.columns)
        return {name: now[name] - was[name] for name in step.columns}
    if isinstance(step, Derive) and any(c.name == step.column for c in before):
        expression, _ = derived(views.types, before, step.formula)
        with views.opened(table, recipe) as opened, views.connection(opened) as connection:
            cell = sql.name(step.column)
            # Text and numbers can be told apart only as text.
            differs = f"{cell}::VARCHAR IS DISTINCT FROM ({expression})::VARCHAR"
            query = opened.plan.query(opened.source(), f"SELECT count(*) FILTER ({differs}) FROM {opened.plan.last}")
            return {step.column: connection.row(query)[0]}
    return {}


def _known(views: Views, table: Table, recipe: Recipe, names: tuple[str, ...]) -> dict[str, int]:
    with views.opened(table, recipe) as opened, views.connection(opened) as connection:
        counts = ", ".join(f"count({sql.name(name)})" for name in names)
        row = connection.row(opened.plan.query(opened.source(), f"SELECT {counts} FROM {opened.plan.last}"))
    return dict(zip(names, row, strict=True))
