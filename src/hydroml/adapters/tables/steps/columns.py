"""Rules of the steps that add, remove, name and order columns."""

from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder, derived
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Derive,
    DropColumns,
    DuplicateColumn,
    MoveColumn,
    RenameColumns,
    SelectColumns,
)


def derive(builder: Builder, step: Derive, _: RecipeStep) -> None:
    expression, kind = derived(builder.types, builder.columns, step.formula, builder.order)
    builder.put(Column(step.column, kind), "column")
    builder.add(step.summary(), {step.column: expression})


def drop_columns(builder: Builder, step: DropColumns, _: RecipeStep) -> None:
    for at, name in enumerate(step.columns):
        builder.column(name, "columns", at)
    kept = [column for column in builder.columns if column.name not in step.columns]
    if not kept:
        raise InvalidInputError.at("columns", msg="a table keeps at least one column", code="all_columns")
    builder.columns = kept
    builder.add(step.summary())


def select_columns(builder: Builder, step: SelectColumns, _: RecipeStep) -> None:
    builder.columns = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)]
    builder.add(step.summary())


def rename_columns(builder: Builder, step: RenameColumns, _: RecipeStep) -> None:
    wanted = {
        builder.column(one.column, "names", at, "column").name: (at, one.name) for at, one in enumerate(step.names)
    }
    before = builder.columns
    builder.columns = [column for column in before if column.name not in wanted]
    for at, name in wanted.values():
        builder.put(Column(name, before[0].type), "names", at, "name", new=True)
    builder.columns = [
        replace(column, name=wanted[column.name][1]) if column.name in wanted else column for column in before
    ]
    builder.add(step.summary(), {new: sql.name(old) for old, (_, new) in wanted.items()})


def move_column(builder: Builder, step: MoveColumn, _: RecipeStep) -> None:
    moved = builder.column(step.column, "column")
    rest = [column for column in builder.columns if column is not moved]
    at = 0 if step.after is None else rest.index(builder.column(step.after, "after")) + 1
    builder.columns = [*rest[:at], moved, *rest[at:]]
    builder.add(step.summary())


def duplicate_column(builder: Builder, step: DuplicateColumn, _: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    builder.put(replace(column, name=step.name), "name", new=True, after=column.name)
    builder.add(step.summary(), {step.name: sql.name(column.name)})
