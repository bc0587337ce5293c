"""Cells that are corrected by hand: only where they still hold what they held."""

import runpy
import sys

import duckdb
import pytest

from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep, row_local_part
from hydroml.domain.studio.steps import (
    CellEdit,
    Derive,
    DropDuplicates,
    EditCells,
    Filter,
    LagLead,
    Sort,
    SortKey,
    Step,
)
from tests.tables import QuietMonitor, Workshop

ROWS = [{"n": n, "site": "abc"[n % 3], "flow": n / 2} for n in range(30)]


def learnt(workshop: Workshop, table: Table, *steps: Step) -> Recipe:
    recipe: Recipe = ()
    for step in steps:
        recipe = (*recipe, RecipeStep(step, workshop.engine.fit(table, recipe, step)))
    return recipe


@pytest.mark.parametrize(
    "before",
    [
        (),
        (Filter("n > 5"), Sort((SortKey("flow", descending=True),))),
        (DropDuplicates(("site", "flow")), Filter("n > 5")),
        (Sort((SortKey("n", descending=True),)), LagLead(("flow",)), Filter("n % 2 = 0")),
        (Derive("total", "sum(flow) OVER ()"), Sort((SortKey("site"),))),
    ],
    ids=["nothing", "sort", "duplicates", "lag", "window"],
)
def test_a_row_is_told_by_the_place_a_page_gives(
    workshop: Workshop, before: tuple[Step, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = workshop.table(ROWS)
    recipe = learnt(workshop, table, *before)
    page = workshop.engine.page(View(table, recipe, sort=(SortKey("n"),)), 0, 50)
    assert page.places is not None
    edit = CellEdit(page.places[3], "flow", page.rows[3][2], 99.5)
    for behind in ((), (Filter("n >= 0"), DropDuplicates())):
        whole = learnt(workshop, table, *before, EditCells((edit,), "misread"), *behind)
        found = {row[0]: row[2] for row in workshop.engine.page(View(table, whole), 0, 50).rows}
        assert found == {row[0]: row[2] for row in page.rows} | {page.rows[3][0]: 99.5}
        program, job, own = (workshop.folder / name for name in ("program.py", "job.parquet", "own.parquet"))
        workshop.engine.materialise(table, whole, job, QuietMonitor())
        program.write_text(workshop.engine.python(whole, table.columns, "table.parquet"))
        with workshop.blobs.local(table.blob) as file:
            monkeypatch.setattr(sys, "argv", [str(program), str(file), str(own)])
            runpy.run_path(str(program))["connection"].close()
        assert duckdb.sql(f"FROM '{job}'").fetchall() == duckdb.sql(f"FROM '{own}'").fetchall()


def test_an_edit_that_does_not_fit_is_refused_by_name_or_left(workshop: Workshop) -> None:
    table = workshop.table(ROWS)
    edits = (CellEdit(3, "flow", 1.0, 7.0), CellEdit(4, "flow", 9.0, 7.0), CellEdit(900, "site", "a", "b"))
    words = r"2 of 3 edits do not fit: “flow” in row 4 is “1\.5”, not “9\.0”"
    with pytest.raises(InvalidInputError, match=words) as told:
        learnt(workshop, table, EditCells(edits, "checked"))
    assert [fault.loc for fault in told.value.faults] == [("cells", 1, "before"), ("cells", 2, "row")]
    step = EditCells(edits, "checked", "skip")
    page = workshop.engine.page(View(table, learnt(workshop, table, step)), 0, 5)
    assert [row[2] for row in page.rows] == [0.0, 0.5, 7.0, 1.5, 2.0]
    shown = workshop.engine.preview(table, (), RecipeStep(step)).differences
    assert shown is not None
    assert [(cell.row, cell.value) for cell in shown.failing] == [(4, "1.5")]
    with pytest.raises(InvalidInputError, match="“much” does not fit “flow”"):
        workshop.engine.schema(table, (RecipeStep(EditCells((CellEdit(3, "flow", 1.0, "much"),), "checked")),))


def test_new_rows_are_never_edited() -> None:
    assert row_local_part((RecipeStep(EditCells((CellEdit(1, "flow", 1.0, 2.0),), "why")),)) == ()
