"""What steps learn from data."""

from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.compiler import filled_type
from hydroml.adapters.tables.views import Views
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType, Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import FillMethod, FillMissing, Fitted, Step


def fit(views: Views, table: Table, recipe: Recipe, step: Step) -> Fitted:
    """{"values": {column: value}} for filling by mean, median or mode; nothing for all else."""
    if not isinstance(step, FillMissing) or not step.method.learns:
        return {}
    columns = {column.name: column for column in views.plan(table.columns, recipe).columns}
    wanted: list[Column] = []
    for at, name in enumerate(step.columns):
        if name not in columns:
            raise InvalidInputError.at("columns", at, msg=f"there is no column “{name[:100]}”", code="unknown_column")
        filled_type(step.method, columns[name], at)
        wanted.append(columns[name])
    values: dict[str, Any] = {}
    with views.opened(table, recipe) as opened, views.connection(opened) as connection:
        plan = opened.plan
        for at, column in enumerate(wanted):
            query = plan.query(opened.source(), _learning(step.method, column, plan.last))
            found = connection.rows(query)
            value = sql.json_value(found[0][0]) if found else None
            if value is None:
                raise InvalidInputError.at(
                    "columns",
                    at,
                    msg=f"“{column.name}” has no value to learn the {step.method} from",
                    code="all_missing",
                )
            values[column.name] = value
    return {"values": values}


def _learning(method: FillMethod, column: Column, source: str) -> str:
    cell = sql.name(column.name)
    if method is FillMethod.MODE:
        # Of values that are equally frequent the smallest, so that the answer is always the same.
        return (
            f"SELECT {cell} FROM {source} WHERE {cell} IS NOT NULL"
            f" GROUP BY {cell} ORDER BY count(*) DESC, {cell} LIMIT 1"
        )
    if method is FillMethod.MEDIAN:
        return f"SELECT quantile_cont({cell}::DOUBLE, 0.5) FROM {source}"
    exact = column.type is ColumnType.NUMBER
    # Kahan's sum: the same for any number of threads as far as the digits go that people see.
    return f"SELECT {'favg' if exact else 'avg'}({cell}) FROM {source}"
