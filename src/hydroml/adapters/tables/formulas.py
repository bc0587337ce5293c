"""Formulas of people, as SQL: parsed by SQLGlot, and written anew from the few kinds of nodes that are allowed.

No text of a person reaches DuckDB: only columns of the table, literals, and operators and functions from a table of
ours do. What is not in these tables is refused with the place where it stands.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.functions import ALIASES, FUNCTIONS
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

_MAX_DEPTH = 60
_MAX_NODES = 1_500
_MAX_INTEGER_DIGITS = 18

_CASTS = {
    "BIGINT": "BIGINT", "INT": "BIGINT", "SMALLINT": "BIGINT", "TINYINT": "BIGINT",
    "DOUBLE": "DOUBLE", "FLOAT": "DOUBLE",
    "TEXT": "VARCHAR", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP",
    "DATETIME": "TIMESTAMP", "TIMESTAMPNTZ": "TIMESTAMP",
}  # fmt: skip
_KNOWN_PARTS = frozenset(
    {
        "this",
        "expression",
        "expressions",
        "to",
        "ifs",
        "default",
        "true",
        "low",
        "high",
        "unit",
        "safe",
        "quoted",
        "is_string",
    }
)
_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<",
    exp.LTE: "<=", exp.And: "AND", exp.Or: "OR", exp.DPipe: "||", exp.Like: "LIKE", exp.ILike: "ILIKE",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
_UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})


class _Formula(DuckDB):
    """DuckDB's grammar without its functions: all of them stay names, to be looked up in our table."""

    class Parser(DuckDB.Parser):  # type: ignore[misc, valid-type] # SQLGlot makes this class when it is imported
        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: parse for name, parse in DuckDB.Parser.FUNCTION_PARSERS.items() if name in ("CAST", "TRY_CAST")
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: parse for name, parse in DuckDB.Parser.NO_PAREN_FUNCTION_PARSERS.items() if name == "CASE"
        }


def compile_formula(formula: str, columns: Sequence[Column], *loc: str | int) -> str:
    """`formula` over `columns` as an SQL expression. Raises InvalidInputError at `loc`."""
    return _Writer(formula, columns, loc or ("formula",)).written()


def used_columns(formula: str, columns: Sequence[Column]) -> frozenset[str]:
    """Names of the columns the formula reads; raises as `compile_formula` does."""
    writer = _Writer(formula, columns, ("formula",))
    writer.written()
    return frozenset(writer.used)


