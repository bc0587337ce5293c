"""What a step would do, before it is taken."""

from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import SOURCE
from hydroml.adapters.tables.fitting import fit
from hydroml.adapters.tables.pages import Pages
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.tables import StepPreview, View
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Derive, FillMissing, RowEffect

SHOWN_ROWS = 100
_COMPARED_ROWS = 1_000_000


def preview(views: Views, pages: Pages, table: Table, recipe: Recipe, entry: RecipeStep) -> StepPreview:
    before = views.plan(table.columns, recipe).columns
    views.plan(table.columns, (*recipe, entry))  # faults are found before anything is computed
    after = (*recipe, replace(entry, fitted=fit(views, table, recipe, entry.step)))
    page = pages.page(View(table, after), 0, SHOWN_ROWS, total=True)
    rows_before = pages.total(View(table, recipe))
    old, new = {c.name for c in before}, {c.name for c in page.columns}
    rows_after = page.total if page.total is not None else pages.total(View(table, after))
    changed, compared = _changed(views, table, after, before)
    return StepPreview(
        page=replace(page, total=rows_after),
        added_columns=tuple(c.name for c in page.columns if c.name not in old),
        removed_columns=tuple(c.name for c in before if c.name not in new),
        rows_before=rows_before,
        rows_after=rows_after,
        changed_cells=changed,
        compared_rows=compared,
    )


def _changed(
    views: Views, table: Table, after: Recipe, before: tuple[Column, ...]
) -> tuple[dict[str, int], int | None]:
    """How many cells of columns that were there before get another value; and of how many rows, if not of all."""
    step, recipe = after[-1].step, after[:-1]
    if isinstance(step, FillMissing):
        was, now = _known(views, table, recipe, step.columns), _known(views, table, after, step.columns)
        return {name: now[name] - was[name] for name in step.columns}, None
    relates = isinstance(step, Derive) and step.effect is RowEffect.RELATES
    if step.effect is not RowEffect.LOCAL and not relates:
        return {}, None
    with views.opened(table, recipe) as opened, views.connection(opened) as connection:
        plan = views.plan(opened.columns, (*opened.recipe, after[-1]))
        old = plan.stages[-2].name if len(plan.stages) > 1 else SOURCE
        kept = {column.name for column in plan.columns}
        names = [column.name for column in before if column.name in plan.stages[-1].changed & kept]
        if not names:
            return {}, None
        # Values of different types can be compared only as text.
        differs = [f"a.{sql.name(name)}::VARCHAR IS DISTINCT FROM b.{sql.name(name)}::VARCHAR" for name in names]
        counts = ", ".join(f"count(*) FILTER ({one})" for one in differs)
        joined = f"{old} AS a JOIN {plan.last} AS b USING ({sql.name(sql.ROW)})"
        # What looks at other rows has to see all of them.
        source = opened.source("" if relates else f"file_row_number < {_COMPARED_ROWS}")
        row = connection.row(plan.query(source, f"SELECT {counts} FROM {joined}"))
    return dict(zip(names, row, strict=True)), None if relates or opened.rows <= _COMPARED_ROWS else _COMPARED_ROWS


def _known(views: Views, table: Table, recipe: Recipe, names: tuple[str, ...]) -> dict[str, int]:
    with views.opened(table, recipe) as opened, views.connection(opened) as connection:
        counts = ", ".join(f"count({sql.name(name)})" for name in names)
        row = connection.row(opened.plan.query(opened.source(), f"SELECT {counts} FROM {opened.plan.last}"))
    return dict(zip(names, row, strict=True))
