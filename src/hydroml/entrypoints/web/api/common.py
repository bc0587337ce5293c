"""What the routers share: lists, revisions, accepted jobs, and JSON schemas of documents."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.renderers import BaseRenderer
from pydantic import Field

from hydroml.application.ports.repositories import MAX_LIMIT, Listing, Slice
from hydroml.domain.errors import InvalidInputError, StaleRevisionError
from hydroml.domain.studio.steps import SortKey
from hydroml.entrypoints.web.rendering import to_json

S = TypeVar("S")
T = TypeVar("T")


class JsonRenderer(BaseRenderer):
    """For ninja."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return to_json(data)


def json_response(document: Any, status: int = 200) -> HttpResponse:
    """For large bodies that need no check against a schema: they were made here."""
    return HttpResponse(to_json(document), status=status, content_type="application/json")


class ListingIn(Schema):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the answer before.")
    sort: str = Field("-created_at", max_length=50, description="A field; with - before it, descending.")
    search: str = Field("", max_length=200, description="A part of the name.")

    def listing(self) -> Listing:
        return Listing(self.limit, self.cursor, self.sort, self.search)


class Page(Schema, Generic[S]):
    """A part of a list."""

    items: list[S]
    next_cursor: str | None = None
    total: int


def page(found: Slice[T], shape: Any, of: Callable[[T], Schema] | None = None) -> Any:
    """A slice as a `Page` of `shape`.

    Its items were made here and are not checked again: ninja would look their fields up one by one, and take a field
    called `schema` for pydantic's method of that name.
    """
    make = of or shape.of
    items = [make(item) for item in found.items]
    return Page[shape].model_construct(items=items, next_cursor=found.next_cursor, total=found.total)


def whole(items: list[Any], shape: Any) -> Any:
    """A list that is short enough to come at once, as a `Page` of `shape`."""
    return Page[shape].model_construct(items=items, next_cursor=None, total=len(items))


def seen_revision(request: HttpRequest) -> int | None:
    """The revision in `If-Match`; None when the asker does not care. Raises StaleRevisionError for what is no tag."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    bare = given.removeprefix("W/").strip('"')
    if not re.fullmatch(r"[0-9]{1,18}", bare):
        raise StaleRevisionError(f"{given} is not a tag that this address has given; read it again")
    return int(bare)


def tag(response: HttpResponse, revision: int) -> None:
    """Says which revision an answer shows."""
    response["ETag"] = f'"{revision}"'


def at_job(response: HttpResponse, job_id: UUID) -> None:
    """Says where the job of an accepted request is."""
    response["Location"] = f"/api/v1/jobs/{job_id}"


def sort_keys(text: str) -> tuple[SortKey, ...]:
    """`-flow,date`; or a JSON list of the same, for columns whose names hold commas."""
    return tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names(text, "sort"))


def names(text: str, place: str) -> tuple[str, ...]:
    """`a,b`, or `["a","b"]` for names that hold commas."""
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise InvalidInputError.at(
                place, msg="names with commas between them, or a JSON list of names", code="list"
            )
        return tuple(found)
    return tuple(name.strip() for name in text.split(",") if name.strip())


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema without `$defs`: what they hold stands where it is used."""
    definitions = schema.get("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, Mapping):
            reference = part.get("$ref", "")
            if reference.startswith("#/$defs/"):
                rest = {key: value for key, value in part.items() if key != "$ref"}
                return resolve({**definitions[reference.removeprefix("#/$defs/")], **rest})
            return {key: resolve(value) for key, value in part.items() if key not in ("$defs", "discriminator")}
        if isinstance(part, list):
            return [resolve(item) for item in part]
        return part

    return cast("dict[str, Any]", resolve(schema))
