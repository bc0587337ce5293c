"""Cursors of lists: opaque to whoever asks, and good only for the order they were made in."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.domain.errors import InvalidInputError

Key = datetime | str


@dataclass(frozen=True, slots=True)
class Position:
    """The place of one item in a list: what it is sorted by, and its id for items that are equal in that."""

    key: Key
    id: UUID


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool
    after: Position | None
    """The last item of the slice before."""


def read_order(listing: Listing, fields: tuple[str, ...]) -> Order:
    """The order a listing asks for. Raises InvalidInputError for another field than `fields`, a limit out of range
    or a cursor that is broken or stems from another order."""
    if not 1 <= listing.limit <= MAX_LIMIT:
        raise InvalidInputError.at("limit", msg=f"a number from 1 to {MAX_LIMIT}", code="range")
    field = listing.sort.removeprefix("-")
    if field not in fields:
        raise InvalidInputError.at("sort", msg=f"this list is sorted by {' or '.join(fields)}", code="sort")
    after = None if listing.cursor is None else _read_cursor(listing.cursor, listing.sort)
    return Order(field, listing.sort.startswith("-"), after)


def write_cursor(sort: str, position: Position) -> str:
    key = position.key.astimezone(UTC).isoformat() if isinstance(position.key, datetime) else position.key
    text = json.dumps([sort, key, position.id.hex], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str, sort: str) -> Position:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        document: Any = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        made_for, key, id_ = document
        if made_for != sort or not isinstance(key, str):
            raise ValueError("made for another order")
        if sort.endswith("_at"):
            at = datetime.fromisoformat(key)
            return Position(at if at.tzinfo else at.replace(tzinfo=UTC), UUID(id_))
        if "\x00" in key:
            raise ValueError("not a name")
        return Position(key, UUID(id_))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise InvalidInputError.at("cursor", msg="not a cursor of this list in this order", code="cursor") from None
