"""Queries of people: one SELECT, written anew over relations that are given to it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from hydroml.adapters.tables import sql, text_sizes
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.expressions import Writer
from hydroml.adapters.tables.faults import type_words
from hydroml.adapters.tables.functions import Reach, finite
from hydroml.adapters.tables.grammar import Grammar, Kind, Span, similar
from hydroml.adapters.tables.reading.names import is_reserved
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.steps.columns import COLUMN_NAME_LENGTH
from hydroml.domain.studio.steps.queries import QUERY_LENGTH

MAX_COLUMNS = 2_000
_QUERY = Kind("query", QUERY_LENGTH, 6_000)
_SELECT = frozenset(
    {
        "with_",
        "expressions",
        "distinct",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "qualify",
        "order",
        "limit",
        "offset",
    }
)
_SET = frozenset({"with_", "this", "expression", "distinct", "by_name", "order", "limit", "offset"})
_NESTED = frozenset({"with_", "this", "alias", "order", "limit", "offset"})
_SETS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}
_JOINS = frozenset(
    {"", "INNER", "LEFT", "LEFT OUTER", "RIGHT", "RIGHT OUTER", "FULL", "FULL OUTER", "CROSS", "SEMI", "ANTI",
     "NATURAL", "NATURAL LEFT", "ASOF", "ASOF LEFT", "LEFT SEMI", "LEFT ANTI"}
)  # fmt: skip
_NOT_COLUMNS = frozenset(
    {"current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp",
     "current_user", "localtime", "localtimestamp", "session_user"}
)  # fmt: skip
"""DuckDB takes these for functions where there is no column of the name, quoted or not."""
_NAMED = re.compile(r'"((?:[^"]|"")+)"')


@dataclass(frozen=True, slots=True)
class _Relation:
    """What stands for a name after FROM, and how many characters its texts may have."""

    sql: str
    characters: float = text_sizes.CELL


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    sql: str
    used: tuple[str, ...]
    """The names, as they were given, of the relations it reads."""


def compile_query(text: str, relations: Mapping[str, str], *loc: str | int, width: int = 0) -> CompiledQuery:
    """`relations` are SELECTs by the names that the query knows them by.

    The rows come in an order that does not depend on chance: the query's own, or that of the table if it only chooses
    rows and columns of one. What it leaves open its columns decide, if `width` says how many those are. Raises
    InvalidInputError at `loc`.
    """
    writer = _QueryWriter(text, relations, loc, width)
    written = writer.query(writer.parsed(), top=True)
    return CompiledQuery(written, tuple(dict.fromkeys(writer.used)))


def typed_query(
    connection: Connection, text: str, relations: Mapping[str, str], blank: Mapping[str, str], *loc: str | int
) -> tuple[str, tuple[Column, ...], tuple[str, ...]]:
    """The query with each column in one of our types, those columns, and the names of the relations it reads.

    `blank` are the relations without their rows, which the connection need not be able to read.
    """
    try:
        described = connection.described(compile_query(text, blank, *loc).sql)
    except InvalidInputError as error:
        raise located(error, text, *loc) from None
    if len(described) > MAX_COLUMNS:
        raise InvalidInputError.at(*loc, msg=f"a table has at most {MAX_COLUMNS:,} columns", code="length")
    columns: list[Column] = []
    cells: list[str] = []
    for name, kind in _told_apart(described):
        if is_reserved(name):
            raise InvalidInputError.at(*loc, msg=f"“{name[:100]}” cannot be the name of a column", code="reserved")
        cell, found = _cell(name, kind, *loc)
        columns.append(Column(name, found))
        cells.append(f"{cell} AS {sql.name(name)}")
    compiled = compile_query(text, relations, *loc, width=len(columns))
    names = sql.names(column.name for column in columns)
    return f"SELECT {', '.join(cells)} FROM ({compiled.sql}) AS result({names})", tuple(columns), compiled.used


def _told_apart(described: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names that differ in more than the case of their letters."""
    taken: set[str] = set()
    found = []
    for name, kind in described:
        chosen, count = name, 1
        while chosen.casefold() in taken:
            count += 1
            chosen = f"{name}_{count}"
        taken.add(chosen.casefold())
        found.append((chosen, kind))
    return found


