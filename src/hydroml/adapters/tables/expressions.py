"""What people write as SQL: parsed by SQLGlot, and written anew from the few kinds of nodes that are allowed.

No text of a person reaches DuckDB: only columns, literals, and operators and functions from a table of ours do. What is
not in these tables is refused with the place where it stands.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite

from sqlglot import exp

from hydroml.adapters.tables import sql, text_sizes
from hydroml.adapters.tables.functions import (
    AGGREGATES,
    ALIASES,
    FUNCTIONS,
    NOT_REPEATABLE,
    WINDOWS,
    Function,
    Reach,
    WindowFunction,
    not_zero,
)
from hydroml.adapters.tables.grammar import Kind, Reader, Span

_MAX_WRITTEN = 200_000
_MAX_INTEGER_DIGITS = 18
_MAX_PADDING = 1_000

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
_WINDOW_PARTS = frozenset({"this", "partition_by", "order", "spec", "over"})
_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<",
    exp.LTE: "<=", exp.And: "AND", exp.Or: "OR", exp.DPipe: "||", exp.Like: "LIKE", exp.ILike: "ILIKE",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
_UNITS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_UNKNOWN_UNIT = f"the unit is one of {', '.join(repr(unit.lower()) for unit in _UNITS)}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what was written, as SQL."""

    span: Span
    sql: str


