"""What holds for every kind of step: the same table by pages, at once, row by row, and by the exported program."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.sql import json_rows
from hydroml.application.documents import read_step, step_schema, write_step
from hydroml.application.ports.tables import View
from hydroml.domain.errors import DomainError, InvalidInputError
from hydroml.domain.sources import Table
from hydroml.domain.studio import steps
from hydroml.domain.studio.recipes import Recipe, RecipeStep, with_inputs
from hydroml.domain.studio.steps import STEPS, Filter, RowEffect, Step
from tests.integration.tables.steps.examples import EXAMPLES, OTHER, TABLE
from tests.integration.tables.steps.reference import PAGE, page
from tests.tables import QuietMonitor, Workshop

IDS = [f"{at}-{step.op}" for at, step in enumerate(EXAMPLES)]
TAKE_COLUMNS = (
    "aggregate", "pivot", "unpivot", "transpose", "resample", "join", "append", "regularise",
    "select_columns", "drop_columns", "split_column", "merge_columns", "parse_dates", "encode", "change_type",
)  # fmt: skip
each = pytest.mark.parametrize("step", EXAMPLES, ids=IDS)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One for all: no step changes a table."""
    folder = tmp_path_factory.mktemp("steps")
    blobs = FolderBlobStore(folder / "blobs")
    return Workshop(DuckDbTableEngine(blobs, folder / "tmp", 1 << 30, 2), blobs, folder)


@pytest.fixture(scope="module")
def table(workshop: Workshop) -> Table:
    return workshop.imported(TABLE)[1]


def learnt(workshop: Workshop, table: Table, step: Step) -> Recipe:
    return with_inputs(workshop.learnt(table, step), {OTHER: table})


def at_once(workshop: Workshop, table: Table, recipe: Recipe) -> tuple[Any, list[tuple[Any, ...]]]:
    out = workshop.folder / "whole.parquet"
    workshop.engine.materialise(table, recipe, out, QuietMonitor())
    found = duckdb.sql(f"SELECT * FROM '{out}'").to_arrow_table()
    out.unlink()
    return found.schema, [tuple(row.values()) for row in found.to_pylist()]


def test_every_kind_has_an_example() -> None:
    assert {type(step) for step in EXAMPLES} == set(STEPS)


@each
def test_it_comes_back_from_its_document(step: Step) -> None:
    assert read_step(write_step(step)) == step
    schema = step_schema(type(step))
    assert set(write_step(step)) <= set(schema["properties"])
    assert len(step.summary()) < 200
    assert type(step).__doc__


@each
def test_pages_show_the_whole_table(workshop: Workshop, table: Table, step: Step) -> None:
    recipe = learnt(workshop, table, step)
    schema, rows = at_once(workshop, table, recipe)
    columns = workshop.engine.schema(table, recipe)
    assert [column.name for column in columns] == schema.names
    shown: list[tuple[Any, ...]] = []
    for offset in range(0, len(rows) + 1, 2):
        shown += workshop.engine.page(View(table, recipe), offset, 2).rows
    assert shown == list(json_rows(rows))
    assert {c.name for c in columns if not c.nullable} <= {
        name for at, name in enumerate(schema.names) if all(row[at] is not None for row in rows)
    }


@each
def test_row_by_row_gives_the_same(workshop: Workshop, table: Table, step: Step) -> None:
    if step.effect is not RowEffect.LOCAL:
        return
    recipe = learnt(workshop, table, step)
    given = workshop.rows(table)
    expected = workshop.view(View(table, recipe))
    assert [workshop.engine.replay(table.columns, recipe, [row])[0] for row in given] == expected


@each
def test_the_program_gives_the_identical_table(workshop: Workshop, table: Table, step: Step) -> None:
    recipe = learnt(workshop, table, step)
    program, result = workshop.folder / "program.py", workshop.folder / "result.parquet"
    program.write_text(workshop.engine.python(recipe, table.columns, "table.parquet"))
    with workshop.blobs.local(table.blob) as file:
        # In this process: fifty new ones would take a minute.
        lay_beside(workshop, table)
        before, sys.argv, place = sys.argv, ["program.py", str(file), str(result)], Path.cwd()
        os.chdir(workshop.folder)
        try:
            runpy.run_path(str(program))["connection"].close()
        finally:
            sys.argv = before
            os.chdir(place)
    schema, rows = at_once(workshop, table, recipe)
    made = duckdb.sql(f"SELECT * FROM '{result}'").to_arrow_table()
    assert made.schema == schema
    assert [tuple(row.values()) for row in made.to_pylist()] == rows


