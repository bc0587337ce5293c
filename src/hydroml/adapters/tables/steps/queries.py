"""The rule of the step that replaces the table by what a query gives."""

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Query
from hydroml.domain.studio.steps.queries import THIS


def query(builder: Builder, step: Query, entry: RecipeStep) -> None:
    this = sql.names(column.name for column in builder.columns)
    order = f" ORDER BY {', '.join(builder.order)}" if len(builder.order) > 1 else ""
    relations = {THIS: f"SELECT {this} FROM {builder.last}{order}"}
    blank = {THIS: sql.blank_table(builder.columns)}
    for at, other in enumerate(step.tables):
        name, table = builder.input(entry, at, "tables", at)
        relations[other.name] = f"SELECT {sql.names(column.name for column in table.columns)} FROM {name}"
        blank[other.name] = sql.blank_table(table.columns)
    select, columns = builder.types.of_query(step.sql, relations, blank, "sql")
    builder.replace(step.summary(), select, columns, None)
