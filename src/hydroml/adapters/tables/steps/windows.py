"""Rules of the steps that look at the rows around a row: window functions that keep every row in its place."""

from collections.abc import Callable, Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.steps.shapes import PLACE, chosen, placed
from hydroml.adapters.tables.steps.statistics import figure, result_type
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Difference,
    Expanding,
    LagLead,
    Rolling,
    SortKey,
    SpanUnit,
    Statistic,
    Window,
    WindowFunction,
)

_SO_FAR = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
_RANKS = {
    WindowFunction.ROW_NUMBER: "row_number()",
    WindowFunction.RANK: "rank()",
    WindowFunction.DENSE_RANK: "dense_rank()",
}
_CUMULATIVE = {
    WindowFunction.CUMULATIVE_SUM: Statistic.SUM,
    WindowFunction.CUMULATIVE_MEAN: Statistic.MEAN,
    WindowFunction.CUMULATIVE_MIN: Statistic.MIN,
    WindowFunction.CUMULATIVE_MAX: Statistic.MAX,
}


def window(builder: Builder, step: Window, _: RecipeStep) -> None:
    chosen(builder, step.groups, "groups")
    for at, key in enumerate(step.order):
        builder.column(key.column, "order", at, "column")
    builder.must_be_free(step.name, "name")
    column = builder.column(step.column, "column") if step.column else None
    if step.function.ranks or column is None:
        # Ranks see equal rows as equal; a row's number does not.
        keys = _terms(step.order) + (builder.order if step.function is WindowFunction.ROW_NUMBER else [])
        expression, kind = f"{_RANKS[step.function]} OVER ({_over(step.groups, keys)})", ColumnType.INTEGER
    else:
        expression, kind = _of_column(step, column, _over(step.groups, [*_terms(step.order), *builder.order]))
    builder.columns.append(Column(step.name, kind, nullable=not step.function.ranks))
    builder.add(step.summary(), {step.name: expression})


def _of_column(step: Window, column: Column, ordered: str) -> tuple[str, ColumnType]:
    if step.function in _CUMULATIVE:
        statistic = _CUMULATIVE[step.function]
        kind = result_type(statistic, column, "column")
        if not column.type.is_numeric:
            raise _needs_numbers(column, step.function, "column")
        return figure(statistic, column, f" OVER ({ordered} {_SO_FAR})"), kind
    if not column.type.is_numeric:
        raise _needs_numbers(column, step.function, "column")
    cell, group = f"{sql.name(column.name)}::DOUBLE", f" OVER ({_over(step.groups, ())})"
    if step.function is WindowFunction.SHARE:
        total = figure(Statistic.SUM, column, group)
        return f"nullif({cell} / nullif(({total})::DOUBLE, 0), 'nan'::DOUBLE)", ColumnType.NUMBER
    return f"nullif({cell} - {figure(Statistic.MEAN, column, group)}, 'nan'::DOUBLE)", ColumnType.NUMBER


def lag_lead(builder: Builder, step: LagLead, _: RecipeStep) -> None:
    wanted = chosen(builder, step.columns, "columns")
    order = _ordered_by(builder, step.order, step.groups, step.unit)
    made: dict[str, str] = {}
    columns = []
    for at, column in enumerate(wanted):
        for offset in step.offsets:
            name, cell = step.new_column(column.name, offset), sql.name(column.name)
            builder.must_be_free(name, "columns", at)
            columns.append(Column(name, column.type))
            if step.unit is SpanUnit.ROWS:
                made[name] = f"{step.direction}({cell}, {offset}) OVER ({_over(step.groups, order)})"
            else:
                away = f"{_interval(offset * step.unit.seconds * 1_000_000)} {_way(step.direction)}"
                frame = _time_frame(step.groups, step.order, away, away)
                made[name] = _timed(step.order, f"arg_max({cell}, {PLACE}) OVER ({frame})")
    if step.unit is SpanUnit.ROWS:
        builder.columns += columns
        builder.add(step.summary(), made)
        return
    cells = ", ".join(f"{expression} AS {sql.name(name)}" for name, expression in made.items())
    select = f"SELECT *, {cells} FROM ({placed(builder)})"
    builder.replace(step.summary(), select, [*builder.columns, *columns], [PLACE])


def difference(builder: Builder, step: Difference, _: RecipeStep) -> None:
    order = _ordered_by(builder, step.order, step.groups)

    def change(column: Column) -> tuple[str, ColumnType]:
        cell = sql.name(column.name)
        if step.percentage:
            cell = f"{cell}::DOUBLE"
        before = f"lag({cell}, {step.offset}) OVER ({_over(step.groups, order)})"
        if step.percentage:
            return f"nullif(100 * ({cell} - {before}) / nullif({before}, 0), 'nan'::DOUBLE)", ColumnType.NUMBER
        if column.type is ColumnType.NUMBER:
            return f"nullif({cell} - {before}, 'nan'::DOUBLE)", column.type
        return f"{cell} - {before}", column.type

    _add(builder, step.columns, step.new_column, step.summary(), change)


