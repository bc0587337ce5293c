"""A table that a step learns from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column


@dataclass(frozen=True, slots=True)
class Learning:
    """The table before a step, open for questions about all of its rows."""

    columns: Mapping[str, Column]
    name: str
    """What a query reads it as; it has the columns, and `sql.ROW` for the order of rows."""
    order: tuple[str, ...]
    """Terms that put its rows in their order."""
    rows: Callable[[str], list[tuple[Any, ...]]]
    """Runs a SELECT and gives its rows."""

    def column(self, name: str, *loc: str | int) -> Column:
        """Raises InvalidInputError at `loc` when there is none of that name."""
        found = self.columns.get(name)
        if found is None:
            raise InvalidInputError.at(*loc, msg=f"there is no column “{name[:100]}”", code="unknown_column")
        return found
