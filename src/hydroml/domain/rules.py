"""Rules: a person's own checks of a data source, run on each new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, NewType
from uuid import UUID

from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.projects import UserId, clean_name
from hydroml.domain.quality.findings import named, number, quoted
from hydroml.domain.sources import SourceId, VersionId
from hydroml.domain.studio.steps.base import required_columns, required_text
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

RuleId = NewType("RuleId", UUID)

MOST_RULES = 200
MOST_VALUES = 1_000
PATTERN_LENGTH = 500

Value = str | float | int | bool


class RuleNotFoundError(NotFoundError):
    def __init__(self, rule_id: RuleId) -> None:
        super().__init__(f"rule {rule_id} does not exist")


class RuleSeverity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


def _one_column(columns: tuple[str, ...]) -> tuple[str, ...]:
    columns = required_columns(columns, "columns")
    if len(columns) != 1:
        raise InvalidInputError.at("columns", msg="choose one column", code="length")
    return columns


def _some_columns(columns: tuple[str, ...], most: int = 20) -> tuple[str, ...]:
    columns = required_columns(columns, "columns")
    if len(columns) > most:
        raise InvalidInputError.at("columns", msg=f"choose at most {most} columns", code="length")
    return columns


@dataclass(frozen=True, slots=True)
class Range:
    """Every value lies between the two, which belong to it; one of them may be left out."""

    minimum: float | None = None
    maximum: float | None = None
    kind: Literal["range"] = "range"
    title: ClassVar[str] = "Within a range"
    help: ClassVar[str] = "Every number lies between a smallest and a largest one."

    def __post_init__(self) -> None:
        if self.minimum is None and self.maximum is None:
            raise InvalidInputError.at("parameters", "minimum", msg="give a minimum or a maximum", code="required")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise InvalidInputError.at("parameters", "minimum", msg="the minimum is above the maximum", code="range")

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _some_columns(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:
        parts = []
        for column in columns:
            parts += [f"{named(column)} < {number(self.minimum)}"] if self.minimum is not None else []
            parts += [f"{named(column)} > {number(self.maximum)}"] if self.maximum is not None else []
        return " OR ".join(parts)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Every value is one of these."""

    values: tuple[Value, ...]
    kind: Literal["set"] = "set"
    title: ClassVar[str] = "One of a set"
    help: ClassVar[str] = "Every value is one of those that are listed."

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= MOST_VALUES:
            raise InvalidInputError.at("parameters", "values", msg=f"give 1 to {MOST_VALUES:,} values", code="length")

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _one_column(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:
        listed = ", ".join(_literal(value) for value in self.values)
        return f"NOT ({named(columns[0])} IN ({listed}))"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else number(value)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole of every value, as text, has the form of a regular expression (RE2: linear in time)."""

    pattern: str
    kind: Literal["pattern"] = "pattern"
    title: ClassVar[str] = "Of a form"
    help: ClassVar[str] = "Every value, as text, matches a regular expression as a whole."

    def __post_init__(self) -> None:
        if not 1 <= len(self.pattern) <= PATTERN_LENGTH:
            raise InvalidInputError.at(
                "parameters", "pattern", msg=f"a pattern has 1 to {PATTERN_LENGTH} characters", code="length"
            )

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _one_column(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:
        return f"NOT regexp_matches(text({named(columns[0])}), {quoted(f'^(?:{self.pattern})$')})"


@dataclass(frozen=True, slots=True)
class NotNull:
    """Every row has a value in each of the columns."""

    kind: Literal["not_null"] = "not_null"
    title: ClassVar[str] = "Never missing"
    help: ClassVar[str] = "Every row has a value."

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _some_columns(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:
        return " OR ".join(f"is_missing({named(column)})" for column in columns)


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows have the same values in the columns together; rows with a missing one do not count."""

    kind: Literal["unique"] = "unique"
    title: ClassVar[str] = "Unique"
    help: ClassVar[str] = "No two rows have the same value, or the same values in several columns together."

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _some_columns(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:  # noqa: ARG002 - no condition on a row alone
        return None


@dataclass(frozen=True, slots=True)
class Monotonic:
    """From row to row the values grow, or fall; within each value of `group` if one is given."""

    descending: bool = False
    strict: bool = True
    group: str | None = None
    kind: Literal["monotonic"] = "monotonic"
    title: ClassVar[str] = "In order"
    help: ClassVar[str] = "From row to row the values only grow (or fall): times of a series, for example."

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return _one_column(columns)

    def broken(self, columns: tuple[str, ...]) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Every value is there in the current version of another data source of a common project."""

    source_id: UUID
    columns: tuple[str, ...] = ()
    """The other source's; those of the same names when empty."""
    kind: Literal["foreign_key"] = "foreign_key"
    title: ClassVar[str] = "Known elsewhere"
    help: ClassVar[str] = "Every value occurs in a column of another data source, such as a list of stations."

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        columns = _some_columns(columns, 5)
        if self.columns and len(self.columns) != len(columns):
            raise InvalidInputError.at(
                "parameters", "columns", msg="name as many columns of the other source as of this one", code="length"
            )
        return columns

    def broken(self, columns: tuple[str, ...]) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class RowCount:
    """The table has so many rows."""

    minimum: int | None = None
    maximum: int | None = None
    kind: Literal["row_count"] = "row_count"
    title: ClassVar[str] = "Count of rows"
    help: ClassVar[str] = "The table has at least, or at most, so many rows."

    def __post_init__(self) -> None:
        if self.minimum is None and self.maximum is None:
            raise InvalidInputError.at("parameters", "minimum", msg="give a minimum or a maximum", code="required")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise InvalidInputError.at("parameters", "minimum", msg="the minimum is above the maximum", code="range")

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        if columns:
            raise InvalidInputError.at("columns", msg="this rule is about no column", code="length")
        return ()

    def broken(self, columns: tuple[str, ...]) -> str | None:  # noqa: ARG002
        return None

    def off_by(self, rows: int) -> int:
        """How many rows there are too many, or too few."""
        if self.minimum is not None and rows < self.minimum:
            return self.minimum - rows
        if self.maximum is not None and rows > self.maximum:
            return rows - self.maximum
        return 0


@dataclass(frozen=True, slots=True)
class Formula:
    """The formula is true for every row for which it gives an answer."""

    formula: str
    kind: Literal["formula"] = "formula"
    title: ClassVar[str] = "Formula"
    help: ClassVar[str] = "A formula, as in the Studio, is true for every row: tmax >= tmin, for example."

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", required_text(self.formula, FORMULA_LENGTH - 10, "parameters", "formula"))

    def columns_of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(columns))[:20]

    def broken(self, columns: tuple[str, ...]) -> str | None:  # noqa: ARG002
        return f"NOT ({self.formula})"


Check = Range | OneOf | Pattern | NotNull | Unique | Monotonic | ForeignKey | RowCount | Formula

CHECKS: tuple[type[Check], ...] = (
    Range,
    OneOf,
    Pattern,
    NotNull,
    Unique,
    Monotonic,
    ForeignKey,
    RowCount,
    Formula,
)


@dataclass(slots=True, kw_only=True)
class Rule:
    """A check of the columns of a data source, under a name."""

    id: RuleId
    source_id: SourceId
    name: str
    check: Check
    columns: tuple[str, ...]
    severity: RuleSeverity = RuleSeverity.ERROR
    enabled: bool = True
    created_by: UserId
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self._tidy()

    def change(self, **changes: Any) -> None:
        """Sets some of name, check, columns, severity and enabled; raises InvalidInputError."""
        for name, value in changes.items():
            setattr(self, name, value)
        self._tidy()

    def _tidy(self) -> None:
        self.name = clean_name(self.name)
        self.columns = self.check.columns_of(self.columns)
        broken = self.check.broken(self.columns)
        if broken is not None and len(broken) > FORMULA_LENGTH:
            raise InvalidInputError.at(
                "parameters", msg=f"the rule is longer than {FORMULA_LENGTH:,} characters as a formula", code="length"
            )

    @property
    def kind(self) -> str:
        return self.check.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What a rule has said about a version; `passed` is None when it could not be checked, and `error` says why."""

    id: UUID
    rule_id: RuleId
    rule_name: str
    severity: RuleSeverity
    source_id: SourceId
    version_id: VersionId
    version_number: int
    passed: bool | None
    failing_rows: int = 0
    filter: str | None = None
    row_numbers: tuple[int, ...] = ()
    error: str | None = None
    checked_at: datetime


def summary(results: tuple[RuleResult, ...]) -> Mapping[str, int]:
    """Counts for the result of a job."""
    return {
        "rules": len(results),
        "passed": sum(result.passed is True for result in results),
        "failed": sum(result.passed is False for result in results),
        "unknown": sum(result.passed is None for result in results),
    }
