"""Rules of the steps that give the table another shape, and what they learn."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.learning import Learning
from hydroml.adapters.tables.reading.names import usable_names
from hydroml.adapters.tables.steps.shapes import PLACE, as_common, ascending, chosen, common_type, must_differ, placed
from hydroml.adapters.tables.steps.statistics import figure, result_type, summaries
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Aggregate, Fitted, Pivot, Statistic, Transpose, Unpivot
from hydroml.domain.studio.steps.reshape import MAX_PIVOTED, MAX_TRANSPOSED

_COLUMN, _KEY, _VALUE = '"__hydroml_column"', '"__hydroml_key"', '"__hydroml_value"'


def aggregate(builder: Builder, step: Aggregate, _: RecipeStep) -> None:
    groups = chosen(builder, step.groups, "groups")
    expressions, made = summaries(builder, step.values, "values")
    must_differ([*groups, *made], "values")
    cells = [sql.name(column.name) for column in groups]
    cells += [f"{text} AS {sql.name(column.name)}" for text, column in zip(expressions, made, strict=True)]
    grouped = f" GROUP BY {sql.names(step.groups)}" if groups else ""
    select = f"SELECT {', '.join(cells)} FROM ({placed(builder)}){grouped}"
    builder.replace(step.summary(), select, [*groups, *made], ascending(groups))


def pivot(builder: Builder, step: Pivot, entry: RecipeStep) -> None:
    rows = chosen(builder, step.rows, "rows")
    key, column = _pivoted(builder.column(step.names, "names")), builder.column(step.values, "values")
    kind = result_type(step.statistic, column, "values")
    learnt = entry.fitted.get("values") or []
    names, _ = usable_names([f"{step.prefix}{_shown(value)}" for value in learnt])
    made = [Column(name, kind) for name in names]
    must_differ([*rows, *made], "prefix")
    groups = sql.names(step.rows)
    if not learnt:
        builder.replace(step.summary(), f"SELECT {groups} FROM {builder.last} GROUP BY {groups}", rows, ascending(rows))
        return
    values = ", ".join(constant(value, key, "names") for value in learnt)
    numbered = f"SELECT unnest([{values}]) AS {_KEY}, unnest(range({len(learnt)})) AS {_COLUMN}"
    # First the figures as they lie, then DuckDB's PIVOT: far sooner done than an aggregate for each column.
    figures = (
        f"SELECT {groups}, {_COLUMN}, {figure(step.statistic, column, quantile=step.quantile)} AS {_VALUE}"
        f" FROM ({placed(builder)}) LEFT JOIN ({numbered}) ON {sql.name(key.name)} = {_KEY}"
        f" GROUP BY {groups}, {_COLUMN}"
    )
    counts = step.statistic in (Statistic.COUNT, Statistic.COUNT_DISTINCT)
    spread = ", ".join(f"{at} AS {sql.name(name)}" for at, name in enumerate(names))
    cells = [f"coalesce({sql.name(n)}, 0) AS {sql.name(n)}" if counts else sql.name(n) for n in names]
    select = (
        f"SELECT {groups}, {', '.join(cells)} FROM ({figures})"
        f" PIVOT (any_value({_VALUE}) FOR {_COLUMN} IN ({spread}) GROUP BY {groups})"
    )
    builder.replace(step.summary(), select, [*rows, *made], ascending(rows))


def learn_pivot(table: Learning, step: Pivot) -> Fitted:
    """{"values": [...]}, in ascending order. Raises InvalidInputError where there are none, or too many."""
    key = _pivoted(table.column(step.names, "names"))
    cell = sql.name(key.name)
    known = f"isfinite({cell})" if key.type is ColumnType.NUMBER else f"{cell} IS NOT NULL"
    found = table.rows(
        f"SELECT DISTINCT {cell} FROM {table.name} WHERE {known} ORDER BY {cell} LIMIT {MAX_PIVOTED + 1}"
    )
    if not found:
        raise InvalidInputError.at("names", msg=f"“{key.name}” has no value to make a column of", code="all_missing")
    if len(found) > MAX_PIVOTED:
        raise InvalidInputError.at(
            "names",
            msg=f"“{key.name}” has more than {MAX_PIVOTED} values; group or filter them first",
            code="length",
        )
    return {"values": [sql.json_value(value) for (value,) in found]}


def _pivoted(column: Column) -> Column:
    if column.type is ColumnType.DURATION:
        raise InvalidInputError.at("names", msg=f"“{column.name}” is a duration; choose another column", code="type")
    return column


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def unpivot(builder: Builder, step: Unpivot, _: RecipeStep) -> None:
    longer = chosen(builder, step.columns, "columns")
    kept = [column for column in builder.columns if column.name not in step.columns]
    kind = common_type(column.type for column in longer)
    if kind is None:
        kinds = ", ".join(sorted({column.type for column in longer}))
        raise InvalidInputError.at(
            "columns", msg=f"the columns are {kinds}; change them to one type first, such as text", code="type"
        )
    made = [Column(step.name_column, ColumnType.TEXT, False), Column(step.value_column, kind, step.keep_missing)]
    must_differ([*kept, *made], "name_column")
    name, value = sql.name(step.name_column), sql.name(step.value_column)
    long = _long(placed(builder), kept, longer, kind, name=name, value=value)
    where = "" if step.keep_missing else f" WHERE {value} IS NOT NULL"
    builder.replace(step.summary(), f"SELECT * FROM ({long}){where}", [*kept, *made], [PLACE, _COLUMN])


def _long(
    table: str, kept: Sequence[Column], longer: Sequence[Column], kind: ColumnType, *, name: str, value: str
) -> str:
    """A row for each cell of `longer`, with its row's place and its column's; what they are called is SQL."""
    cells = [PLACE, *(sql.name(column.name) for column in kept)]
    names = ", ".join(sql.text(column.name) for column in longer)
    values = ", ".join(as_common(sql.name(column.name), column.type, kind) for column in longer)
    numbers = ", ".join(str(at) for at in range(len(longer)))
    cells += [f"unnest([{numbers}]) AS {_COLUMN}", f"unnest([{names}]) AS {name}", f"unnest([{values}]) AS {value}"]
    return f"SELECT {', '.join(cells)} FROM ({table})"


def transpose(builder: Builder, step: Transpose, entry: RecipeStep) -> None:
    turned = _turned(builder.columns, step)
    if step.names:
        builder.column(step.names, "names")
    kind = common_type(column.type for column in turned) or ColumnType.TEXT
    names = entry.fitted.get("names") or []
    made = [Column(step.name_column, ColumnType.TEXT, False), *(Column(name, kind) for name in names)]
    must_differ(made, "name_column")
    numbered = f"SELECT * REPLACE (row_number() OVER (ORDER BY {PLACE}) AS {PLACE}) FROM ({placed(builder)})"
    if kind is ColumnType.TEXT:
        # Every value as the text that the table shows.
        turned_text = ", ".join(f"{sql.name(c.name)}::VARCHAR AS {sql.name(c.name)}" for c in turned)
        numbered = f"SELECT {PLACE}, {turned_text} FROM ({numbered})"
        turned = [Column(column.name, kind) for column in turned]
    name, value = sql.name(step.name_column), _VALUE
    long = _long(numbered, (), turned, kind, name=name, value=value)
    cells = [f"max({value}) FILTER (WHERE {PLACE} = {at}) AS {sql.name(n)}" for at, n in enumerate(names, start=1)]
    told = f"error('the table has ' || max({PLACE}) || ' rows, and {len(names)} when the step was added; add it anew')"
    # Without a row to turn the columns are turned all the same.
    select = (
        f"SELECT {_COLUMN}, CASE WHEN max({PLACE}) > {len(names)} THEN {told} ELSE {name} END AS {name}"
        f"{''.join(f', {cell}' for cell in cells)} FROM ({long}) GROUP BY {_COLUMN}, {name}"
    )
    builder.replace(step.summary(), select, made, [_COLUMN])


def learn_transpose(table: Learning, step: Transpose) -> Fitted:
    """{"names": [...]}, one for each row. Raises InvalidInputError where there are none, or too many."""
    _turned(list(table.columns.values()), step)
    cell = "NULL"
    if step.names:
        cell = f"{sql.name(table.column(step.names, 'names').name)}::VARCHAR"
    order = ", ".join(table.order)
    found = table.rows(f"SELECT {cell} FROM {table.name} ORDER BY {order} LIMIT {MAX_TRANSPOSED + 1}")
    if not 1 <= len(found) <= MAX_TRANSPOSED:
        many = "no rows" if not found else f"more than {MAX_TRANSPOSED} rows"
        raise InvalidInputError.at(
            "names", msg=f"the table has {many}; only a small one can be transposed", code="rows"
        )
    given = [f"row_{at}" if value is None else value for at, (value,) in enumerate(found, start=1)]
    names, _ = usable_names([step.name_column, *given])
    return {"names": list(names[1:])}


def _turned(columns: Sequence[Column], step: Transpose) -> list[Column]:
    turned = [column for column in columns if column.name != step.names]
    if not turned:
        raise InvalidInputError.at("names", msg="there is no other column to make a row of", code="all_columns")
    return turned
