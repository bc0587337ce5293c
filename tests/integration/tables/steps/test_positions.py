"""What goes by the place of rows, behind a step that puts rows together or in order, is the same in any page, in a file
and in the exported program."""

import runpy
import sys
from uuid import uuid4

import duckdb
import pytest

from hydroml.application.ports.tables import View
from hydroml.domain.sources import Table, VersionId
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import (
    Append,
    CellEdit,
    DropDuplicates,
    EditCells,
    Expanding,
    FillMethod,
    FillMissing,
    Join,
    JoinKey,
    JoinKind,
    LagLead,
    Limit,
    Sample,
    Sort,
    SortKey,
    Statistic,
    Step,
)
from hydroml.domain.studio.steps.rows import End, Keep
from tests.tables import QuietMonitor, Workshop

OTHER = VersionId(uuid4())
ROWS = 5_000
"""More than one vector of the engine, so that what it does in parallel would be seen."""

RELATING: list[Step] = [
    Join(OTHER, (JoinKey("site", "site"),), JoinKind.INNER),
    Join(OTHER, (JoinKey("site", "site"),), JoinKind.FULL),
    Append(OTHER),
    Sort((SortKey("site", descending=True),)),  # with ties
]
PLACED: tuple[Step, ...] = (
    FillMissing(("flow",), FillMethod.PREVIOUS),
    LagLead(("n",), (1,), "lag"),
    Expanding(("n",), Statistic.SUM),
    DropDuplicates(("site", "flow"), Keep.LAST),
    Sample(rows=900, seed=3),
    Limit(700, End.LAST, skip=5),
)


@pytest.mark.parametrize("relating", RELATING, ids=lambda step: step.summary()[:30])
def test_places_are_the_same_everywhere(workshop: Workshop, relating: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = [n * 13 % 11 if n % 7 else None for n in range(ROWS)]
    table = workshop.table([{"n": n * 7919 % ROWS, "site": f"s{n * 31 % 97}", "flow": flows[n]} for n in range(ROWS)])
    other = workshop.table([{"n": n, "site": f"s{n % 60}", "flow": None if n % 3 else n} for n in range(120)])
    recipe: Recipe = (RecipeStep(relating, {}, (other,) if relating.others else ()),)
    page = workshop.engine.page(View(table, recipe), 4_000, 1)
    # A sorted row keeps its number in the original, the rows of the others have numbers of their own.
    held = page.rows[0][[column.name for column in page.columns].index("flow")]
    place = (1, None) if isinstance(relating, Sort) else (4_001, held)
    edit = EditCells((CellEdit(place[0], "flow", place[1], 77),), "by hand")
    for step in (edit, *PLACED):
        recipe = (*recipe, RecipeStep(step, workshop.engine.fit(table, recipe, step)))
        file, program = workshop.folder / "expected.parquet", workshop.folder / "program.py"
        written = workshop.engine.materialise(table, recipe, file, QuietMonitor())
        stored = Table(workshop.blobs.add(file).key, written.columns, written.rows)
        expected = workshop.engine.page(View(stored), 0, 10_000).rows
        pages = [workshop.engine.page(View(table, recipe), offset, 997).rows for offset in (2_991, 0, 997)]
        assert pages == [expected[offset : offset + 997] for offset in (2_991, 0, 997)], step.summary()
        sorted_rows = workshop.engine.page(View(table, recipe, sort=(SortKey("n"),)), 0, 10_000).rows
        assert sorted_rows == workshop.engine.page(View(stored, sort=(SortKey("n"),)), 0, 10_000).rows, step.summary()

    program.write_text(workshop.engine.python(recipe, table.columns, "table.parquet"))
    for each, name in ((table, "table.parquet"), (other, f"{other.blob[:12]}.parquet"), (stored, "stored.parquet")):
        with workshop.blobs.local(each.blob) as local:
            (workshop.folder / name).write_bytes(local.read_bytes())
    monkeypatch.chdir(workshop.folder)
    monkeypatch.setattr(sys, "argv", [str(program), "table.parquet", "result.parquet"])
    runpy.run_path(str(program))
    read = [duckdb.sql(f"SELECT * FROM '{workshop.folder / name}.parquet'") for name in ("stored", "result")]
    assert read[0].to_arrow_table().equals(read[1].to_arrow_table())
