"""What a step would do, before it is taken."""

from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.differences import Found, differences
from hydroml.adapters.tables.fitting import fit
from hydroml.adapters.tables.pages import Pages
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.tables import Differences, Fate, StepPreview, View
from hydroml.domain.errors import TooLargeError
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Append, FillMissing

SHOWN_ROWS = 100


def preview(views: Views, pages: Pages, table: Table, recipe: Recipe, entry: RecipeStep) -> StepPreview:
    before = views.plan(table.columns, recipe).columns
    views.plan(table.columns, (*recipe, entry))  # faults are found before anything is computed
    after = (*recipe, replace(entry, fitted=fit(views, table, recipe, entry.step)))
    page = pages.page(View(table, after), 0, SHOWN_ROWS, total=True)
    rows_before = pages.total(View(table, recipe))
    old, new = {c.name for c in before}, {c.name for c in page.columns}
    rows_after = page.total if page.total is not None else pages.total(View(table, after))
    changed, compared, told = _differences(views, pages, table, after, rows_before)
    return StepPreview(
        page=replace(page, total=rows_after),
        added_columns=tuple(c.name for c in page.columns if c.name not in old),
        removed_columns=tuple(c.name for c in before if c.name not in new),
        rows_before=rows_before,
        rows_after=rows_after,
        changed_cells=changed,
        compared_rows=compared,
        differences=told,
    )


def _differences(views: Views, pages: Pages, table: Table, after: Recipe, rows_before: int) -> Found:
    step, recipe = after[-1].step, after[:-1]
    if isinstance(step, Append):
        return {}, None, _appended(pages, View(table, after), rows_before)
    try:
        changed, compared, told = differences(views, table, after)
        if isinstance(step, FillMissing):
            was, now = _known(views, table, recipe, step.columns), _known(views, table, after, step.columns)
            return {name: now[name] - was[name] for name in step.columns}, None, told
    except TooLargeError:
        return {}, None, None  # the first rows after the step are there all the same
    return changed, compared, told


def _appended(pages: Pages, after: View, rows_before: int) -> Differences:
    """The last rows of the table, and the first of those below them."""
    start = max(rows_before - SHOWN_ROWS // 2, 0)
    page = pages.page(after, start, SHOWN_ROWS, total=False)
    numbers = tuple(range(start + 1, start + 1 + len(page.rows)))
    fates: tuple[Fate, ...] = tuple("added" if number > rows_before else "kept" for number in numbers)
    return Differences(page.columns, numbers, page.rows, fates, ({},) * len(numbers))


def _known(views: Views, table: Table, recipe: Recipe, names: tuple[str, ...]) -> dict[str, int]:
    with views.opened(table, recipe) as opened, views.connection(opened) as connection:
        counts = ", ".join(f"count({sql.name(name)})" for name in names)
        row = connection.row(opened.plan.query(opened.source(), f"SELECT {counts} FROM {opened.plan.last}"))
    return dict(zip(names, row, strict=True))
