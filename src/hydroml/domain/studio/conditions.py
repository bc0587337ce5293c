"""Conditions as a tree of comparisons, and as the formula they are written as."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Literal

from hydroml.domain.errors import InvalidInputError

Value = bool | int | float | str

MOST_PARTS = 200
MOST_VALUES = 1_000
MOST_LEVELS = 8
VALUE_LENGTH = 1_000
_EXACT = 2**53
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "all and any anti array as asc asof between both by case cast check collate column constraint create cross "
        "current current_date current_time current_timestamp default deferrable desc describe distinct do else end "
        "except exists false fetch filter for foreign from full glob grant group having if ilike in initially inner "
        "intersect interval into is isnull join lateral leading left like limit localtime localtimestamp map natural "
        "not notnull null offset on only or order outer over partition pivot placing positional primary qualify "
        "references returning right row rows select semi show similar some struct summarize symmetric table "
        "tablesample then to trailing true try_cast union unique unpivot using values variadic when where window with",
    )
)
"""A column of such a name is written in double quotes."""


class Test(StrEnum):
    """How a column is compared with values."""

    __test__ = False  # pytest takes the name for one of its own

    IS = "is"
    IS_NOT = "is_not"
    LESS = "less"
    AT_MOST = "at_most"
    GREATER = "greater"
    AT_LEAST = "at_least"
    BETWEEN = "between"
    NOT_BETWEEN = "not_between"
    ONE_OF = "one_of"
    NOT_ONE_OF = "not_one_of"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    MISSING = "missing"
    NOT_MISSING = "not_missing"


SIGNS = {
    Test.IS: "=",
    Test.IS_NOT: "<>",
    Test.LESS: "<",
    Test.AT_MOST: "<=",
    Test.GREATER: ">",
    Test.AT_LEAST: ">=",
}
CALLS = {
    Test.CONTAINS: "contains",
    Test.NOT_CONTAINS: "NOT contains",
    Test.STARTS_WITH: "starts_with",
    Test.ENDS_WITH: "ends_with",
    Test.MATCHES: "regexp_matches",
}
_TAKES = {
    Test.MISSING: (0, 0),
    Test.NOT_MISSING: (0, 0),
    Test.BETWEEN: (2, 2),
    Test.NOT_BETWEEN: (2, 2),
    Test.ONE_OF: (1, MOST_VALUES),
    Test.NOT_ONE_OF: (1, MOST_VALUES),
}
"""How many values; one if it is not said."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column, how it is compared, and with what."""

    column: str
    test: Test
    values: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        least, most = _TAKES.get(self.test, (1, 1))
        if not least <= len(self.values) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most:,}"
            raise InvalidInputError.at(
                "values", msg=f"“{self.test.replace('_', ' ')}” takes {wanted} values", code="arguments"
            )
        for value in self.values:
            if isinstance(value, str):
                if len(value) > VALUE_LENGTH or "\x00" in value:
                    raise InvalidInputError.at("values", msg="this text cannot stand in a condition", code="length")
            elif not isfinite(value) or (isinstance(value, int) and abs(value) > _EXACT):
                raise InvalidInputError.at("values", msg="this number cannot stand in a condition", code="range")
            elif self.test in CALLS:
                raise InvalidInputError.at("values", msg="compare with a text here", code="type")

    def __str__(self) -> str:  # noqa: PLR0911 - one line for each test
        name = _name(self.column)
        values = [_literal(value) for value in self.values]
        match self.test:
            case Test.MISSING:
                return f"{name} IS NULL"
            case Test.NOT_MISSING:
                return f"{name} IS NOT NULL"
            case Test.BETWEEN:
                return f"{name} BETWEEN {values[0]} AND {values[1]}"
            case Test.NOT_BETWEEN:
                return f"{name} NOT BETWEEN {values[0]} AND {values[1]}"
            case Test.ONE_OF:
                return f"{name} IN ({', '.join(values)})"
            case Test.NOT_ONE_OF:
                return f"{name} NOT IN ({', '.join(values)})"
            case test if test in CALLS:
                return f"{CALLS[test]}({name}, {values[0]})"
            case test:
                return f"{name} {SIGNS[test]} {values[0]}"


@dataclass(frozen=True, slots=True)
class Group:
    """All or any of its parts, or the opposite of that."""

    of: Literal["all", "any"]
    parts: tuple["Comparison | Group", ...]
    negated: bool = False

    def __str__(self) -> str:
        glue = " AND " if self.of == "all" else " OR "
        inner = glue.join(f"({part})" if _needs_brackets(part) else str(part) for part in self.parts)
        return f"NOT ({inner})" if self.negated else inner


Condition = Comparison | Group


def written(condition: Group) -> str:
    """The condition as a formula. Raises InvalidInputError when it is empty or too large."""
    if sum(1 for _ in _parts(condition, 1)) > MOST_PARTS:
        raise InvalidInputError.at("condition", msg=f"a condition has at most {MOST_PARTS} parts", code="length")
    return str(condition)


def _parts(condition: Condition, level: int) -> Iterator[Condition]:
    if level > MOST_LEVELS:
        raise InvalidInputError.at("condition", msg="the condition is nested too deeply", code="too_complex")
    yield condition
    if isinstance(condition, Group):
        if not condition.parts:
            raise InvalidInputError.at("condition", msg="a group needs a comparison", code="required")
        for part in condition.parts:
            yield from _parts(part, level + 1)


def _needs_brackets(part: Condition) -> bool:
    return isinstance(part, Group) and not part.negated


def _name(column: str) -> str:
    bare = _BARE.fullmatch(column) and column.lower() not in _KEYWORDS
    return column if bare else '"' + column.replace('"', '""') + '"'


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
