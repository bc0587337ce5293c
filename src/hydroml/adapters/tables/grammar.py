"""What people write, read as a tree: within limits, and told where it is at fault."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from hydroml.domain.errors import InvalidInputError

Span = tuple[int, int]

_MAX_DEPTH = 60
_WHOLE_TEXTS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


class Grammar(DuckDB):
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

        def _parse_types(self, check_func: bool = False, **options: Any) -> exp.Expr | None:
            """In an expression, no type stands before a bracket: read as one first and then again as what it is,
            `text(…)` or `array[…]` within each other would take twice as long with each."""
            following = None if self._next is None else self._next.token_type
            called = check_func and following in (TokenType.L_PAREN, TokenType.L_BRACKET)
            return None if called else super()._parse_types(check_func=check_func, **options)

        def _parse_lateral(self) -> None:
            """There is none in our queries; reading it takes twice as long for each within another."""
            if self._curr is not None and self._curr.token_type is TokenType.LATERAL:
                self.raise_error("LATERAL is not possible here")


@dataclass(frozen=True, slots=True)
class Kind:
    """What is written: a formula, or a query."""

    name: str
    length: int
    nodes: int


class Reader:
    """Reads one text."""

    def __init__(self, text: str, kind: Kind, loc: tuple[str | int, ...]) -> None:
        self._text, self._kind, self._loc = text, kind, loc

    def parsed(self) -> exp.Expr:
        kind = self._kind
        if len(self._text) > kind.length:
            raise self.fault(f"the {kind.name} is longer than {kind.length:,} characters", "length")
        if (at := self._text.find("\x00")) >= 0:
            raise self.fault(f"the {kind.name} holds a character that cannot be in one", "syntax", span=(at, at + 1))
        self._refuse_deep_nesting()
        try:
            parsed = sqlglot.parse(self._text, read=Grammar)
        except SqlglotError as error:
            raise self._syntax(error) from None
        except RecursionError:
            raise self.fault(f"the {kind.name} is nested too deeply", "too_complex") from None
        if len(parsed) != 1 or parsed[0] is None:
            raise self.fault(f"write one {kind.name}, without “;” in it", "syntax")
        if sum(1 for _ in parsed[0].walk()) > kind.nodes:
            raise self.fault(f"the {kind.name} is too long to be worked out", "too_complex")
        return parsed[0]

    def fault(
        self, message: str, code: str, node: exp.Expr | None = None, span: Span | None = None
    ) -> InvalidInputError:
        span = span or (self.span(node) if node is not None else None)
        place = f", at character {span[0] + 1}" if span else ""
        return InvalidInputError.at(*self._loc, msg=f"{message}{place}", code=code, span=span)

    def span(self, node: exp.Expr) -> Span | None:
        """Where a node stands in the text, as far as the parser noted it."""
        noted = [part.meta for part in node.walk() if part.meta.get("start") is not None]
        if not noted:
            return None
        start, end = min(meta["start"] for meta in noted), max(meta["end"] for meta in noted) + 1
        if self._text.startswith("()", end):
            end += 2
        opened = self._text.count("(", start, end) - self._text.count(")", start, end)
        while opened > 0 and (closing := self._text.find(")", end)) >= 0:
            end, opened = closing + 1, opened - 1
        return start, end

    def refused(self, node: exp.Expr) -> InvalidInputError:
        return self.fault(
            f"a {self._kind.name} cannot contain this ({type(node).__name__.lower()})", "not_allowed", node
        )

    def _refuse_deep_nesting(self) -> None:
        depth = deepest = 0
        for character in self._text:
            depth += (character in "([{") - (character in ")]}")
            deepest = max(deepest, depth)
        if deepest > _MAX_DEPTH:
            raise self.fault(f"the {self._kind.name} is nested too deeply", "too_complex")

    def _syntax(self, error: SqlglotError) -> InvalidInputError:
        details = getattr(error, "errors", None) or [{}]
        line, column = details[0].get("line"), details[0].get("col")
        near = details[0].get("highlight") or ""
        place = f" near “{near[:40]}”" if near else ""
        if not (line and column):
            return self.fault(f"the {self._kind.name} cannot be read", "syntax", span=self._unclosed())
        starts = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self._text))]
        end = min(starts[min(line, len(starts)) - 1] + column, len(self._text))
        start = max(end - max(len(near), 1), 0)
        at = f" (line {line}, position {start - starts[min(line, len(starts)) - 1] + 1})"
        return InvalidInputError.at(
            *self._loc, msg=f"the {self._kind.name} cannot be read{place}{at}", code="syntax", span=(start, end)
        )

    def _unclosed(self) -> Span | None:
        """A quote that opens a text which nothing ends."""
        rest = _WHOLE_TEXTS.sub(lambda found: " " * len(found[0]), self._text)
        at = min((found for found in (rest.find("'"), rest.find('"'), rest.find("/*")) if found >= 0), default=-1)
        return None if at < 0 else (at, len(self._text))


def similar(asked: str, names: Sequence[str]) -> str:
    """A hint at the name that may have been meant."""
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(asked.casefold(), list(folded), 1, 0.6)
    return f"; did you mean “{folded[close[0]]}”?" if close else ""