class Writer(Reader, ABC):
    """Writes one text anew. A subclass says what a column is, in which order rows are, and what else there may be."""

    def __init__(self, text: str, kind: Kind, loc: tuple[str | int, ...]) -> None:
        super().__init__(text, kind, loc)
        self._within = False
        """Whether a window function is being written."""
        self.pieces: list[Piece] = []
        """What has been written, the inner parts before those around them."""
        self._growing = False
        """Whether what is being written is a part of something that makes texts longer."""
        self._written: dict[int, str] = {}
        """What became of each node, by its identity."""
        self.windows = False
        """Whether a window function occurs."""

    def write(self, node: exp.Expr) -> str:
        """Raises InvalidInputError with the place of the fault."""
        try:
            return self._write(node)
        except RecursionError:
            raise self.fault(f"the {self._kind.name} is nested too deeply", "too_complex") from None

    # What a subclass decides

    @abstractmethod
    def column(self, node: exp.Column) -> str: ...

    @abstractmethod
    def aggregate(self, node: exp.Anonymous, name: str) -> str:
        """A function of many rows outside of a window."""

    @abstractmethod
    def order(self, node: exp.Window, name: str, reach: Reach, terms: list[str]) -> list[str]:
        """The terms that order a window's rows, given those that were written."""

    def other(self, node: exp.Expr) -> str:
        """A kind of node that only the subclass knows."""
        raise self.refused(node)

    def cell(self) -> float:
        """How many characters the text of a column may have."""
        return text_sizes.CELL

    # The expressions

    def _write(self, node: exp.Expr) -> str:
        around, self._growing = self._growing, text_sizes.grows(node)
        written = self._expression(node)
        grows, self._growing = self._growing and not around, around
        self._written[id(node)] = written
        if grows:
            written = text_sizes.bounded(node, written, lambda part: self._written[id(part)])
        if len(written) > _MAX_WRITTEN:
            raise self.fault(f"the {self._kind.name} is too long to be worked out", "too_complex", node)
        if not isinstance(node, (exp.Column, exp.Literal)) and (span := self.span(node)) is not None:
            self.pieces.append(Piece(span, written))
        return written

    def _expression(self, node: exp.Expr) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of node
        inner = self._write
        if isinstance(node, exp.Window):
            return self._window(node)
        if isinstance(node, exp.Column):
            return self.column(node)
        # What the parser notes beside these parts would change the meaning, and must not be overlooked.
        unknown = {part for part, value in node.args.items() if value} - _KNOWN_PARTS
        if unknown - {"negate"} or (unknown and not isinstance(node, (exp.Like, exp.ILike))):
            return self.other(node)
        match node:
            case exp.Paren():
                return f"({inner(node.this)})"
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
                return f"({inner(node.this)}::DOUBLE / {not_zero(inner(node.expression))})"
            case exp.IntDiv():
                return f"({inner(node.this)} // {not_zero(inner(node.expression))})"
            case exp.Mod():
                return f"({inner(node.this)} % {not_zero(inner(node.expression))})"
            case exp.Pow():
                return FUNCTIONS["pow"].render("pow", (inner(node.this), inner(node.expression)))
            case exp.Is() if isinstance(node.expression, (exp.Null, exp.Boolean)):
                return f"({inner(node.this)} IS {inner(node.expression)})"
            case exp.Is() if isinstance(node.expression, exp.Not) and isinstance(node.expression.this, exp.Null):
                return f"({inner(node.this)} IS NOT NULL)"
            case exp.Between():
                return f"({inner(node.this)} BETWEEN {inner(node.args['low'])} AND {inner(node.args['high'])})"
            case exp.In() if node.expressions:
                return f"({inner(node.this)} IN ({', '.join(inner(e) for e in node.expressions)}))"
            case exp.Case():
                return self._case(node)
            case exp.Cast():
                return self._cast(node)
            case exp.Interval():
                return self._interval(node)
            case exp.Anonymous():
                return self._call(node)
            case exp.Like() | exp.ILike() if node.args.get("negate"):
                return f"({inner(node.this)} NOT {_BINARY[type(node)]} {inner(node.expression)})"
            case exp.Binary() if (operator := _BINARY.get(type(node))) is not None:
                return f"({inner(node.this)} {operator} {inner(node.expression)})"
            case _:
                return self.other(node)

    def _case(self, node: exp.Case) -> str:
        inner = self._write
        # DuckDB repeats the subject for each branch; written out, the repetition is bounded with the rest.
        subject = f"{inner(node.this)} = " if node.this is not None else ""
        branches = "".join(
            f" WHEN {subject}{inner(b.this)} THEN {inner(b.args['true'])}" for b in node.args.get("ifs", ())
        )
        default = node.args.get("default")
        otherwise = f" ELSE {inner(default)}" if default is not None else ""
        return f"(CASE{branches}{otherwise} END)"

    def _cast(self, node: exp.Cast) -> str:
        kind = node.to
        wanted = _CASTS.get(kind.this.name if hasattr(kind.this, "name") else "")
        if wanted is None or kind.expressions or node.args.get("format"):
            raise self.fault(
                "convert to integer, double, text, boolean, date or timestamp; nothing else is possible",
                "unknown_type",
                node,
            )
        return f"TRY_CAST({self._write(node.this)} AS {wanted})"

    def _interval(self, node: exp.Interval) -> str:
        amount, unit = node.this, node.args.get("unit")
        word = unit.name.upper().rstrip("S") if unit is not None else ""
        digits = amount.name.lstrip("-") if isinstance(amount, exp.Literal) else ""
        if word not in _UNITS or not (digits.isascii() and digits.isdecimal()) or len(digits) > 9:
            raise self.fault(
                "write a duration as INTERVAL 3 DAY, or with another whole number and unit", "syntax", node
            )
        return f"INTERVAL '{amount.name} {word}'"

    def _call(self, node: exp.Anonymous) -> str:
        name = self._called(node)
        if name in WINDOWS:
            raise self.fault(
                f"{name} looks at other rows; say at which: {name}(…) OVER (PARTITION BY … ORDER BY …)", "window", node
            )
        if name in AGGREGATES:
            return self.aggregate(node, name)
        if name == "date_add":
            return self._date_add(node)
        if name in ("lpad", "rpad"):
            self._refuse_wide_padding(node)
        arguments = [self._write(argument) for argument in node.expressions]
        if text_sizes.grows(node):
            self.refuse_long_texts(node, text_sizes.characters(node, self.cell()))
        if name == "if":
            otherwise = f" ELSE {arguments[2]}" if len(arguments) == 3 else ""
            return f"(CASE WHEN {arguments[0]} THEN {arguments[1]}{otherwise} END)"
        if name in ("date_trunc", "date_diff"):
            self._unit(node.expressions[0], node)
        return FUNCTIONS[name].render(name, arguments)

    def _called(self, node: exp.Anonymous) -> str:
        """The name by which we know a function. Raises InvalidInputError."""
        asked = str(node.this).lower()
        name = ALIASES.get(asked, asked)
        function: Function | None = FUNCTIONS.get(name) or AGGREGATES.get(name) or WINDOWS.get(name)
        if function is None:
            close = get_close_matches(name, [*FUNCTIONS, *AGGREGATES, *WINDOWS, *ALIASES], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            if asked in NOT_REPEATABLE:
                hint = ", since the same steps must always give the same table"
            raise self.fault(f"there is no function “{str(node.this)[:100]}”{hint}", "unknown_function", node)
        if not function.least <= len(node.expressions) <= function.most:
            raise self.fault(f"{function.signature} cannot take {len(node.expressions)} arguments", "arguments", node)
        return name

    def _date_add(self, node: exp.Anonymous) -> str:
        time, amount, unit = node.expressions
        word = self._unit(unit, node)
        if word in ("QUARTER", "WEEK"):
            raise self.fault(
                "date_add takes 'year', 'month', 'day', 'hour', 'minute' or 'second'", "unknown_unit", node
            )
        return f"try({self._write(time)} + to_{word.lower()}s({self._write(amount)}))"

    def _unit(self, unit: exp.Expr, node: exp.Expr) -> str:
        word = unit.name.upper() if isinstance(unit, exp.Literal) and unit.is_string else ""
        if word not in _UNITS:
            raise self.fault(_UNKNOWN_UNIT, "unknown_unit", node)
        return word

    def _literal(self, node: exp.Literal) -> str:
        if node.is_string:
            return sql.text(node.this)
        number = str(node.this)
        if number.isascii() and number.isdecimal():
            if len(number.lstrip("0")) > _MAX_INTEGER_DIGITS:
                raise self.fault("the whole number is too large", "too_large", node)
            return str(int(number))
        try:
            value = float(number)
        except ValueError:
            raise self.fault(f"“{number}” is not a number", "syntax", node) from None
        if not isfinite(value):
            raise self.fault("the number is too large", "too_large", node)
        return f"'{value!r}'::DOUBLE"

    # Windows

    def _window(self, node: exp.Window) -> str:
        if {part for part, value in node.args.items() if value} - _WINDOW_PARTS:
            raise self.refused(node)
        if self._within:
            raise self.fault(
                "a window cannot stand within another one; derive a column for the inner one", "window", node
            )
        self._within = self.windows = True
        call, ignores, where = node.this, False, ""
        while isinstance(call, (exp.IgnoreNulls, exp.Filter)):
            if isinstance(call, exp.Filter):
                where = f" FILTER (WHERE {self._write(call.expression.this)})"
            else:
                ignores = True
            call = call.this
        if not isinstance(call, exp.Anonymous):
            raise self.refused(node)
        if call.expressions and isinstance(call.expressions[-1], exp.IgnoreNulls):
            ignores = True
            call.expressions[-1].replace(call.expressions[-1].this)
        name = self._called(call)
        function = WINDOWS.get(name)
        if function is None and name not in AGGREGATES:
            raise self.fault(f"{name} works on one row; leave out OVER", "window", node)
        if (where and function is not None) or (ignores and (function is None or function.reach is Reach.RANK)):
            raise self.refused(node)
        called = self._windowed(call, name, function, ignores=ignores)
        over = self._over(node, name, Reach.FRAME if function is None else function.reach)
        self._within = False
        return f"({called}{where} OVER ({over}))"

    def _windowed(self, call: exp.Anonymous, name: str, function: WindowFunction | None, *, ignores: bool) -> str:
        if function is None:
            return self.called_aggregate(call, name)
        arguments = [self._write(argument) for argument in call.expressions]
        for at, argument in enumerate(call.expressions):
            if (name == "ntile" or at == 1) and not (
                isinstance(argument, exp.Literal) and str(argument.this).isdecimal()
            ):
                raise self.fault(f"{function.signature}: write n as a whole number", "arguments", call)
        return f"{name}({', '.join(arguments)}{' IGNORE NULLS' if ignores else ''})"

    def called_aggregate(self, call: exp.Anonymous, name: str) -> str:
        """An aggregate's call, which may be of different values only or, in count(*), of rows."""
        arguments = call.expressions
        if name == "count" and isinstance(arguments[0], exp.Star) and not any(arguments[0].args.values()):
            return "count(*)"
        if isinstance(arguments[0], exp.Distinct) and not arguments[0].args.get("on"):
            if name not in ("count", "sum", "avg") or len(arguments[0].expressions) != 1:
                raise self.fault("DISTINCT goes with count, sum and avg of one value", "arguments", call)
            return AGGREGATES[name].render(name, [f"DISTINCT {self._write(arguments[0].expressions[0])}"])
        if name == "quantile" and not isinstance(arguments[1], exp.Literal):
            raise self.fault("write the share as a number from 0 to 1", "arguments", call)
        return AGGREGATES[name].render(name, [self._write(argument) for argument in arguments])

    def _over(self, node: exp.Window, name: str, reach: Reach) -> str:
        ordered = node.args.get("order")
        terms = self.ordering(ordered) if ordered is not None else []
        spec = node.args.get("spec")
        if spec is not None and reach is not Reach.FRAME:
            raise self.fault(f"{name} takes no ROWS or RANGE", "window", node)
        parts = [f"PARTITION BY {', '.join(self._write(p) for p in node.args['partition_by'])}"] * bool(
            node.args.get("partition_by")
        )
        frame = "" if spec is None else self._frame(spec, node, name, len(terms))
        if not frame.startswith("RANGE"):
            complete = self.order(node, name, reach, terms)
            if reach is Reach.FRAME and not frame and complete != terms:
                frame = f"ROWS BETWEEN UNBOUNDED PRECEDING AND {'CURRENT ROW' if terms else 'UNBOUNDED FOLLOWING'}"
            terms = complete
        parts += [f"ORDER BY {', '.join(terms)}"] * bool(terms)
        return " ".join([*parts, frame]).strip()

    def ordering(self, order: exp.Order) -> list[str]:
        terms = []
        for term in order.expressions:
            if not isinstance(term, exp.Ordered) or term.args.get("with_fill") or isinstance(term.this, exp.Var):
                raise self.refused(order)
            way = "DESC" if term.args.get("desc") else "ASC"
            missing = "FIRST" if term.args.get("nulls_first") else "LAST"
            terms.append(f"{self._write(term.this)} {way} NULLS {missing}")
        return terms

    def _frame(self, spec: exp.WindowSpec, node: exp.Window, name: str, terms: int) -> str:
        kind = str(spec.args.get("kind")).upper()
        if kind not in ("ROWS", "RANGE") or spec.args.get("exclude"):
            raise self.fault("a frame is ROWS or RANGE BETWEEN … AND …", "window", node)
        if kind == "RANGE" and (terms != 1 or name in WINDOWS):
            raise self.fault("RANGE goes with functions such as sum and avg and one ORDER BY", "window", node)
        start = self._bound(spec, "start", kind, node)
        end = self._bound(spec, "end", kind, node) if spec.args.get("end") else "CURRENT ROW"
        return f"{kind} BETWEEN {start} AND {end}"

    def _bound(self, spec: exp.WindowSpec, which: str, kind: str, node: exp.Window) -> str:
        bound, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "").upper()
        if bound == "CURRENT ROW":
            return "CURRENT ROW"
        if side not in ("PRECEDING", "FOLLOWING"):
            raise self.refused(node)
        if bound == "UNBOUNDED":
            return f"UNBOUNDED {side}"
        if (isinstance(bound, exp.Literal) and not bound.is_string) or (
            kind == "RANGE" and isinstance(bound, exp.Interval)
        ):
            return f"{self._write(bound)} {side}"
        raise self.fault("say how far by a number, or after RANGE by INTERVAL 3 DAY", "window", node)

    # Limits

    def _refuse_wide_padding(self, node: exp.Anonymous) -> None:
        width = node.expressions[1]
        if not (isinstance(width, exp.Literal) and width.this.isdecimal() and int(width.this) <= _MAX_PADDING):
            raise self.fault(f"write n as a whole number up to {_MAX_PADDING:,}", "arguments", node)

    def refuse_long_texts(self, node: exp.Expr, characters: float) -> None:
        """Functions that make texts longer could fill the memory when they are put into each other."""
        if characters > text_sizes.MOST_CHARACTERS:
            raise self.fault("this could make texts of millions of characters", "too_complex", node)
