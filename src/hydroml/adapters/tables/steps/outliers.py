"""The rule of treating outliers, and the bounds it learns."""

from dataclasses import replace
from math import isfinite

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.learning import Learning
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Fitted, Outliers
from hydroml.domain.studio.steps.outliers import Bounds, Treatment


def treat_outliers(builder: Builder, step: Outliers, entry: RecipeStep) -> None:
    changed: dict[str, str] = {}
    kept: list[str] = []
    for at, name in enumerate(step.columns):
        column = builder.column(name, "columns", at)
        must_be_numeric(column, "columns", at)
        low, high = _bounds(step, entry.fitted, name)
        value = sql.name(name)
        beyond = [f"{value} < {_number(low)}"] if low is not None else []
        beyond += [f"{value} > {_number(high)}"] if high is not None else []
        is_outlier = f"coalesce({' OR '.join(beyond) or 'false'}, false)"
        match step.treatment:
            case Treatment.REMOVE:
                kept.append(f"NOT {is_outlier}")
            case Treatment.FLAG:
                flag = Column(step.flag_column(name), ColumnType.BOOLEAN, nullable=False)
                builder.put(flag, "columns", at, new=True, after=name)
                changed[flag.name] = is_outlier
            case Treatment.MISSING:
                builder.columns[builder.columns.index(column)] = replace(column, nullable=True)
                changed[name] = f"CASE WHEN NOT {is_outlier} THEN {value} END"
            case Treatment.CLIP:
                changed[name], kind = _clipped(column, low, high)
                builder.columns[builder.columns.index(column)] = replace(column, type=kind)
    builder.add(step.summary(), changed, where=" AND ".join(kept))


def _clipped(column: Column, low: float | None, high: float | None) -> tuple[str, ColumnType]:
    value = sql.name(column.name)
    whole = column.type is ColumnType.INTEGER and all(x is None or float(x).is_integer() for x in (low, high))
    kind = ColumnType.INTEGER if whole else ColumnType.NUMBER
    cases = [f"WHEN {value} < {_number(low)} THEN {_number(low)}"] if low is not None else []
    cases += [f"WHEN {value} > {_number(high)} THEN {_number(high)}"] if high is not None else []
    clipped = f"(CASE {' '.join(cases)} ELSE {value} END)" if cases else value
    if whole:  # as integers: a number would round off what is far
        clipped = clipped.replace("::DOUBLE", "::DOUBLE::BIGINT")
    return f"{clipped}::{sql.sql_type(kind)}", kind


def learn_bounds(table: Learning, step: Outliers) -> Fitted:
    """{"bounds": {column: [low, high]}}. Raises InvalidInputError for a column without values."""
    found: dict[str, list[float | None]] = {}
    for at, name in enumerate(step.columns):
        column = table.column(name, "columns", at)
        must_be_numeric(column, "columns", at)
        cell = f"{sql.name(name)}::DOUBLE"
        finite = f"CASE WHEN isfinite({cell}) THEN {cell} END"
        limits: list[float | None]
        match step.bounds:
            case Bounds.IQR:
                quartiles = table.rows(f"SELECT quantile_cont({finite}, [0.25, 0.75]) FROM {table.name}")[0][0]
                q1, q3 = quartiles or (None, None)
                limits = [] if q1 is None else [q1 - step.factor * (q3 - q1), q3 + step.factor * (q3 - q1)]
            case Bounds.Z_SCORE:
                mean, deviation = table.rows(f"SELECT avg({finite}), stddev_samp({finite}) FROM {table.name}")[0]
                spread = step.factor * (deviation or 0.0)
                limits = [] if mean is None else [mean - spread, mean + spread]
            case _:
                shares = [share for share in (step.low, step.high) if share is not None]
                values = table.rows(f"SELECT quantile_cont({finite}, {shares}) FROM {table.name}")[0][0]
                rest = iter(values or ())
                limits = [None if share is None else next(rest) for share in (step.low, step.high)] if values else []
        if not limits or any(limit is not None and not isfinite(limit) for limit in limits):
            raise InvalidInputError.at(
                "columns", at, msg=f"“{name}” has no values to learn bounds from", code="all_missing"
            )
        found[name] = limits
    return {"bounds": found}


def _bounds(step: Outliers, fitted: Fitted, name: str) -> tuple[float | None, float | None]:
    if step.bounds is Bounds.GIVEN:
        return step.low, step.high
    low, high = (fitted.get("bounds") or {}).get(name, (None, None))
    return low, high


def must_be_numeric(column: Column, *loc: str | int) -> None:
    if not column.type.is_numeric:
        raise InvalidInputError.at(*loc, msg=f"“{column.name}” is {column.type}; this needs numbers", code="type")


def _number(value: float) -> str:
    return f"'{float(value)!r}'::DOUBLE"
