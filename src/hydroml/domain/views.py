"""Views of a data source that a person keeps: filter, order, and how columns are laid out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.projects import UserId, clean_name
from hydroml.domain.sources import SourceId
from hydroml.domain.studio.steps import SortKey
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

SavedViewId = NewType("SavedViewId", UUID)

MOST_VIEWS = 100
"""Of one person and data source."""
MOST_NAMES = 10_000
MOST_KEYS = 50
_NARROWEST, _WIDEST = 20, 4_000


class SavedViewNotFoundError(NotFoundError):
    def __init__(self, view_id: SavedViewId) -> None:
        super().__init__(f"view {view_id} does not exist")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a grid are laid out, by name; what a table does not have is passed over.

    Without `order` they stand as in the table. `widths` are in pixels.
    """

    order: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in ("order", "hidden", "pinned", "widths"):
            names = getattr(self, place)
            if len(names) > MOST_NAMES:
                raise InvalidInputError.at("layout", place, msg=f"at most {MOST_NAMES:,} columns", code="length")
            if len(set(names)) != len(names):
                raise InvalidInputError.at("layout", place, msg="a column stands there twice", code="duplicate")
        if not all(_NARROWEST <= width <= _WIDEST for width in self.widths.values()):
            raise InvalidInputError.at(
                "layout", "widths", msg=f"between {_NARROWEST} and {_WIDEST} pixels", code="range"
            )


@dataclass(slots=True, kw_only=True)
class SavedView:
    """Its owner's alone; of whatever version or session of the data source it is laid over."""

    id: SavedViewId
    owner_id: UserId
    source_id: SourceId
    name: str
    filter: str | None
    sort: tuple[SortKey, ...]
    layout: Layout
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.change(name=self.name, filter=self.filter or "", sort=self.sort)

    def change(
        self,
        *,
        name: str | None = None,
        filter: str | None = None,  # noqa: A002 - the grid's word; an empty one goes
        sort: tuple[SortKey, ...] | None = None,
        layout: Layout | None = None,
    ) -> None:
        """What is None stays. Raises InvalidInputError with the place, and changes nothing then."""
        named = self.name if name is None else clean_name(name)
        if filter is not None and len(filter) > FORMULA_LENGTH:
            raise InvalidInputError.at("filter", msg=f"at most {FORMULA_LENGTH:,} characters", code="length")
        if sort is not None and len(sort) > MOST_KEYS:
            raise InvalidInputError.at("sort", msg=f"at most {MOST_KEYS} columns", code="length")
        self.name = named
        if filter is not None:
            self.filter = filter.strip() or None
        if sort is not None:
            self.sort = sort
        if layout is not None:
            self.layout = layout
