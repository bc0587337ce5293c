"""Formulas of people, as SQL over the columns of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.expressions import Piece, Writer
from hydroml.adapters.tables.functions import FUNCTIONS, Reach
from hydroml.adapters.tables.grammar import Kind, similar
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

_FORMULA = Kind("formula", FORMULA_LENGTH, 1_500)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as an SQL expression, and the parts it was put together from, the inner ones first."""

    sql: str
    used: frozenset[str]
    """The columns it reads."""
    windows: bool
    """Whether it looks at other rows."""
    pieces: tuple[Piece, ...]


def compile_formula(
    formula: str, columns: Sequence[Column], *loc: str | int, order: Sequence[str] | None = None
) -> Formula:
    """`order` are terms that put the rows in their order, which decides where a window leaves it open; without them
    windows are refused. Raises InvalidInputError at `loc`."""
    writer = FormulaWriter(formula, columns, loc or ("formula",), order)
    written = writer.write(writer.parsed())
    return Formula(written, frozenset(writer.used), writer.windows, tuple(writer.pieces))


def used_columns(formula: str, columns: Sequence[Column], *loc: str | int) -> tuple[Column, ...]:
    """The columns the formula reads, in the table's order; raises as `compile_formula` does."""
    used = compile_formula(formula, columns, *loc, order=()).used
    return tuple(column for column in columns if column.name in used)


class FormulaWriter(Writer):
    """Writes a formula anew as an SQL expression."""

    def __init__(
        self, formula: str, columns: Sequence[Column], loc: tuple[str | int, ...], order: Sequence[str] | None
    ) -> None:
        super().__init__(formula, _FORMULA, loc)
        self._order = order
        self._exact = {column.name for column in columns}
        self._folded: dict[str, list[str]] = {}
        for column in columns:
            self._folded.setdefault(column.name.casefold(), []).append(column.name)
        self.used: set[str] = set()

    def column(self, node: exp.Column) -> str:
        name = self.found(node)
        self.used.add(name)
        return sql.name(name)

    def found(self, node: exp.Column) -> str:
        """The column that is meant: the case of letters matters only where it tells two apart. Raises
        InvalidInputError."""
        if node.table or not isinstance(node.this, exp.Identifier):
            raise self.fault(
                "name a column alone; if its name has a dot, put it in double quotes", "unknown_column", node
            )
        asked = node.this.this
        same = [asked] if asked in self._exact else self._folded.get(asked.casefold(), [])
        if len(same) != 1:
            raise self._unknown_column(asked, node)
        return same[0]

    def aggregate(self, node: exp.Anonymous, name: str) -> str:
        raise self.fault(
            f"{name} looks at many rows; say at which: {name}(…) OVER (PARTITION BY … ORDER BY …), or OVER () for all",
            "window",
            node,
        )

    def order(self, node: exp.Window, name: str, reach: Reach, terms: list[str]) -> list[str]:
        if self._order is None:
            raise self.fault(
                "a condition cannot look at other rows; derive a column with it, and filter by that", "window", node
            )
        if reach is Reach.RANK:
            if not terms:
                raise self.fault(f"say by what to rank: {name}() OVER (ORDER BY …)", "window", node)
            return terms
        if not terms and reach is Reach.FRAME and node.args.get("spec") is None:
            return terms if name not in ("first_value", "last_value", "nth_value") else list(self._order)
        return [*terms, *self._order]

    def other(self, node: exp.Expr) -> str:
        if isinstance(node, (exp.Query, exp.Subquery, exp.Exists)) or node.find(exp.Query):
            raise self.fault("a formula cannot query tables", "not_allowed", node)
        raise self.refused(node)

    def _unknown_column(self, asked: str, node: exp.Expr) -> InvalidInputError:
        hint = similar(asked, [names[0] for names in self._folded.values()])
        if not hint and asked.casefold() in FUNCTIONS:
            hint = f"; the function is written {FUNCTIONS[asked.casefold()].signature}"
        return self.fault(f"there is no column “{asked[:100]}”{hint}", "unknown_column", node)
