"""Column names from files: kept as they are where a table can have them, and noted where not."""

from collections.abc import Sequence

MAX_COLUMNS = 10_000
"""Wider text tables were measured to need several times the memory limit to be written."""
MAX_NAME = 1_000
_RESERVED = frozenset({"file_row_number", "filename", "file_index", "rowid"})
_RESERVED_PREFIX = "__hydroml_"


def is_reserved(name: str) -> bool:
    """Names the engine needs for itself."""
    folded = name.casefold()
    return folded in _RESERVED or folded.startswith(_RESERVED_PREFIX)


def usable_names(raw: Sequence[str], *, header: bool = True) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names in force and notes about every change; names differ in more than the case of their letters."""
    taken: set[str] = set()
    wanted = {name.strip().casefold() for name in raw if name.strip()}
    names: list[str] = []
    notes: list[str] = []
    for position, name in enumerate(raw, start=1):
        base = name.strip()[:MAX_NAME]
        chosen = base or f"column_{position}"
        count = 1
        while chosen.casefold() in taken or is_reserved(chosen) or (chosen != base and chosen.casefold() in wanted):
            count += 1
            chosen = f"{base or f'column_{position}'}_{count}"
        taken.add(chosen.casefold())
        names.append(chosen)
        if chosen != name and header:
            notes.append(_change(position, base, chosen))
    return tuple(names), tuple(notes)


def _change(position: int, base: str, chosen: str) -> str:
    shown = f"“{chosen[:100]}”"
    if not base:
        return f"column {position} has no name; it is called {shown}"
    if chosen == base:
        return f"the name of column {position}, {shown}, lost the spaces around it"
    return f"column {position}, “{base[:100]}”, is called {shown}, so that every name differs"
