"""The one way in which the web writes JSON."""

import json
from collections.abc import Mapping
from typing import Any

import orjson


def to_json(document: Any) -> bytes:
    """By orjson: quick, and what is not a number becomes null."""
    try:
        return orjson.dumps(document, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character pair, as JSON allows it and UTF-8 does not; or a number beyond 64 bits
        return json.dumps(document, default=_plain).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if isinstance(value, frozenset | set | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
