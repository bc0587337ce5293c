"""Where the built front end is: Vite's manifest, read once per process (at each call while debugging)."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

MANIFEST = Path(__file__).resolve().parent.parent / "static" / "dist" / "manifest.json"


class BuildMissingError(Exception):
    """The front end was not built, so there is nothing to serve."""


def load_manifest() -> dict[str, Any]:
    """The manifest of the last build; raises when there was none."""
    return _read(MANIFEST.stat().st_mtime_ns if settings.DEBUG and MANIFEST.exists() else 0)


@lru_cache(maxsize=2)
def _read(stamp: int) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BuildMissingError("the front end is not built: static/dist/manifest.json is missing") from error
    return manifest


def address(file: str) -> str:
    """The address of a built file.

    Vite already put a hash into the name. Going through a hashing static storage would rename the entry but not the
    imports inside it, and the browser would then run the same module twice.
    """
    return f"{settings.STATIC_URL}dist/{file}"


def files_of(entry: str) -> tuple[str, list[str], list[str]]:
    """The script, the style sheets and the modules to preload of one entry."""
    manifest = load_manifest()
    chunk = manifest[entry]
    styles: list[str] = list(chunk.get("css", []))
    preloads: list[str] = []
    waiting = list(chunk.get("imports", []))
    while waiting:
        imported = manifest[waiting.pop()]
        if imported["file"] not in preloads:
            preloads.append(imported["file"])
            styles += [style for style in imported.get("css", []) if style not in styles]
            waiting += imported.get("imports", [])
    return chunk["file"], styles, preloads
