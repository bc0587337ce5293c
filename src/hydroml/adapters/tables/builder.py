"""What a recipe becomes: one CTE for each step, every column named.

A hidden column carries each row's position in the file, and one more each sort key, so that the order of rows is
the same whatever runs the query: the last sort counts first, then those before it, then the file's order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.adapters.tables.faults import type_words
from hydroml.adapters.tables.formulas import Formula, compile_formula
from hydroml.adapters.tables.functions import finite
from hydroml.adapters.tables.queries import typed_query
from hydroml.adapters.tables.reading.names import is_reserved
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType, Table
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps.formulas import looks_at_other_rows

SOURCE = "source"
_MOST_PIECES = 200


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as a CTE."""

    name: str
    select: str
    comment: str
    changed: frozenset[str] = frozenset()
    """The columns that it computes; all others are as they were."""
    anew: bool = False
    """Whether its rows are other ones than those before, numbered anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled recipe; `order` are ORDER BY terms over the last stage, `inputs` the other tables it reads.

    A stage reads the n-th input, counted from 1, as `input_n`.
    """

    stages: tuple[Stage, ...]
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    inputs: tuple[Table, ...] = ()
    hidden: tuple[str, ...] = ()
    sorts: int = 0
    loose: bool = False

    @property
    def last(self) -> str:
        return self.stages[-1].name if self.stages else SOURCE

    @property
    def reorders(self) -> bool:
        return len(self.order) > 1

    def query(self, source: str, select: str, inputs: Sequence[str] = ()) -> str:
        """`select` names stages; `source` is a SELECT with the columns before the recipe and the row position, and so
        are `inputs`, one for each of the plan's."""
        named = [(SOURCE, source), *((f"input_{at}", text) for at, text in enumerate(inputs, start=1))]
        named += [(stage.name, stage.select) for stage in self.stages]
        return f"WITH {', '.join(f'{name} AS ({text})' for name, text in named)} {select}"