def lay_beside(workshop: Workshop, table: Table) -> None:
    """The table where a program looks for another one."""
    other = workshop.folder / f"{table.blob[:12]}.parquet"
    if not other.exists():
        with workshop.blobs.local(table.blob) as file:
            other.hardlink_to(file)


def test_forty_steps_are_the_same_everywhere(workshop: Workshop, table: Table) -> None:
    """All kinds that can follow each other, in one recipe."""
    recipe: Recipe = ()
    gentle = sorted(EXAMPLES, key=lambda step: (step.op in TAKE_COLUMNS, step.effect is not RowEffect.LOCAL))
    for step in (*gentle[:20], *gentle):
        try:
            fitted = RecipeStep(step, workshop.engine.fit(table, recipe, step))
            (entry,) = with_inputs((fitted,), {OTHER: table})
            workshop.engine.schema(table, (*recipe, entry))
        except InvalidInputError:
            continue  # it needs a column that one before has taken
        if workshop.engine.page(View(table, (*recipe, entry)), 0, 1).total:
            recipe = (*recipe, entry)
    assert len(recipe) >= 40
    _, rows = at_once(workshop, table, recipe)
    assert list(workshop.engine.page(View(table, recipe), 0, 100).rows) == list(json_rows(rows))
    program, result = workshop.folder / "program.py", workshop.folder / "result.parquet"
    program.write_text(workshop.engine.python(recipe, table.columns, "table.parquet"))
    with workshop.blobs.local(table.blob) as file:
        lay_beside(workshop, table)
        command = [sys.executable, str(program), str(file), str(result)]
        subprocess.run(command, check=True, capture_output=True, cwd=workshop.folder)
    assert [tuple(row.values()) for row in duckdb.sql(f"SELECT * FROM '{result}'").to_arrow_table().to_pylist()] == rows


@each
@pytest.mark.parametrize("rows", ["none", "one", "missing"])
def test_strange_tables_are_computed_or_refused_in_words(
    workshop: Workshop, table: Table, step: Step, rows: str
) -> None:
    head, first, *_ = TABLE.splitlines()
    if rows == "none":
        recipe: Recipe = (RecipeStep(Filter("false")),)
        given = table
    else:
        gaps = ",".join("" for _ in head.split(","))
        # A table's types are those of its values: a row with some keeps them.
        given = workshop.imported("\n".join([head, first, *([gaps] if rows == "missing" else [])]) + "\n")[1]
        recipe = (RecipeStep(Filter("id IS NULL")),) if rows == "missing" else ()
    words = ""
    try:
        entry = with_inputs((RecipeStep(step, workshop.engine.fit(given, recipe, step)),), {OTHER: given})
        total = workshop.engine.page(View(given, (*recipe, *entry)), 0, 10).total
        assert step.effect is RowEffect.RELATES or (total or 0) <= 1
    except DomainError as error:
        words = str(error)
        assert words


def test_previews_count_the_cells_that_change(workshop: Workshop, table: Table) -> None:
    def changed(step: Step) -> dict[str, int]:
        return dict(workshop.engine.preview(table, (), RecipeStep(step)).changed_cells)

    assert changed(steps.MarkMissing(("flow", "big"), ("-9999",))) == {"flow": 1, "big": 1}
    assert changed(steps.ChangeType(("flow",), "text")) == {"flow": 0}
    assert changed(steps.ReplaceText(("note",), "no", "number")) == {"note": 3}
    assert changed(steps.Derive("flow", "flow * 2")) == {"flow": 5}
    assert changed(steps.DropColumns(("flow",))) == changed(steps.Limit(2)) == {}


def test_the_page_about_steps_is_up_to_date(workshop: Workshop) -> None:
    """`python -m tests.integration.tables.steps.reference` writes it."""
    assert PAGE.read_text() == page(workshop)
