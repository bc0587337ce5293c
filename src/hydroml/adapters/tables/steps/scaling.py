"""Rules of the steps that scale and encode, and what they learn."""

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.learning import Learning
from hydroml.adapters.tables.steps.outliers import must_be_numeric
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Encode, Fitted, Scale
from hydroml.domain.studio.steps.base import TEXTUAL
from hydroml.domain.studio.steps.scaling import MOST_CLASSES, Encoding, Scaling

OTHER = "other"
_FLAT = 1e-5
"""So near to 0 a power less one is divided by next to nothing: the first terms of its series are nearer to it."""
_FITTED_ON = 100_000
"""Values that the exponent of a power is fitted on, drawn evenly from the sorted ones."""


def scale(builder: Builder, step: Scale, entry: RecipeStep) -> None:
    changed: dict[str, str] = {}
    for at, name in enumerate(step.columns):
        column = builder.column(name, "columns", at)
        must_be_numeric(column, "columns", at)
        value = f"{sql.name(name)}::DOUBLE"
        if step.method is Scaling.LOG:
            shifted = f"({value} + {_number(step.offset)})"
            changed[name] = f"CASE WHEN {shifted} > 0 THEN ln({shifted}) END"
        else:
            learnt = (entry.fitted.get("figures") or {}).get(name, {"centre": 0.0, "spread": 1.0})
            if step.method is Scaling.POWER:
                value = yeo_johnson(value, learnt.get("lambda", 1.0))
            changed[name] = f"(({value}) - {_number(learnt['centre'])}) / {_number(learnt['spread'] or 1.0)}"
        builder.columns[builder.columns.index(column)] = replace(column, type=ColumnType.NUMBER)
    builder.add(step.summary(), changed)


def yeo_johnson(x: str, lam: float) -> str:
    """The transformation as SQL over `x`."""
    return f"CASE WHEN {x} >= 0 THEN {_power(f'{x} + 1', lam)} ELSE -{_power(f'1 - {x}', 2 - lam)} END"


def _power(base: str, exponent: float) -> str:
    """(base ^ exponent − 1) / exponent."""
    if abs(exponent) >= _FLAT:
        return f"((pow({base}, {_number(exponent)}) - 1) / {_number(exponent)})"
    log = f"ln({base})"
    first, second = (_number(exponent**n / divisor) for n, divisor in ((1, 2), (2, 6)))
    return f"({log} * (1 + {log} * ({first} + {log} * {second})))"


def learn_scale(table: Learning, step: Scale) -> Fitted:
    """{"figures": {column: {"centre", "spread", "lambda"}}}. Raises InvalidInputError for a column without values."""
    figures: dict[str, dict[str, float]] = {}
    for at, name in enumerate(step.columns):
        must_be_numeric(table.column(name, "columns", at), "columns", at)
        value = f"CASE WHEN isfinite({sql.name(name)}::DOUBLE) THEN {sql.name(name)}::DOUBLE END"
        found: dict[str, Any] = {}
        if step.method is Scaling.POWER:
            found["lambda"] = _exponent(table, value)
            value = yeo_johnson(value, found["lambda"])
        figure = {
            Scaling.MIN_MAX: f"min({value}), max({value}) - min({value})",
            Scaling.ROBUST: f"quantile_cont({value}, 0.5), quantile_cont({value}, 0.75) - quantile_cont({value}, 0.25)",
        }.get(step.method, f"avg({value}), stddev_samp({value})")
        centre, spread = table.rows(f"SELECT {figure} FROM {table.name}")[0]
        if centre is None or not isfinite(centre):
            raise InvalidInputError.at("columns", at, msg=f"“{name}” has no values to learn from", code="all_missing")
        figures[name] = found | {"centre": centre, "spread": spread or 0.0}
    return {"figures": figures}


