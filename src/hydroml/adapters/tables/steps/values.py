"""Rules of the steps that change the values of columns, and what they learn."""

from dataclasses import replace
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.learning import Learning
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Bin, ChangeType, Fitted, MapValues
from hydroml.domain.studio.steps.base import TEXTUAL
from hydroml.domain.studio.steps.values import Binning, Rest

_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"
_SHOWN = 3


def change_type(builder: Builder, step: ChangeType, _: RecipeStep) -> None:
    changed = {}
    for at, name in enumerate(step.columns):
        column = builder.column(name, "columns", at)
        changed[name] = _as_type(step, column, at)
        builder.columns[builder.columns.index(column)] = replace(column, type=step.type, nullable=True)
    builder.add(step.summary(), changed)


def learn_type(table: Learning, step: ChangeType) -> Fitted:
    """{"checked": true}. Raises InvalidInputError that shows values which do not fit."""
    for at, name in enumerate(step.columns):
        column = table.column(name, "columns", at)
        cell = sql.name(name)
        lost = f"{cell} IS NOT NULL AND ({_as_type(step, column, at)}) IS NULL"
        if column.type in TEXTUAL:
            lost += f" AND trim({cell}) <> ''"
        rows = table.rows(
            f"SELECT {cell}::VARCHAR, count(*), sum(count(*)) OVER () FROM {table.name} WHERE {lost}"
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_SHOWN}"
        )
        if rows:
            shown = ", ".join(f"“{value[:50]}”" for value, _, _ in rows)
            raise InvalidInputError.at(
                "columns", at, msg=f"{rows[0][2]:,} values of “{name}” do not fit {step.to}: {shown}", code="misfit"
            )
    return {"checked": True}


def _as_type(step: ChangeType, column: Column, at: int) -> str:  # noqa: PLR0911 - one line for each type
    cell, wanted, kind = sql.name(column.name), step.type, column.type
    if wanted in TEXTUAL:
        return cell if kind in TEXTUAL else f"{cell}::VARCHAR"
    if kind in TEXTUAL:
        return _from_text(step, cell)
    if wanted is kind:
        return cell
    if wanted.is_numeric and (kind.is_numeric or kind is ColumnType.BOOLEAN):
        if wanted is ColumnType.INTEGER and kind is not ColumnType.BOOLEAN:
            return f"CASE WHEN {cell} = trunc({cell}) THEN TRY_CAST({cell} AS BIGINT) END"
        return f"TRY_CAST({cell} AS {sql.sql_type(wanted)})"
    if wanted is ColumnType.BOOLEAN and kind.is_numeric:
        return f"CASE {cell} WHEN 1 THEN true WHEN 0 THEN false END"
    if wanted.is_temporal and kind.is_temporal:
        return f"CAST({cell} AS {sql.sql_type(wanted)})"
    raise InvalidInputError.at(
        "columns", at, msg=f"“{column.name}” is {kind}, which cannot be read as {wanted}", code="type"
    )


