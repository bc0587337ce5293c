"""How long the texts that expressions make can become: estimated as they are written, and bounded row by row."""

from collections.abc import Callable
from math import inf

from sqlglot import exp

from hydroml.adapters.tables import sql

CELL = 1_000
"""How many characters a cell of text is taken to have."""
MOST_CHARACTERS = 2_000_000
MOST_BYTES = 250_000
"""Of a text that is made longer. The engine makes those of 2,048 rows at once, outside of its own memory limit."""
TOO_LONG = (
    f"this would make a text of more than {MOST_BYTES:,} bytes; cut what it is made of first, as left(text, n) does"
)
_REPLACING = frozenset({"replace", "regexp_replace"})
_GROWING = frozenset({"concat", "concat_ws", *_REPLACING})


def grows(node: exp.Expr) -> bool:
    """Whether it can make longer texts out of those it is given."""
    node = _bare(node)
    if (name := _name(node)) in _REPLACING and len(node.expressions) == 3:
        old, new = node.expressions[1:]
        shortest = 0 if name == "regexp_replace" else _literal_bytes(old)
        return shortest is None or (size := _literal_bytes(new)) is None or size > shortest
    return isinstance(node, exp.DPipe) or name in _GROWING


def bounded(node: exp.Expr, written: str, of: Callable[[exp.Expr], str]) -> str:
    """What was `written` for a node that grows, as SQL that fails with `TOO_LONG` where its text could be too long.

    `of` gives what was written for each node within it. `error()` would be shorter, but makes an expression volatile:
    it could not stand in PARTITION BY, and no filter would be pushed down.
    """
    refused = f"CAST({sql.text(TOO_LONG)} AS DOUBLE)::VARCHAR"
    return f"(CASE WHEN {_bytes(node, of)} > {MOST_BYTES} THEN {refused} ELSE {written} END)"


def characters(node: exp.Expr, cell: float) -> float:
    """An upper bound of the length of a text, if the texts of columns are not longer than `cell`."""
    if isinstance(node, exp.Literal):
        return len(node.this)
    if isinstance(node, exp.Column):
        return cell
    inner = [characters(child, cell) for child in node.iter_expressions()]
    name = _name(node)
    if name in ("concat", "concat_ws") or isinstance(node, exp.DPipe):
        return sum(inner) * max(inner[0] if name == "concat_ws" else 1, 1)
    if name in _REPLACING and len(inner) == 3:
        text, old, new = inner
        known = name == "replace" and all(isinstance(part, exp.Literal) for part in node.expressions[1:])
        return text * max(1.0, new / max(old, 1.0) if known else new)
    if name in ("lpad", "rpad") and len(inner) == 3:
        width = node.expressions[1]
        return float(width.this) if isinstance(width, exp.Literal) and width.this.isdecimal() else inf
    return max(inner, default=1.0)


def _bytes(node: exp.Expr, of: Callable[[exp.Expr], str]) -> str:
    """At most so many bytes, as SQL over the sizes of what the text is made of."""
    node = _bare(node)
    if (size := _literal_bytes(node)) is not None:
        return f"{size}::DOUBLE"
    if not grows(node):
        return f"coalesce(strlen(({of(node)})::VARCHAR), 0)::DOUBLE"
    first, *others = [_bytes(child, of) for child in node.iter_expressions()]
    match _name(node):
        case "concat_ws":
            return f"({' + '.join(others)} + {len(others)} * {first})"
        case "replace":
            return f"({first} * greatest(1, {others[1]} / {max(_literal_bytes(node.expressions[1]) or 1, 1)}))"
        case "regexp_replace":  # what it finds may be empty, before every character and at the end
            return f"(({first} + 1) * ({others[1]} + 1))"
        case _:
            return f"({' + '.join([first, *others])})"


def _bare(node: exp.Expr) -> exp.Expr:
    """Without parentheses around it; SQLGlot's `unnest` would enter a sub-query, too."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _name(node: exp.Expr) -> str:
    """Of the function that it calls."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else ""


def _literal_bytes(node: exp.Expr) -> int | None:
    return len(node.this.encode()) if isinstance(node, exp.Literal) else None