class _Writer:
    def __init__(self, formula: str, columns: Sequence[Column], loc: tuple[str | int, ...]) -> None:
        self._formula = formula
        self._loc = loc
        self._exact = {column.name for column in columns}
        self._folded: dict[str, list[str]] = {}
        for column in columns:
            self._folded.setdefault(column.name.casefold(), []).append(column.name)
        self.used: set[str] = set()

    def written(self) -> str:
        if len(self._formula) > FORMULA_LENGTH:
            raise self._fault(f"the formula is longer than {FORMULA_LENGTH:,} characters", "length")
        if "\x00" in self._formula:
            raise self._fault("the formula holds a character that cannot be in one", "syntax")
        self._refuse_deep_nesting()
        try:
            parsed = sqlglot.parse(self._formula, read=_Formula)
        except SqlglotError as error:
            raise self._syntax(error) from None
        except RecursionError:
            raise self._fault("the formula is nested too deeply", "too_complex") from None
        if len(parsed) != 1 or parsed[0] is None:
            raise self._fault("write one formula, without “;” in it", "syntax")
        tree = parsed[0]
        if sum(1 for _ in tree.walk()) > _MAX_NODES:
            raise self._fault("the formula is too long to be worked out", "too_complex")
        return self._write(tree, 0)

    def _refuse_deep_nesting(self) -> None:
        depth = deepest = 0
        for character in self._formula:
            depth += (character in "([{") - (character in ")]}")
            deepest = max(deepest, depth)
        if deepest > _MAX_DEPTH:
            raise self._fault("the formula is nested too deeply", "too_complex")

    def _write(self, node: exp.Expr, depth: int) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of node
        if depth > _MAX_NODES:
            raise self._fault("the formula is nested too deeply", "too_complex")

        # What the parser notes beside these parts would change the meaning, and must not be overlooked.
        unknown = {part for part, value in node.args.items() if value} - _KNOWN_PARTS
        if unknown - {"negate"} or (unknown and not isinstance(node, (exp.Like, exp.ILike))):
            raise self._refused(node)

        def inner(child: Any) -> str:
            return self._write(child, depth + 1)

        match node:
            case exp.Paren():
                return f"({inner(node.this)})"
            case exp.Column():
                return self._column(node)
            case exp.Literal():
                return self._literal(node)
            case exp.Boolean():
                return "true" if node.this else "false"
            case exp.Null():
                return "NULL"
            case exp.Not():
                return f"(NOT {inner(node.this)})"
            case exp.Neg():
                return f"(- {inner(node.this)})"
            case exp.Div():
                return f"({inner(node.this)}::DOUBLE / nullif({inner(node.expression)}, 0))"
            case exp.IntDiv():
                return f"({inner(node.this)} // nullif({inner(node.expression)}, 0))"
            case exp.Mod():
                return f"({inner(node.this)} % nullif({inner(node.expression)}, 0))"
            case exp.Pow():
                return FUNCTIONS["pow"].render("pow", (inner(node.this), inner(node.expression)))
            case exp.Is() if isinstance(node.expression, (exp.Null, exp.Boolean)):
                return f"({inner(node.this)} IS {inner(node.expression)})"
            case exp.Is() if isinstance(node.expression, exp.Not) and isinstance(node.expression.this, exp.Null):
                return f"({inner(node.this)} IS NOT NULL)"
            case exp.Between():
                return f"({inner(node.this)} BETWEEN {inner(node.args['low'])} AND {inner(node.args['high'])})"
            case exp.In() if node.expressions and not any(node.args.get(k) for k in ("query", "unnest", "field")):
                return f"({inner(node.this)} IN ({', '.join(inner(e) for e in node.expressions)}))"
            case exp.Case():
                return self._case(node, inner)
            case exp.Cast():
                return self._cast(node, inner)
            case exp.Interval():
                return self._interval(node)
            case exp.Anonymous():
                return self._call(node, inner)
            case exp.Like() | exp.ILike() if node.args.get("negate"):
                return f"({inner(node.this)} NOT {_BINARY[type(node)]} {inner(node.expression)})"
            case exp.Binary() if (operator := _BINARY.get(type(node))) is not None:
                return f"({inner(node.this)} {operator} {inner(node.expression)})"
            case _:
                raise self._refused(node)

    def _case(self, node: exp.Case, inner: Callable[[Any], str]) -> str:
        subject = f" {inner(node.this)}" if node.this is not None else ""
        branches = "".join(f" WHEN {inner(b.this)} THEN {inner(b.args['true'])}" for b in node.args.get("ifs", ()))
        default = node.args.get("default")
        otherwise = f" ELSE {inner(default)}" if default is not None else ""
        return f"(CASE{subject}{branches}{otherwise} END)"

    def _cast(self, node: exp.Cast, inner: Callable[[Any], str]) -> str:
        kind = node.to
        wanted = _CASTS.get(kind.this.name if hasattr(kind.this, "name") else "")
        if wanted is None or kind.expressions or node.args.get("format"):
            raise self._fault(
                "convert to integer, double, text, boolean, date or timestamp; nothing else is possible",
                "unknown_type",
                node,
            )
        return f"TRY_CAST({inner(node.this)} AS {wanted})"

    def _interval(self, node: exp.Interval) -> str:
        amount, unit = node.this, node.args.get("unit")
        word = unit.name.upper().rstrip("S") if unit is not None else ""
        digits = amount.name.lstrip("-") if isinstance(amount, exp.Literal) else ""
        if word not in _UNITS or not digits.isdecimal() or len(digits) > 9:
            raise self._fault(
                "write a duration as INTERVAL 3 DAY, or with another whole number and unit", "syntax", node
            )
        return f"INTERVAL '{amount.name} {word}'"

    def _call(self, node: exp.Anonymous, inner: Callable[[Any], str]) -> str:
        asked = str(node.this).lower()
        name = ALIASES.get(asked, asked)
        function = FUNCTIONS.get(name)
        if function is None:
            close = get_close_matches(name, [*FUNCTIONS, *ALIASES], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise self._fault(f"there is no function “{node.this}”{hint}", "unknown_function", node)
        count = len(node.expressions)
        if not function.least <= count <= function.most:
            raise self._fault(f"{function.signature} cannot take {count} arguments", "arguments", node)
        if name == "date_add":
            return self._date_add(node, inner)
        arguments = [inner(argument) for argument in node.expressions]
        if name == "if":
            otherwise = f" ELSE {arguments[2]}" if count == 3 else ""
            return f"(CASE WHEN {arguments[0]} THEN {arguments[1]}{otherwise} END)"
        if name in ("date_trunc", "date_diff"):
            self._unit(node.expressions[0], node)
        return function.render(name, arguments)

    def _date_add(self, node: exp.Anonymous, inner: Callable[[Any], str]) -> str:
        time, amount, unit = node.expressions
        word = self._unit(unit, node)
        if word in ("QUARTER", "WEEK"):
            raise self._fault(
                "date_add takes 'year', 'month', 'day', 'hour', 'minute' or 'second'", "unknown_unit", node
            )
        return f"({inner(time)} + to_{word.lower()}s({inner(amount)}))"

    def _unit(self, unit: exp.Expr, node: exp.Expr) -> str:
        word = unit.name.upper() if isinstance(unit, exp.Literal) and unit.is_string else ""
        if word not in _UNITS:
            known = ", ".join(
                f"'{u.lower()}'" for u in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
            )
            raise self._fault(f"the unit is one of {known}", "unknown_unit", node)
        return word

    def _literal(self, node: exp.Literal) -> str:
        if node.is_string:
            return sql.text(node.this)
        number = str(node.this)
        if number.isdecimal():
            if len(number.lstrip("0")) > _MAX_INTEGER_DIGITS:
                raise self._fault("the whole number is too large", "too_large", node)
            return str(int(number))
        try:
            value = float(number)
        except ValueError:
            raise self._fault(f"“{number}” is not a number", "syntax", node) from None
        return f"'{value!r}'::DOUBLE"

    def _column(self, node: exp.Column) -> str:
        if node.table or not isinstance(node.this, exp.Identifier):
            raise self._fault(
                "name a column alone; if its name has a dot, put it in double quotes", "unknown_column", node
            )
        asked = node.this.this
        if asked in self._exact:
            found = asked
        else:
            similar = self._folded.get(asked.casefold(), [])
            if len(similar) != 1:
                raise self._unknown_column(asked, node)
            found = similar[0]
        self.used.add(found)
        return sql.name(found)

    def _unknown_column(self, asked: str, node: exp.Expr) -> InvalidInputError:
        close = get_close_matches(asked.casefold(), list(self._folded), 1, 0.6)
        hint = f"; did you mean “{self._folded[close[0]][0]}”?" if close else ""
        if not hint and asked.casefold() in FUNCTIONS:
            hint = f"; the function is written {FUNCTIONS[asked.casefold()].signature}"
        return self._fault(f"there is no column “{asked[:100]}”{hint}", "unknown_column", node)

    def _refused(self, node: exp.Expr) -> InvalidInputError:
        if isinstance(node, (exp.Query, exp.Subquery, exp.Exists)) or node.find(exp.Query):
            return self._fault("a formula cannot query tables", "not_allowed", node)
        what = type(node).__name__
        return self._fault(f"a formula cannot contain this ({what.lower()})", "not_allowed", node)

    def _syntax(self, error: SqlglotError) -> InvalidInputError:
        details = getattr(error, "errors", None) or [{}]
        line, column = details[0].get("line"), details[0].get("col")
        near = details[0].get("highlight") or ""
        place = f" near “{near[:40]}”" if near else ""
        at = f" (line {line}, position {column})" if line and column else ""
        return self._fault(f"the formula cannot be read{place}{at}", "syntax")

    def _fault(self, message: str, code: str, node: exp.Expr | None = None) -> InvalidInputError:
        place = _place(node) if node is not None else ""
        return InvalidInputError.at(*self._loc, msg=f"{message}{place}", code=code)


def _place(node: exp.Expr) -> str:
    """Where a node stands in the formula, if the parser noted it."""
    starts = [part.meta["start"] for part in node.walk() if part.meta.get("start") is not None]
    return f", at character {min(starts) + 1}" if starts else ""