def _from_text(step: ChangeType, cell: str) -> str:
    text, wanted = f"trim({cell})", step.type
    if wanted is ColumnType.BOOLEAN:
        return f"CASE WHEN lower({text}) IN {_TRUE} THEN true WHEN lower({text}) IN {_FALSE} THEN false END"
    if wanted.is_numeric:
        groups, point = (",", ".") if step.decimal == "." else (".", ",")
        # Groups of three digits, or none at all: 1,5 is no 15.
        grouped = rf"regexp_full_match({text}, '[+-]?[0-9]{{1,3}}([{groups}''  ][0-9]{{3}})*([{point}][0-9]*)?')"
        bare = rf"regexp_replace({text}, '[{groups}''  ]', '', 'g')"
        plain = f"regexp_full_match({text}, '[+-]?([0-9]+[{point}]?[0-9]*|[{point}][0-9]+)([eE][+-]?[0-9]+)?')"
        number = f"CASE WHEN {plain} THEN {text} WHEN {grouped} THEN {bare} END"
        if point == ",":
            number = f"replace({number}, ',', '.')"
        if wanted is ColumnType.INTEGER:
            whole = f"TRY_CAST({number} AS DECIMAL(38, 9))"
            return f"CASE WHEN {whole} = trunc({whole}) THEN TRY_CAST(trunc({whole}) AS BIGINT) END"
        if wanted is ColumnType.NUMBER:
            real = f"TRY_CAST({number} AS DOUBLE)"
            return f"CASE WHEN isfinite({real}) THEN {real} END"
        # More digits behind the point would be rounded off.
        fits = f"NOT regexp_matches({number}, '[.][0-9]{{9}}0*[1-9]')"
        return f"CASE WHEN {fits} THEN TRY_CAST({number} AS DECIMAL(38, 9)) END"
    if wanted is ColumnType.TIMESTAMP:
        zoned = rf"regexp_matches({text}, '[0-9]([zZ]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') AND contains({text}, ':')"
        utc = f"(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        return f"CASE WHEN {zoned} THEN {utc} ELSE TRY_CAST({text} AS TIMESTAMP) END"
    return f"TRY_CAST({text} AS {sql.sql_type(wanted)})"


def map_values(builder: Builder, step: MapValues, _: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    cell = sql.name(column.name)
    cases = []
    for at, one in enumerate(step.values):
        old = "NULL" if one.value is None else constant(one.value, column, "values", at, "value")
        new = "NULL" if one.to is None else constant(one.to, column, "values", at, "to")
        cases.append(f"WHEN {cell} IS NOT DISTINCT FROM {old} THEN {new}")
    rest = cell if step.rest is Rest.KEEP else "NULL"
    builder.columns[builder.columns.index(column)] = replace(column, nullable=True)
    kind = "" if column.type is ColumnType.DECIMAL else f"::{sql.sql_type(column.type)}"
    builder.add(step.summary(), {column.name: f"(CASE {' '.join(cases)} ELSE {rest} END){kind}"})


def bin_numbers(builder: Builder, step: Bin, entry: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    _must_be_numeric(column)
    edges = list(step.edges) if step.method is Binning.EDGES else [float(x) for x in entry.fitted.get("edges", ())]
    builder.put(Column(step.name, ColumnType.INTEGER), "name", new=True, after=column.name)
    value = f"{sql.name(column.name)}::DOUBLE"
    last = len(edges) - 1
    cases = [f"WHEN {value} < {_number(edges[0])} OR {value} > {_number(edges[-1])} THEN NULL"] if edges else []
    cases += [f"WHEN {value} < {_number(edge)} THEN {at}" for at, edge in enumerate(edges[1:last], start=1)]
    cases += [f"WHEN {value} IS NOT NULL THEN {last}"] if edges else ["WHEN false THEN 0"]
    builder.add(step.summary(), {step.name: f"(CASE {' '.join(cases)} END)::BIGINT"})


def learn_bins(table: Learning, step: Bin) -> Fitted:
    """{"edges": […]}: equal ones are one, so there may be fewer classes. Raises InvalidInputError without values."""
    column = table.column(step.column, "column")
    _must_be_numeric(column)
    cell = f"{sql.name(column.name)}::DOUBLE"
    shares = [at / step.bins for at in range(step.bins + 1)]
    if step.method is Binning.COUNT:
        found: Any = table.rows(f"SELECT quantile_cont({cell}, {shares}) FROM {table.name}")[0][0]
    else:
        low, high = table.rows(f"SELECT min({cell}), max({cell}) FROM {table.name}")[0]
        found = None if low is None else [*(low + share * (high - low) for share in shares[:-1]), high]
    edges = sorted(set(found or ()))
    if len(edges) < 2:
        raise InvalidInputError.at("column", msg=f"“{column.name}” has no two values to divide", code="all_missing")
    return {"edges": edges}


def _must_be_numeric(column: Column) -> None:
    if not column.type.is_numeric:
        raise InvalidInputError.at("column", msg=f"“{column.name}” is {column.type}; this needs numbers", code="type")


def _number(value: float) -> str:
    return f"'{float(value)!r}'::DOUBLE"
