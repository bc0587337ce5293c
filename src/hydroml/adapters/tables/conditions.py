"""Formulas read as conditions: trees of comparisons, as far as they are made of those."""

from collections.abc import Sequence

from sqlglot import exp

from hydroml.adapters.tables.formulas import FormulaWriter
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column
from hydroml.domain.studio.conditions import CALLS, Comparison, Condition, Group, Test, Value

_SIGNS: dict[type[exp.Expr], Test] = {
    exp.EQ: Test.IS, exp.NEQ: Test.IS_NOT, exp.LT: Test.LESS, exp.LTE: Test.AT_MOST, exp.GT: Test.GREATER,
    exp.GTE: Test.AT_LEAST,
}  # fmt: skip
_MIRRORED = {
    Test.IS: Test.IS, Test.IS_NOT: Test.IS_NOT, Test.LESS: Test.GREATER, Test.GREATER: Test.LESS,
    Test.AT_MOST: Test.AT_LEAST, Test.AT_LEAST: Test.AT_MOST,
}  # fmt: skip
_CALLS = {name: test for test, name in CALLS.items()} | {
    "prefix": Test.STARTS_WITH, "suffix": Test.ENDS_WITH, "is_missing": Test.MISSING, "isnull": Test.MISSING,
}  # fmt: skip
_OPPOSITES = {
    Test.ONE_OF: Test.NOT_ONE_OF,
    Test.BETWEEN: Test.NOT_BETWEEN,
    Test.CONTAINS: Test.NOT_CONTAINS,
    Test.MISSING: Test.NOT_MISSING,
}


class _NotExpressible(Exception):  # noqa: N818 - nothing is wrong
    """It is more than comparisons of columns with values."""


def read_condition(formula: str, columns: Sequence[Column]) -> Group | None:
    """The formula as a group of comparisons; None when it is something else, or has a fault."""
    reader = _Reader(formula, columns)
    try:
        found = reader.condition(reader.writer.parsed())
    except (_NotExpressible, InvalidInputError, RecursionError):
        return None
    return found if isinstance(found, Group) else Group("all", (found,))


class _Reader:
    def __init__(self, formula: str, columns: Sequence[Column]) -> None:
        self.writer = FormulaWriter(formula, columns, ("formula",), None)

    def condition(self, node: exp.Expr) -> Condition:
        if isinstance(node, exp.Paren):
            return self.condition(node.this)
        if isinstance(node, exp.Not):
            return self._opposite(node.this)
        if isinstance(node, (exp.And, exp.Or)):
            return Group("all" if isinstance(node, exp.And) else "any", tuple(self._chained(node, type(node))))
        return self._comparison(node)

    def _chained(self, node: exp.Expr, kind: type[exp.Expr]) -> list[Condition]:
        """`a AND b AND c` is one group; what stands in brackets is one of its own."""
        parts: list[Condition] = []
        while isinstance(node, kind):
            parts.append(self.condition(node.expression))
            node = node.this
        return [self.condition(node), *reversed(parts)]

    def _opposite(self, node: exp.Expr) -> Condition:
        inner = self.condition(node)
        if isinstance(inner, Group):
            return Group(inner.of, inner.parts, negated=not inner.negated)
        if inner.test in _OPPOSITES and not isinstance(node, exp.Paren):
            return Comparison(inner.column, _OPPOSITES[inner.test], inner.values)
        return Group("all", (inner,), negated=True)

    def _comparison(self, node: exp.Expr) -> Comparison:  # noqa: PLR0911 - one line for each kind of node
        match node:
            case exp.Column():
                return Comparison(self._column(node), Test.IS, (True,))
            case exp.Is() if isinstance(node.expression, exp.Null):
                return Comparison(self._column(node.this), Test.MISSING)
            case exp.Is() if isinstance(node.expression, exp.Not) and isinstance(node.expression.this, exp.Null):
                return Comparison(self._column(node.this), Test.NOT_MISSING)
            case exp.Between() if not node.args.get("symmetric"):
                ends = (self._value(node.args["low"]), self._value(node.args["high"]))
                return Comparison(self._column(node.this), Test.BETWEEN, ends)
            case exp.In() if node.expressions:
                return Comparison(
                    self._column(node.this), Test.ONE_OF, tuple(self._value(one) for one in node.expressions)
                )
            case exp.Anonymous() if (test := _CALLS.get(str(node.this).lower())) is not None and node.expressions:
                values = tuple(self._value(one) for one in node.expressions[1:])
                return Comparison(self._column(node.expressions[0]), test, values)
            case _ if (test := _SIGNS.get(type(node))) is not None:
                if isinstance(node.this, exp.Column):
                    return Comparison(self._column(node.this), test, (self._value(node.expression),))
                return Comparison(self._column(node.expression), _MIRRORED[test], (self._value(node.this),))
        raise _NotExpressible

    def _column(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Column):
            raise _NotExpressible
        return self.writer.found(node)

    def _value(self, node: exp.Expr) -> Value:
        if isinstance(node, exp.Boolean):
            return bool(node.this)
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
            return -self._number(node.this)
        if not isinstance(node, exp.Literal):
            raise _NotExpressible
        return str(node.this) if node.is_string else self._number(node)

    def _number(self, node: exp.Literal) -> int | float:
        text = str(node.this)
        return int(text) if text.isascii() and text.isdecimal() else float(text)