def _cell(name: str, kind: str, *loc: str | int) -> tuple[str, ColumnType]:
    cell, found = sql.name(name), sql.column_type(kind)
    if kind.startswith(("STRUCT", "MAP", "UNION")) or kind.endswith("]"):
        raise InvalidInputError.at(
            *loc, msg=f"“{name[:100]}” is a whole row or a list; name the columns to be read", code="type"
        )
    if found is ColumnType.DURATION:
        raise InvalidInputError.at(
            *loc,
            msg=f"“{name[:100]}” is a {type_words(kind)}; date_diff('day', from, to) gives it as a number",
            code="type",
        )
    if found is ColumnType.NUMBER:
        return finite(cell), found
    if found is ColumnType.DECIMAL:
        return (cell if kind.startswith("DECIMAL") else f"CAST({cell} AS DECIMAL(38, 0))"), found
    return f"CAST({cell} AS {sql.sql_type(found)})", found


def located(error: InvalidInputError, text: str, *loc: str | int) -> InvalidInputError:
    """A fault that DuckDB found, at the name in the query that its words speak of."""
    if error.faults:
        return error
    message = str(error)
    try:
        tokens = Grammar().tokenize(text)
    except SqlglotError:
        tokens = []
    places: dict[str, Span] = {}
    for token in tokens:
        if token.token_type not in (TokenType.STRING, TokenType.NUMBER):
            places.setdefault(token.text.casefold(), (token.start, token.end + 1))
    # The last one: what is wrong with a column is told after the name of its table.
    told = message.split("; did you mean", maxsplit=1)[0]
    named = [name.replace('""', '"').casefold() for name in _NAMED.findall(told)]
    span = next((places[name] for name in reversed(named) if name in places), None)
    return InvalidInputError.at(*loc, msg=message, code="query", span=span)


