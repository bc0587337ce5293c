"""What has changed from one table to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import Column, Table

SAMPLES = 100
MOST_SHOWN = 50
"""So many columns are shown of a row."""


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is in both: its key, and (before, after) of the columns that differ."""

    key: tuple[Any, ...]
    cells: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`key` tells rows apart; without one whole rows are compared, and none of them can be the same row changed.

    Rows are compared by the columns that both tables have. The samples are the first in the order of their table, with
    the cells of `shown`.
    """

    added_columns: tuple[Column, ...]
    removed_columns: tuple[Column, ...]
    retyped: tuple[tuple[str, str, str], ...]
    """Name, type before, type now."""
    key: tuple[str, ...]
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int | None
    changed_columns: Mapping[str, int]
    """For each column that differs somewhere, in how many rows."""
    shown: tuple[str, ...]
    added_rows: tuple[tuple[Any, ...], ...]
    removed_rows: tuple[tuple[Any, ...], ...]
    changed_rows: tuple[ChangedRow, ...]

    @property
    def unchanged(self) -> int:
        return self.rows_after - self.added - (self.changed or 0)


class TableComparer(Protocol):
    def compare(self, before: Table, after: Table, key: Sequence[str] | None, monitor: Monitor) -> Comparison:
        """By `key`; None is the first column or pair of columns that tells all rows of both tables apart, and whole
        rows when there is none; an empty one is whole rows. A missing value is like any other.

        Raises InvalidInputError at `key` when a column of it is not in both, or when rows of a table share one.
        """