class Types:
    """Asks DuckDB for the type of an expression, without the rows of a table."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def of(self, expression: str, columns: Sequence[Column], *loc: str | int) -> str:
        """Raises InvalidInputError at `loc` when the types do not go together."""
        try:
            with self._connections.reading() as connection:
                return _type(connection, expression, sql.blank_table(columns))
        except InvalidInputError as error:
            raise InvalidInputError.at(*loc, msg=str(error), code="type") from None

    def of_formula(self, formula: Formula, columns: Sequence[Column], *loc: str | int) -> str:
        """Raises InvalidInputError at `loc`, with the part that is at fault, when the types do not go together."""
        source = sql.blank_table([column for column in columns if column.name in formula.used])
        with self._connections.reading() as connection:
            try:
                return _type(connection, formula.sql, source)
            except InvalidInputError as error:
                refusal = error
            span = None
            for piece in formula.pieces[:_MOST_PIECES]:
                try:
                    _type(connection, piece.sql, source)
                except InvalidInputError as error:
                    # The smallest part that cannot be computed is the one to be mended.
                    refusal, span = error, piece.span
                    break
        raise InvalidInputError.at(*loc, msg=str(refusal), code="type", span=span)

    def of_query(
        self, text: str, relations: Mapping[str, str], blank: Mapping[str, str], *loc: str | int
    ) -> tuple[str, tuple[Column, ...]]:
        """A person's query over `relations` with its columns in our types, and those; `blank` are the relations without
        their rows. Raises InvalidInputError at `loc`."""
        with self._connections.reading() as connection:
            select, columns, _ = typed_query(connection, text, relations, blank, *loc)
        return select, columns


def _type(connection: Connection, expression: str, source: str) -> str:
    query = f"SELECT {expression} AS result FROM ({source})"
    kind = connection.described(query)[0][1]
    connection.rows(query)  # literals are converted only when a query runs
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
    inputs: list[Table] = field(default_factory=list)
    loose: bool = False
    """Whether rows are numbered as before a step that a page stores the table after, which numbers them anew."""

    @classmethod
    def after(cls, types: Types, plan: Plan) -> "Builder":
        """The table as the plan leaves it."""
        return cls(
            types,
            list(plan.columns),
            list(plan.order),
            list(plan.hidden),
            list(plan.stages),
            plan.sorts,
            list(plan.inputs),
            plan.loose,
        )

    @property
    def last(self) -> str:
        """What the next stage reads from."""
        return self.stages[-1].name if self.stages else SOURCE

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
        qualify: str = "",
    ) -> None:
        """A stage that selects `columns` as they now are; those in `changed` by an expression over the columns before.
        `where` keeps rows by their own cells, `qualify` by those around them."""
        expressions = changed or {}
        cells = [sql.name(name) for name in self.hidden]
        cells += [f"{expression} AS {sql.name(name)}" for name, expression in (hidden or {}).items()]
        for column in self.columns:
            expression = expressions.get(column.name)
            cells.append(sql.name(column.name) if expression is None else f"{expression} AS {sql.name(column.name)}")
        kept = f" WHERE {where}" if where else f" QUALIFY {qualify}" if qualify else ""
        select = f"SELECT {', '.join(cells)} FROM {self.last}{kept}"
        self._append(comment, select, frozenset(expressions))
        self.hidden += list(hidden or {})

    def replace(self, comment: str, select: str, columns: Sequence[Column], order: Sequence[str] | None) -> None:
        """A stage with rows of its own: `select` gives the columns, `order` are terms over what it gives and put its
        rows in a total order, in which they are numbered anew; there is one row at most when it is empty, and without
        it they come in that of `select`."""
        if order is None:
            numbered = "row_number() OVER () - 1"
        else:
            numbered = f"row_number() OVER (ORDER BY {', '.join(order)}) - 1" if order else "0"
        cells = sql.names(column.name for column in columns)
        self._append(comment, f"SELECT {numbered} AS {sql.name(sql.ROW)}, {cells} FROM ({select})", anew=True)
        self.columns = list(columns)
        self.order, self.hidden = [sql.name(sql.ROW)], [sql.ROW]
        self.loose = False

    def renumber(self) -> None:
        """Numbers the rows as they now follow each other, as a stored table would."""
        self.replace("the rows numbered anew", f"SELECT * FROM {self.last}", self.columns, self.order)

    def input(self, entry: RecipeStep, at: int, *loc: str | int) -> tuple[str, Table]:
        """One of the other tables of a step, and what a stage reads it as: with its own columns and row positions.
        Raises InvalidInputError at `loc` when it is not there any more."""
        if at >= len(entry.inputs):
            raise InvalidInputError.at(
                *loc, msg="the other data source is not in this project any more", code="unknown_version"
            )
        self.inputs.append(entry.inputs[at])
        return f"input_{len(self.inputs)}", entry.inputs[at]

    def put(self, column: Column, *loc: str | int, new: bool = False, after: str | None = None) -> None:
        """The column in the place of the one with its name, or behind `after`, or at the end.

        Raises InvalidInputError at `loc` when a new one may not have that name, or must be `new` and is not.
        """
        for at, existing in enumerate(self.columns):
            if existing.name == column.name and not new:
                self.columns[at] = column
                return
        self.must_be_free(column.name, *loc)
        place = len(self.columns) if after is None else [c.name for c in self.columns].index(after) + 1
        self.columns.insert(place, column)

    def must_be_free(self, name: str, *loc: str | int) -> None:
        """Raises InvalidInputError at `loc` unless a new column may have that name."""
        similar = next((c.name for c in self.columns if c.name.casefold() == name.casefold()), None)
        if similar == name:
            raise InvalidInputError.at(*loc, msg=f"there is a column “{name}” already", code="duplicate")
        if similar is not None:
            raise InvalidInputError.at(
                *loc, msg=f"“{name}” differs from the column “{similar}” only in the case of letters", code="duplicate"
            )
        if is_reserved(name) or "\x00" in name:
            raise InvalidInputError.at(*loc, msg=f"“{name}” cannot be the name of a column", code="reserved")

    def plan(self) -> Plan:
        return Plan(
            tuple(self.stages),
            tuple(self.columns),
            tuple(self.order),
            tuple(self.inputs),
            tuple(self.hidden),
            self.sorts,
            self.loose,
        )

    def _append(self, comment: str, select: str, changed: frozenset[str] = frozenset(), *, anew: bool = False) -> None:
        self.stages.append(Stage(f"step_{len(self.stages) + 1}", select, comment, changed, anew))


def condition(builder_types: Types, columns: Sequence[Column], formula: str, *loc: str | int) -> str:
    """A formula that says yes or no about each row. Raises InvalidInputError."""
    compiled = compile_formula(formula, columns, *loc)
    kind = builder_types.of_formula(compiled, columns, *loc)
    if kind != "BOOLEAN":
        raise InvalidInputError.at(
            *loc, msg=f"the condition gives a value of type {type_words(kind)}, not true or false", code="type"
        )
    return compiled.sql


def derived(
    builder_types: Types, columns: Sequence[Column], formula: str, order: Sequence[str] = ()
) -> tuple[str, ColumnType]:
    """A formula's SQL, in one of our types, and which; `order` are terms that put the rows in their order. Raises
    InvalidInputError."""
    compiled = compile_formula(formula, columns, "formula", order=())
    if compiled.windows and not looks_at_other_rows(formula):
        raise InvalidInputError.at("formula", msg="write OVER in letters, outside of quotes", code="window")
    kind = builder_types.of_formula(compiled, columns, "formula")
    expression = compile_formula(formula, columns, "formula", order=order).sql
    result = sql.column_type(kind)
    if result is ColumnType.DURATION:
        raise InvalidInputError.at(
            "formula", msg="the formula gives a duration; date_diff('day', from, to) gives it as a number", code="type"
        )
    if result is ColumnType.NUMBER:
        return finite(expression), result
    if result is ColumnType.DECIMAL and not kind.startswith("DECIMAL"):
        return f"CAST({expression} AS DECIMAL(38, 0))", result
    if result is ColumnType.DECIMAL:
        return expression, result
    return f"CAST({expression} AS {sql.sql_type(result)})", result