class _QueryWriter(Writer):
    def __init__(self, text: str, relations: Mapping[str, str], loc: tuple[str | int, ...], width: int) -> None:
        super().__init__(text, _QUERY, loc)
        self._width = width
        self._given = relations
        self._folded: dict[str, list[str]] = {}
        for name in relations:
            self._folded.setdefault(name.casefold(), []).append(name)
        self._scopes: list[dict[str, _Relation]] = []
        self._cells: list[float] = [text_sizes.CELL]
        self._ctes = 0
        self._aggregated = False
        self.used: list[str] = []

    # What queries are made of

    def query(self, node: exp.Expr, *, top: bool = False) -> str:
        """Raises InvalidInputError with the place of the fault."""
        try:
            return self._query(node, top=top)[0]
        except RecursionError:
            raise self.fault("the query is nested too deeply", "too_complex") from None

    def _query(self, node: exp.Expr, *, top: bool = False) -> tuple[str, float]:
        """The query as SQL, and how many characters its texts may have."""
        parts = {part for part, value in node.args.items() if value}
        known = next(
            (
                known
                for kind, known in ((exp.Select, _SELECT), (exp.SetOperation, _SET), (exp.Subquery, _NESTED))
                if isinstance(node, kind)
            ),
            None,
        )
        if known is None:
            raise self.fault("only SELECT can be run here, and it changes nothing", "not_allowed", node)
        if parts - known:
            raise self.fault(f"a query cannot contain this ({min(parts - known).rstrip('_')})", "not_allowed", node)
        self._scopes.append({})
        before, self._aggregated = self._aggregated, False
        with_ = self._with(node.args["with_"]) if node.args.get("with_") else ""
        if isinstance(node, exp.Select):
            body, characters = self._select(node)
        elif isinstance(node, exp.SetOperation):
            body, characters = self._set_operation(node)
        else:
            body, characters = self._query(node.this)
            body = f"({body})"
        body += self._order(node, top=top) + self._limits(node)
        self._aggregated = before
        self._scopes.pop()
        self.refuse_long_texts(node, characters)
        return with_ + body, characters

    def _with(self, node: exp.With) -> str:
        if node.args.get("recursive"):
            raise self.fault("WITH RECURSIVE is not possible here", "not_allowed", node)
        written = []
        for cte in node.expressions:
            if {part for part, value in cte.args.items() if value} - {"this", "alias"}:
                raise self.refused(cte)
            text, characters = self._query(cte.this)
            self._ctes += 1
            name = f"part_{self._ctes}"
            alias = cte.args["alias"]
            # Under a name of ours, so that it cannot stand before a table that is read under one.
            written.append(f"{name}{self._columns_of(alias)} AS ({text})")
            self._scopes[-1][self._identifier(alias.this).casefold()] = _Relation(name, characters)
        return f"WITH {', '.join(written)} "

    def _select(self, node: exp.Select) -> tuple[str, float]:
        source, characters = self._from(node)
        self._cells.append(max(characters, self._cells[-1]))
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise self.fault("write DISTINCT without ON", "not_allowed", distinct)
        if not node.expressions:
            raise self.fault("a query says which columns it gives: SELECT *, or their names", "syntax", node)
        cells = ", ".join(self._selected(one) for one in node.expressions)
        text = f"SELECT {'DISTINCT ' if distinct is not None else ''}{cells}{source}"
        for part, words in (("where", "WHERE"), ("group", ""), ("having", "HAVING"), ("qualify", "QUALIFY")):
            clause = node.args.get(part)
            if clause is not None:
                text += self._group(clause) if part == "group" else f" {words} {self.write(clause.this)}"
        characters = max(text_sizes.characters(one, self.cell()) for one in node.expressions)
        self._cells.pop()
        return text, characters

    def _selected(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Star):
            return self._star(node)
        if isinstance(node, exp.Alias):
            return f"{self.write(node.this)} AS {sql.name(self._new_name(node.args['alias']))}"
        written = self.write(node)
        if isinstance(node, exp.Column):
            return written
        # Else it would be called by what we have made of it.
        span = self.span(node)
        words = " ".join(self._text[slice(*span)].split()) if span else "value"
        return f"{written} AS {sql.name(words[:60])}"

    def _star(self, node: exp.Star) -> str:
        if {part for part, value in node.args.items() if value} - {"except_"}:
            raise self.fault("after * only EXCLUDE (…) is possible", "not_allowed", node)
        left_out = node.args.get("except_") or []
        names = [part.this if isinstance(part, exp.Column) else part for part in left_out]
        return f"* EXCLUDE ({sql.names(self._identifier(name) for name in names)})" if names else "*"

    def _set_operation(self, node: exp.SetOperation) -> tuple[str, float]:
        left, right = self._query(node.this), self._query(node.expression)
        words = _SETS[type(node)]
        words += "" if node.args.get("distinct") else " ALL"
        words += " BY NAME" if node.args.get("by_name") else ""
        return f"({left[0]}) {words} ({right[0]})", max(left[1], right[1])

    def _from(self, node: exp.Select) -> tuple[str, float]:
        if node.args.get("from_") is None:
            return "", 1
        text, characters = self._relation(node.args["from_"].this)
        for join in node.args.get("joins") or ():
            joined, more = self._join(join)
            text += joined
            characters = max(characters, more)
        return f" FROM {text}", characters

    def _join(self, node: exp.Join) -> tuple[str, float]:
        if {part for part, value in node.args.items() if value} - {"this", "on", "using", "side", "kind", "method"}:
            raise self.refused(node)
        words = " ".join(str(node.args[part]) for part in ("method", "side", "kind") if node.args.get(part)).upper()
        if words not in _JOINS:
            raise self.fault(f"a join cannot be {words.lower()}", "not_allowed", node)
        relation, characters = self._relation(node.this)
        if node.args.get("on") is not None:
            self._cells.append(max(characters, self._cells[-1]))
            condition = f" ON {self.write(node.args['on'])}"
            self._cells.pop()
        elif node.args.get("using"):
            condition = f" USING ({sql.names(self._identifier(one) for one in node.args['using'])})"
        else:
            words, condition = words or "CROSS", ""
        return f" {words} JOIN {relation}{condition}".replace("  ", " ", 1), characters

    def _relation(self, node: exp.Expr) -> tuple[str, float]:
        alias = node.args.get("alias")
        if isinstance(node, exp.Subquery):
            text, characters = self._query(exp.Subquery(**{k: v for k, v in node.args.items() if k != "alias"}))
            named = f" AS {sql.name(self._identifier(alias.this))}{self._columns_of(alias)}" if alias else ""
            return (text if text.startswith("(") else f"({text})") + named, characters
        if not isinstance(node, exp.Table):
            raise self.fault("only tables and subqueries can stand after FROM", "not_allowed", node)
        if not isinstance(node.this, exp.Identifier):
            raise self.fault("functions cannot stand after FROM", "not_allowed", node)
        if {part for part, value in node.args.items() if value} - {"this", "alias"}:
            raise self.fault("name a table alone, by the name of its data source", "not_allowed", node)
        found = self._found(node.this)
        name = self._identifier(alias.this) if alias and alias.this else node.this.this
        return f"{found.sql} AS {sql.name(name)}{self._columns_of(alias)}", found.characters

    def _found(self, node: exp.Identifier) -> _Relation:
        asked = self._identifier(node)
        for scope in reversed(self._scopes):
            if asked.casefold() in scope:
                return scope[asked.casefold()]
        same = [asked] if asked in self._given else self._folded.get(asked.casefold(), [])
        if len(same) != 1:
            raise self.fault(
                f"there is no table “{asked[:100]}”{similar(asked, list(self._given))}", "unknown_table", node
            )
        self.used.append(same[0])
        return _Relation(f"({self._given[same[0]]})")

    def _columns_of(self, alias: exp.TableAlias | None) -> str:
        names = alias.args.get("columns") if alias is not None else None
        return f"({sql.names(self._new_name(name) for name in names)})" if names else ""

    def _group(self, node: exp.Group) -> str:
        self._aggregated = True
        if {part for part, value in node.args.items() if value} - {"expressions", "all"}:
            raise self.refused(node)
        return " GROUP BY " + ("ALL" if node.args.get("all") else ", ".join(self.write(e) for e in node.expressions))

    def _order(self, node: exp.Expr, *, top: bool) -> str:
        order = node.args.get("order")
        terms = self.ordering(order) if order is not None else []
        if top and (terms or not self._keeps_order(node)):
            terms += [str(at) for at in range(1, self._width + 1)]
        return f" ORDER BY {', '.join(terms)}" if terms else ""

    def _keeps_order(self, node: exp.Expr) -> bool:
        """Whether the rows are some of one table's, which come as they lie."""
        return (
            isinstance(node, exp.Select)
            and not self._aggregated
            and not self.windows
            and not any(node.args.get(part) for part in ("distinct", "joins"))
            and all(inner is node for inner in node.find_all(exp.Query))
        )

    def _limits(self, node: exp.Expr) -> str:
        text = ""
        for part, words in (("limit", "LIMIT"), ("offset", "OFFSET")):
            clause = node.args.get(part)
            if clause is None:
                continue
            amount = clause.args.get("expression")
            others = {name for name, value in clause.args.items() if value} - {"expression"}
            if others or not (
                isinstance(amount, exp.Literal) and not amount.is_string and str(amount.this).isdecimal()
            ):
                raise self.fault(f"write a whole number after {words}", "syntax", clause)
            text += f" {words} {self.write(amount)}"
        return text

    # What their expressions are made of

    def column(self, node: exp.Column) -> str:
        if {part for part, value in node.args.items() if value} - {"this", "table"}:
            raise self.fault("name a column as table.column, or alone", "unknown_column", node)
        table = f"{sql.name(self._identifier(node.args['table']))}." if node.args.get("table") else ""
        if isinstance(node.this, exp.Star):
            return f"{table}{self._star(node.this)}"
        name = self._identifier(node.this)
        if not table and name.casefold() in _NOT_COLUMNS:
            raise self.fault(f"there is no column “{name}”", "unknown_column", node)
        return f"{table}{sql.name(name)}"

    def aggregate(self, node: exp.Anonymous, name: str) -> str:
        self._aggregated = True
        return self.called_aggregate(node, name)

    def order(self, node: exp.Window, name: str, reach: Reach, terms: list[str]) -> list[str]:
        if not terms and (reach is not Reach.FRAME or name in ("first_value", "last_value", "nth_value")):
            raise self.fault(f"say in which order: {name}(…) OVER (ORDER BY …)", "window", node)
        return terms

    def other(self, node: exp.Expr) -> str:
        match node:
            case exp.Subquery() if not node.args.get("alias"):
                return f"({self._query(node)[0]})"
            case exp.Exists():
                return f"EXISTS ({self._query(node.this)[0]})"
            case exp.In() if node.args.get("query") is not None and not node.expressions:
                return f"({self._write(node.this)} IN ({self._query(node.args['query'])[0]}))"
            case exp.Filter() if isinstance(node.this, exp.Anonymous):
                called = self._called(node.this)
                return f"{self.aggregate(node.this, called)} FILTER (WHERE {self._write(node.expression.this)})"
            case _:
                raise self.refused(node)

    def cell(self) -> float:
        return self._cells[-1]

    def _identifier(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Identifier) or is_reserved(node.this) or "\x00" in node.this:
            raise self.fault("this cannot be the name of a table or column", "reserved", node)
        return str(node.this)

    def _new_name(self, node: exp.Expr) -> str:
        name = self._identifier(node)
        if not name.strip() or len(name) > COLUMN_NAME_LENGTH:
            raise self.fault(f"a name has 1 to {COLUMN_NAME_LENGTH} characters", "length", node)
        return name
