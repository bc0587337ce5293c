"""Numbers, times and lists as they stand in a document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

NONE = "–"
_LONGEST = 200


def figure(value: float | None) -> str:
    """A metric, as the pages show it: three decimals below ten, fewer above, three digits below 0.001."""
    if value is None or not isfinite(value):
        return NONE
    size = abs(value)
    if size < 1e-9:  # what rounding left
        value = size = 0.0
    if 0 < size < 1e-3:
        return number(value, 3)
    return _minus(f"{value:,.{3 if size < 10 else 2 if size < 1000 else 0}f}")


def number(value: float | None, digits: int = 4) -> str:
    if value is None or not isfinite(value):
        return NONE
    if value == int(value) and abs(value) < 1e15:
        return _minus(f"{int(value):,}")
    if value != 0 and (abs(value) < 1e-4 or abs(value) >= 1e15):
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return _minus(f"{mantissa} · 10{str(int(exponent)).translate(_RAISED)}")
    return _minus(f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}")


def share(value: float) -> str:
    return f"{100 * value:.4g} %"


def setting(value: Any) -> str:
    """A value of a setting: in full, so that it can be set again."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return _minus(f"{value:.12g}")
        case _:
            return cut(str(value))


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def listed(words: Sequence[str], most: int = 12) -> str:
    """“a”, “b” and “c”; beyond `most` their number."""
    shown = [f"“{cut(word)}”" for word in words[:most]]
    if len(words) > most:
        shown.append(f"{len(words) - most:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def cut(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def moment(value: Any) -> str:
    """A time as stored, without a clock that says midnight; a number where times are numbers."""
    if isinstance(value, int | float):
        return _minus(f"{value:.15g}")
    text = str(value).replace("T", " ").removesuffix("+00:00")
    return text.removesuffix(" 00:00:00").removesuffix(".000000")


def day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
