"""Rules of the steps about missing values, and what they learn."""

from dataclasses import dataclass, replace
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.learning import Learning
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import FillMethod, FillMissing, Fitted, MarkMissing
from hydroml.domain.studio.steps.base import TEXTUAL

_PLACE = "__hydroml_place"


def fill_missing(builder: Builder, step: FillMissing, entry: RecipeStep) -> None:
    columns = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)]
    around = _Around.of(builder, step) if step.method.follows else None
    changed: dict[str, str] = {}
    flags: list[Column] = []
    for at, column in enumerate(columns):
        name = column.name
        filled, kind = around.filled(column, at) if around else _filled(step, column, entry.fitted, at)
        changed[name] = filled
        builder.columns[builder.columns.index(column)] = Column(name, kind)
        if step.flag:
            flag = step.flag_column(name)
            builder.must_be_free(flag, "flag")
            flags.append(Column(flag, ColumnType.BOOLEAN, nullable=False))
            changed[flag] = f"({sql.name(name)} IS NULL AND {filled} IS NOT NULL)"
    builder.columns += flags
    builder.add(step.summary(), changed)


def mark_missing(builder: Builder, step: MarkMissing, _: RecipeStep) -> None:
    named = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)]
    changed = {}
    for column in named or builder.columns:
        cell = sql.name(column.name)
        if column.type in TEXTUAL:
            markers = ", ".join(sql.text(marker.strip()) for marker in step.markers)
            test = f"trim({cell}) IN ({markers})"
        else:
            literals = [literal for marker in step.markers if (literal := _literal(marker, column)) is not None]
            if not literals:
                continue
            test = f"{cell} IN ({', '.join(literals)})"
        changed[column.name] = f"CASE WHEN NOT coalesce({test}, false) THEN {cell} END"
        builder.columns[builder.columns.index(column)] = replace(column, nullable=True)
    builder.add(step.summary(), changed)


def _literal(marker: str, column: Column) -> str | None:
    """The marker as a value of the column's type, if it can be one."""
    try:
        return constant(marker.strip(), column, "markers")
    except InvalidInputError:
        return None


@dataclass(frozen=True, slots=True)
class _Around:
    """The rows around a gap: in which order they follow each other, and where each stands."""

    step: FillMissing
    window: str
    x: str
    """What a line is drawn over."""

    @classmethod
    def of(cls, builder: Builder, step: FillMissing) -> "_Around":
        groups = [builder.column(name, "groups", at).name for at, name in enumerate(step.groups)]
        order, x = list(builder.order), sql.name(_PLACE)
        if step.order_by is not None:
            column = builder.column(step.order_by, "order_by")
            if not (column.type.is_numeric or column.type.is_temporal):
                raise InvalidInputError.at(
                    "order_by", msg=f"“{column.name}” is {column.type}, not a date, time or number", code="type"
                )
            order.insert(0, f"{sql.name(column.name)} ASC NULLS LAST")
            x = sql.name(column.name)
            x = f"epoch({x})" if column.type.is_temporal else f"{x}::DOUBLE"
        # The order is total, since it ends in the row's position.
        partition = f"PARTITION BY {sql.names(groups)} " if groups else ""
        window = f"{partition}ORDER BY {', '.join(order)}"
        builder.add("the place of each row among those around it", hidden={_PLACE: f"row_number() OVER ({window})"})
        builder.hidden.remove(_PLACE)
        return cls(step, f"{partition}ORDER BY {sql.name(_PLACE)}", x)

    def filled(self, column: Column, at: int) -> tuple[str, ColumnType]:
        cell = sql.name(column.name)
        kind, value = column.type, self._before(cell, cell)
        if self.step.method is FillMethod.NEXT:
            value = self._behind(cell, cell)
        elif self.step.method is FillMethod.LINEAR:
            if not column.type.is_numeric:
                raise InvalidInputError.at(
                    "columns", at, msg=f"“{column.name}” is {column.type}; a line needs numbers", code="type"
                )
            kind, y = ColumnType.NUMBER, f"{cell}::DOUBLE"
            x0, x1 = self._before(cell, self.x), self._behind(cell, self.x)
            y0, y1 = self._before(cell, y), self._behind(cell, y)
            cell = y
            value = f"({y0} + ({y1} - {y0}) * (({self.x} - {x0}) / nullif({x1} - {x0}, 0)))"
        if self.step.max_gap is not None:
            place = sql.name(_PLACE)
            bare = sql.name(column.name)
            last = f"coalesce({self._before(bare, place)}, 0)"
            end = f"(count(*) OVER ({self.window} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) + 1)"
            following = f"coalesce({self._behind(bare, place)}, {end})"
            value = f"CASE WHEN {following} - {last} - 1 <= {self.step.max_gap} THEN {value} END"
        return f"coalesce({cell}, {value})", kind

    def _before(self, cell: str, wanted: str) -> str:
        """Of the last row up to this one that has a value."""
        frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        known = f"CASE WHEN {cell} IS NOT NULL THEN {wanted} END"
        return f"last_value({known} IGNORE NULLS) OVER ({self.window} {frame})"

    def _behind(self, cell: str, wanted: str) -> str:
        frame = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
        known = f"CASE WHEN {cell} IS NOT NULL THEN {wanted} END"
        return f"first_value({known} IGNORE NULLS) OVER ({self.window} {frame})"


def _filled(step: FillMissing, column: Column, fitted: Fitted, at: int) -> tuple[str, ColumnType]:
    cell = sql.name(column.name)
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


def learn_filling(table: Learning, step: FillMissing) -> Fitted:
    """{"values": {column: value}} for mean, median and mode. Raises InvalidInputError where all are missing."""
    if not step.method.learns:
        return {}
    wanted = [table.column(name, "columns", at) for at, name in enumerate(step.columns)]
    for at, column in enumerate(wanted):
        filled_type(step.method, column, at)
    values: dict[str, Any] = {}
    for at, column in enumerate(wanted):
        found = table.rows(_learning(step.method, column, table.name))
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