def _exponent(table: Learning, value: str) -> float:
    from scipy.stats import yeojohnson_normmax  # heavy, and seldom needed

    counted = f"SELECT {value} AS x, row_number() OVER (ORDER BY {value}) AS n, count({value}) OVER () AS many"
    rows = table.rows(
        f"SELECT x FROM ({counted} FROM {table.name}) WHERE x IS NOT NULL"
        f" AND n % greatest(many // {_FITTED_ON}, 1) = 0 ORDER BY n"
    )
    values = np.array([x for (x,) in rows], dtype=np.float64)
    return float(yeojohnson_normmax(values)) if len(np.unique(values)) > 1 else 1.0


def encode(builder: Builder, step: Encode, entry: RecipeStep) -> None:
    changed: dict[str, str] = {}
    for at, name in enumerate(step.columns):
        column = builder.column(name, "columns", at)
        known = (entry.fitted.get("classes") or {}).get(name, [])
        classes = [(constant(value, column, "columns", at), value, share) for value, share in known]
        cell, place = sql.name(name), builder.columns.index(column)
        match step.method:
            case Encoding.ORDINAL:
                cases = " ".join(f"WHEN {cell} = {literal} THEN {n}" for n, (literal, _, _) in enumerate(classes))
                changed[name] = f"(CASE {cases or 'WHEN false THEN 0'} END)::BIGINT"
                builder.columns[place] = Column(name, ColumnType.INTEGER)
            case Encoding.FREQUENCY:
                cases = " ".join(f"WHEN {cell} = {literal} THEN {_number(share)}" for literal, _, share in classes)
                unseen = f"WHEN {cell} IS NOT NULL THEN 0.0::DOUBLE"
                changed[name] = f"(CASE {cases} {unseen} END)::DOUBLE"
                builder.columns[place] = Column(name, ColumnType.NUMBER)
            case Encoding.RARE:
                if column.type not in TEXTUAL:
                    raise InvalidInputError.at("columns", at, msg=f"“{name}” is {column.type}, not text", code="type")
                kept = ", ".join(literal for literal, _, share in classes if share >= step.share)
                frequent = f"{cell} IN ({kept})" if kept else "false"
                changed[name] = f"CASE WHEN {frequent} OR {cell} IS NULL THEN {cell} ELSE {sql.text(OTHER)} END"
            case Encoding.ONE_HOT:
                builder.columns.remove(column)
                for n, (literal, value, _) in enumerate(classes):
                    new = f"{name}={value}"
                    builder.must_be_free(new, "columns", at)
                    builder.columns.insert(place + n, Column(new, ColumnType.BOOLEAN, nullable=False))
                    changed[new] = f"coalesce({cell} = {literal}, false)"
    builder.add(step.summary(), changed)


def learn_classes(table: Learning, step: Encode) -> Fitted:
    """{"classes": {column: [[class, share of the rows], …]}} in the order of the classes. Raises InvalidInputError for
    more classes than can be encoded."""
    found: dict[str, list[list[Any]]] = {}
    for at, name in enumerate(step.columns):
        column = table.column(name, "columns", at)
        if column.type is ColumnType.DURATION:
            raise InvalidInputError.at("columns", at, msg=f"“{name}” is a duration, not a class", code="type")
        cell = sql.name(name)
        most = "" if step.method is Encoding.RARE else f" LIMIT {MOST_CLASSES + 1}"
        having = f" HAVING count(*) >= {step.share!r} * (SELECT count(*) FROM {table.name})" if not most else ""
        rows = table.rows(
            f"SELECT {cell}, count(*) / (SELECT count(*) FROM {table.name})::DOUBLE FROM {table.name}"
            f" WHERE {cell} IS NOT NULL GROUP BY 1{having} ORDER BY 1{most}"
        )
        if most and len(rows) > MOST_CLASSES:
            raise InvalidInputError.at(
                "columns", at, code="too_many",
                msg=f"“{name}” has more than {MOST_CLASSES} classes; make one of its rare ones before",
            )  # fmt: skip
        found[name] = [[sql.json_value(value), share] for value, share in rows]
    return {"classes": found}


def _number(value: float) -> str:
    return f"'{float(value)!r}'::DOUBLE"
