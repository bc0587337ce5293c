"""Recipes as SQL: one rule for each kind of step, one CTE for each step, every column named.

A hidden column carries each row's position in the file, and one more each sort key, so that the order of rows is
the same whatever runs the query: the last sort counts first, then those before it, then the file's order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connections
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.faults import type_words
from hydroml.adapters.tables.formulas import compile_formula
from hydroml.adapters.tables.reading.names import is_reserved
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Derive, DropColumns, FillMethod, FillMissing, Filter, Fitted, Sort, Step

SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as a CTE."""

    name: str
    select: str
    comment: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled recipe; `order` are ORDER BY terms over the last stage."""

    stages: tuple[Stage, ...]
    columns: tuple[Column, ...]
    order: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.stages[-1].name if self.stages else SOURCE

    @property
    def reorders(self) -> bool:
        return len(self.order) > 1

    def query(self, source: str, select: str) -> str:
        """`select` names stages; `source` is a SELECT with the columns before the recipe and the row position."""
        stages = ", ".join(f"{stage.name} AS ({stage.select})" for stage in self.stages)
        return f"WITH {SOURCE} AS ({source}){', ' if stages else ''}{stages} {select}"


class Types:
    """Asks DuckDB for the type of an expression, without the rows of a table."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def of(self, expression: str, columns: Sequence[Column], *loc: str | int) -> str:
        """Raises InvalidInputError at `loc` when the types do not go together."""
        source = sql.blank_table(columns)
        try:
            with self._connections.reading() as connection:
                query = f"SELECT {expression} AS result FROM ({source})"
                kind = connection.described(query)[0][1]
                connection.rows(query)  # literals are converted only when a query runs
        except InvalidInputError as error:
            raise InvalidInputError.at(*loc, msg=str(error), code="type") from None
        return kind


@dataclass(slots=True)
class Builder:
    """The table while steps are put on it, one after the other."""

    types: Types
    columns: list[Column]
    order: list[str] = field(default_factory=lambda: [sql.name(sql.ROW)])
    hidden: list[str] = field(default_factory=lambda: [sql.ROW])
    stages: list[Stage] = field(default_factory=list)
    sorts: int = 0

    def column(self, name: str, *loc: str | int) -> Column:
        """Raises InvalidInputError at `loc` when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInputError.at(*loc, msg=f"there is no column “{name[:100]}”", code="unknown_column")

    def add(
        self,
        comment: str,
        changed: Mapping[str, str] | None = None,
        *,
        hidden: Mapping[str, str] | None = None,
        where: str = "",
    ) -> None:
        """A stage that selects `columns` as they now are; those in `changed` by an expression."""
        previous = self.stages[-1].name if self.stages else SOURCE
        expressions = changed or {}
        cells = [sql.name(name) for name in self.hidden]
        cells += [f"{expression} AS {sql.name(name)}" for name, expression in (hidden or {}).items()]
        for column in self.columns:
            expression = expressions.get(column.name)
            cells.append(sql.name(column.name) if expression is None else f"{expression} AS {sql.name(column.name)}")
        select = f"SELECT {', '.join(cells)} FROM {previous}{f' WHERE {where}' if where else ''}"
        self.stages.append(Stage(f"step_{len(self.stages) + 1}", select, comment))
        self.hidden += list(hidden or {})

    def plan(self) -> Plan:
        return Plan(tuple(self.stages), tuple(self.columns), tuple(self.order))


def condition(builder_types: Types, columns: Sequence[Column], formula: str, *loc: str | int) -> str:
    """A formula that says yes or no about each row. Raises InvalidInputError."""
    expression = compile_formula(formula, columns, *loc)
    kind = builder_types.of(expression, columns, *loc)
    if kind != "BOOLEAN":
        raise InvalidInputError.at(
            *loc, msg=f"the condition gives a value of type {type_words(kind)}, not true or false", code="type"
        )
    return expression


def derived(builder_types: Types, columns: Sequence[Column], formula: str) -> tuple[str, ColumnType]:
    """A formula's SQL, in one of our types, and which. Raises InvalidInputError."""
    expression = compile_formula(formula, columns, "formula")
    kind = builder_types.of(expression, columns, "formula")
    result = sql.column_type(kind)
    if result is ColumnType.DURATION:
        raise InvalidInputError.at(
            "formula", msg="the formula gives a duration; date_diff('day', from, to) gives it as a number", code="type"
        )
    if result is ColumnType.NUMBER:
        return f"nullif(CAST({expression} AS DOUBLE), 'nan'::DOUBLE)", result
    if result is ColumnType.DECIMAL and not kind.startswith("DECIMAL"):
        return f"CAST({expression} AS DECIMAL(38, 0))", result
    if result is ColumnType.DECIMAL:
        return expression, result
    return f"CAST({expression} AS {sql.sql_type(result)})", result


def _filter(builder: Builder, step: Filter, _: Fitted) -> None:
    builder.add(step.summary(), where=condition(builder.types, builder.columns, step.condition, "condition"))


def _sort(builder: Builder, step: Sort, _: Fitted) -> None:
    builder.sorts += 1
    keys: dict[str, str] = {}
    terms = []
    for at, key in enumerate(step.by):
        column = builder.column(key.column, "by", at, "column")
        name = f"__hydroml_key_{builder.sorts}_{at + 1}"
        keys[name] = sql.name(column.name)
        terms.append(f"{sql.name(name)} {'DESC' if key.descending else 'ASC'} NULLS LAST")
    builder.add(step.summary(), hidden=keys)
    builder.order[:0] = terms


