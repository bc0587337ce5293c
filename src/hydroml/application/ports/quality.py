"""What looks into a table for its quality: measures it, counts what a condition shows, and checks it against others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.quality.facts import Facts, Hits
from hydroml.domain.sources import Column, Table

MOST_COMBINED = 12
MOST_PATTERNS = 50


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows in which exactly these columns are missing."""

    missing: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Combination:
    """How many rows have a value in every one of these columns."""

    columns: tuple[str, ...]
    complete_rows: int


@dataclass(frozen=True, slots=True)
class MissingFacts:
    """Where values are missing, together and alone. `bounds` says in words what was left out."""

    rows: int
    columns: tuple[tuple[str, int], ...]
    """Every column with the count of its missing values."""
    patterns: tuple[Pattern, ...]
    combinations: tuple[Combination, ...]
    """Of the chosen columns: the smallest combinations first, of each size the one with the most complete rows."""
    bounds: tuple[str, ...] = ()


class TableInspector(Protocol):
    """Reads tables in bounded memory. Conditions come from people or from findings and are formulas, as in the Studio:
    a bad one raises InvalidInputError. Raises TooLargeError when a limit of time or memory is hit."""

    def measure(self, table: Table, monitor: Monitor) -> Facts:
        """Everything a quality report is judged by."""

    def check(self, columns: Sequence[Column], condition: str) -> None:
        """Raises InvalidInputError unless the condition can be put to a table with these columns."""

    def hits(self, table: Table, conditions: Sequence[str], monitor: Monitor) -> list[Hits]:
        """For each condition the rows for which it is true, with the first twenty."""

    def repeated(self, table: Table, columns: Sequence[str], monitor: Monitor) -> Hits:
        """Rows whose values in `columns` a row before them has; rows with a missing one do not count."""

    def disordered(
        self, table: Table, column: str, group: str | None, *, descending: bool, strict: bool, monitor: Monitor
    ) -> Hits:
        """Rows whose value breaks the order with the row before them (of the same group); with `strict` an equal one
        does too. Missing values are passed over."""

    def orphans(
        self, table: Table, columns: Sequence[str], other: Table, other_columns: Sequence[str], monitor: Monitor
    ) -> Hits:
        """Rows whose values in `columns` no row of the other table has; rows with a missing one do not count."""

    def missing(self, table: Table, chosen: Sequence[str], monitor: Monitor) -> MissingFacts:
        """`chosen` are at most `MOST_COMBINED` columns whose combinations are counted; the twelve with the fewest
        missing values, of those that have any, when empty. Raises InvalidInputError for an unknown column."""