def rolling(builder: Builder, step: Rolling, _: RecipeStep) -> None:
    order = _ordered_by(builder, step.order, step.groups, step.unit)
    after = (step.window - 1) // 2 if step.centred else 0
    frame = (
        f"{_over(step.groups, order)} ROWS BETWEEN {step.window - 1 - after} PRECEDING AND {after} FOLLOWING"
        if step.unit is SpanUnit.ROWS
        else _span(step)
    )

    def rolled(column: Column) -> tuple[str, ColumnType]:
        found = figure(step.statistic, column, f" OVER ({frame})", quantile=step.quantile, minimum=step.minimum)
        timed = found if step.unit is SpanUnit.ROWS else _timed(step.order, found)
        return timed, result_type(step.statistic, column, "columns")

    _add(builder, step.columns, step.new_column, step.summary(), rolled)


def expanding(builder: Builder, step: Expanding, _: RecipeStep) -> None:
    frame = f"{_over(step.groups, _ordered_by(builder, step.order, step.groups))} {_SO_FAR}"

    def expanded(column: Column) -> tuple[str, ColumnType]:
        found = figure(step.statistic, column, f" OVER ({frame})", quantile=step.quantile, minimum=step.minimum)
        return found, result_type(step.statistic, column, "columns")

    _add(builder, step.columns, step.new_column, step.summary(), expanded)


def _add(
    builder: Builder,
    names: Sequence[str],
    new_column: Callable[[str], str],
    comment: str,
    expression: Callable[[Column], tuple[str, ColumnType]],
) -> None:
    """A new column for each of those named, which hold numbers."""
    made: dict[str, str] = {}
    columns = []
    for at, column in enumerate(chosen(builder, names, "columns")):
        if not column.type.is_numeric:
            raise _needs_numbers(column, "this", "columns", at)
        name = new_column(column.name)
        builder.must_be_free(name, "columns", at)
        made[name], kind = expression(column)
        columns.append(Column(name, kind))
    builder.columns += columns
    builder.add(comment, made)


def _needs_numbers(column: Column, what: str, *loc: str | int) -> InvalidInputError:
    return InvalidInputError.at(*loc, msg=f"“{column.name}” is {column.type}; {what} needs numbers", code="type")


def _ordered_by(builder: Builder, order: str, groups: Sequence[str], unit: SpanUnit = SpanUnit.ROWS) -> list[str]:
    """Terms of the order that a step follows, which is total."""
    chosen(builder, groups, "groups")
    if not order:
        return builder.order
    column = builder.column(order, "order")
    if unit is not SpanUnit.ROWS and not column.type.is_temporal:
        raise InvalidInputError.at(
            "order", msg=f"“{order}” is {column.type}; {unit} are counted in a date or timestamp", code="type"
        )
    return [f"{sql.name(order)} ASC NULLS LAST", *builder.order]


def _terms(keys: Sequence[SortKey]) -> list[str]:
    return [f"{sql.name(key.column)} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in keys]


def _over(groups: Sequence[str], order: Sequence[str]) -> str:
    parts = [f"PARTITION BY {sql.names(groups)}"] if groups else []
    return " ".join([*parts, f"ORDER BY {', '.join(order)}"] if order else parts)


def _span(step: Rolling) -> str:
    """A window of time, without the moment it begins at: so two windows that follow each other share no row."""
    length = step.window * step.unit.seconds * 1_000_000
    after = length // 2 if step.centred else 0
    end = f"{_interval(after)} FOLLOWING" if after else "CURRENT ROW"
    return _time_frame(step.groups, step.order, f"{_interval(length - after - 1)} PRECEDING", end)


def _time_frame(groups: Sequence[str], order: str, start: str, end: str) -> str:
    # Rows without a time are a group of their own, for they would be near to all others at the end.
    time = f"{sql.name(order)}::TIMESTAMP"
    parts = [sql.name(group) for group in groups] + [f"{time} IS NULL"]
    return f"PARTITION BY {', '.join(parts)} ORDER BY {time} RANGE BETWEEN {start} AND {end}"


def _timed(order: str, expression: str) -> str:
    return f"CASE WHEN {sql.name(order)} IS NOT NULL THEN {expression} END"


def _interval(microseconds: int) -> str:
    return f"to_microseconds({microseconds})"


def _way(direction: str) -> str:
    return "PRECEDING" if direction == "lag" else "FOLLOWING"