def _derive(builder: Builder, step: Derive, _: Fitted) -> None:
    expression, kind = derived(builder.types, builder.columns, step.formula)
    column = Column(step.column, kind)
    for at, existing in enumerate(builder.columns):
        if existing.name == step.column:
            builder.columns[at] = column
            break
    else:
        _must_be_free(builder, step.column, "column")
        builder.columns.append(column)
    builder.add(step.summary(), {step.column: expression})


def _must_be_free(builder: Builder, name: str, *loc: str | int) -> None:
    similar = next((c.name for c in builder.columns if c.name.casefold() == name.casefold()), None)
    if similar == name:
        raise InvalidInputError.at(*loc, msg=f"there is a column “{name}” already", code="duplicate")
    if similar is not None:
        raise InvalidInputError.at(
            *loc, msg=f"“{name}” differs from the column “{similar}” only in the case of letters", code="duplicate"
        )
    if is_reserved(name) or "\x00" in name:
        raise InvalidInputError.at(*loc, msg=f"“{name}” cannot be the name of a column", code="reserved")


def _drop_columns(builder: Builder, step: DropColumns, _: Fitted) -> None:
    for at, name in enumerate(step.columns):
        builder.column(name, "columns", at)
    kept = [column for column in builder.columns if column.name not in step.columns]
    if not kept:
        raise InvalidInputError.at("columns", msg="a table keeps at least one column", code="all_columns")
    builder.columns = kept
    builder.add(step.summary())


def _fill_missing(builder: Builder, step: FillMissing, fitted: Fitted) -> None:
    changed: dict[str, str] = {}
    flags: list[Column] = []
    for at, name in enumerate(step.columns):
        column = builder.column(name, "columns", at)
        filled, kind = _filled(builder, step, column, fitted, at)
        changed[name] = filled
        builder.columns[builder.columns.index(column)] = Column(name, kind)
        if step.flag:
            flag = step.flag_column(name)
            _must_be_free(builder, flag, "flag")
            flags.append(Column(flag, ColumnType.BOOLEAN, nullable=False))
            changed[flag] = f"({sql.name(name)} IS NULL AND {filled} IS NOT NULL)"
    builder.columns += flags
    builder.add(step.summary(), changed)


def _filled(builder: Builder, step: FillMissing, column: Column, fitted: Fitted, at: int) -> tuple[str, ColumnType]:
    cell = sql.name(column.name)
    if step.method in (FillMethod.PREVIOUS, FillMethod.NEXT):
        # The order is total, since it ends in the row's position.
        nearest, frame = (
            ("last_value", "UNBOUNDED PRECEDING AND CURRENT ROW")
            if step.method is FillMethod.PREVIOUS
            else ("first_value", "CURRENT ROW AND UNBOUNDED FOLLOWING")
        )
        window = f"ORDER BY {', '.join(builder.order)} ROWS BETWEEN {frame}"
        return f"{nearest}({cell} IGNORE NULLS) OVER ({window})", column.type
    kind = filled_type(step.method, column, at)
    if step.method is FillMethod.CONSTANT:
        value = constant(step.value, column, "value")
    else:
        learnt = (fitted.get("values") or {}).get(column.name)
        if learnt is None:
            return (f"{cell}::DOUBLE" if kind is not column.type else cell), kind
        value = constant(learnt, Column(column.name, kind), "columns", at)
    typed = f"{cell}::DOUBLE" if kind is not column.type else cell
    return f"coalesce({typed}, {value})", kind


def filled_type(method: FillMethod, column: Column, at: int) -> ColumnType:
    """The column's type after filling: a mean or median is a number, which an integer column becomes too."""
    if method not in (FillMethod.MEAN, FillMethod.MEDIAN):
        return column.type
    if not column.type.is_numeric:
        raise InvalidInputError.at(
            "columns", at, msg=f"“{column.name}” is {column.type}; a {method} needs numbers", code="type"
        )
    return ColumnType.NUMBER


_RULES: dict[type[Step], Callable[[Builder, Any, Fitted], None]] = {
    Filter: _filter,
    Sort: _sort,
    Derive: _derive,
    DropColumns: _drop_columns,
    FillMissing: _fill_missing,
}


def compile_recipe(types: Types, columns: Sequence[Column], recipe: Recipe) -> Plan:
    """Raises InvalidInputError; for a fault in a step before the last, its message says in which."""
    builder = Builder(types, list(columns))
    for at, entry in enumerate(recipe):
        try:
            _RULES[type(entry.step)](builder, entry.step, entry.fitted)
        except InvalidInputError as error:
            if at == len(recipe) - 1:
                raise
            raise InvalidInputError(
                f"step {at + 1} ({entry.step.info.title.lower()}): {error}",
                tuple(Fault(("recipe", at, *fault.loc), fault.msg, fault.code) for fault in error.faults),
            ) from None
    return builder.plan()


def must_be_learnt(entries: Sequence[RecipeStep]) -> None:
    """Raises InvalidInputError for a step that has to learn from data and has not."""
    for entry in entries:
        step = entry.step
        if isinstance(step, FillMissing) and step.method.learns:
            values = entry.fitted.get("values") or {}
            missing = [name for name in step.columns if name not in values]
            if missing:
                raise InvalidInputError.at(
                    "columns", msg=f"the {step.method} of “{missing[0]}” has not been computed", code="not_fitted"
                )
