"""Values and unfitted estimators as Python expressions, laid out as ruff would.

Whatever people named stands in them as a literal: no text becomes code.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from hydroml.adapters.learning.reproducing.sources import Imports

WIDTH = 120
_INDENT = "    "
_POSITIONAL = ("steps", "transformers", "estimators", "estimator", "regressor", "func", "n_splits")
_BOOSTERS = ("lightgbm", "xgboost", "catboost")


@dataclass(frozen=True, slots=True)
class Code:
    """An expression as it stands, of one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Columns(Code):
    """The name of a list; it is gone through as if it held one expression, `column`."""

    text: str = "columns"

    def __iter__(self) -> Any:
        return iter([Code("column")])


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Sequence[tuple[str, Any]]
    """Each with its keyword, or none."""


@dataclass(slots=True)
class Writer:
    """Writes expressions and remembers what they need imported."""

    imports: Imports = field(default_factory=Imports)

    def assignment(self, name: str, value: Any) -> str:
        return self.lead(f"{name} = ", value)

    def lead(self, lead: str, value: Any, indent: int = 0, *, tail: int = 0) -> str:
        """`lead`, which stands `indent` levels deep, and the expression behind it."""
        return _INDENT * indent + lead + self._laid(self._node(value), indent, len(lead), tail)

    def _laid(self, node: Any, indent: int, lead: int, tail: int) -> str:
        flat = _flat(node)
        if len(_INDENT) * indent + lead + len(flat) + tail <= WIDTH or isinstance(node, Code):
            return flat
        begin, items, end = _parts(node)
        inner = _INDENT * (indent + 1)
        together = ", ".join(key + _flat(item) for key, item in items)
        if isinstance(node, Call) and len(inner) + len(together) <= WIDTH:
            return f"{begin}\n{inner}{together}\n{_INDENT * indent}{end}"
        lines = [f"{inner}{key}{self._laid(item, indent + 1, len(key), 1)},\n" for key, item in items]
        return f"{begin}\n{''.join(lines)}{_INDENT * indent}{end}"

    def _node(self, value: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
        """The value with calls in the place of estimators."""
        match value:
            case Code():
                return value
            case Call():
                return Call(value.name, [(key, self._node(one)) for key, one in value.arguments])
            case Mapping():
                return {key: self._node(one) for key, one in value.items()}
            case list():
                return [self._node(one) for one in value]
            case tuple():
                return tuple(self._node(one) for one in value)
            case np.ndarray():
                self.imports.module("numpy", "np")
                return Call("np.array", [("", value.tolist())])
            case np.generic():
                return Code(literal(value.item()))
            case None | bool() | int() | float() | str():
                return Code(literal(value))
        module = type(value).__module__
        if module == "numpy" or getattr(value, "__module__", None) == "numpy":  # a function or ufunc
            self.imports.module("numpy", "np")
            return Code(f"np.{value.__name__}")
        if module.partition(".")[0] in ("sklearn", *_BOOSTERS):
            return self._made(value)
        raise TypeError(f"{type(value)} cannot be written as code")

    def _made(self, value: Any) -> Call:
        """The call that makes an estimator, or a splitter, with what differs from the defaults."""
        kind = type(value)
        self.imports.name(_public(kind.__module__), kind.__name__)
        settings, defaults = _settings(value)
        said = {k: v for k, v in settings.items() if k not in defaults or not _same(v, defaults[k])}
        arguments = [("" if name in _POSITIONAL else name, self._node(one)) for name, one in said.items()]
        return Call(kind.__name__, sorted(arguments, key=lambda one: one[0] != ""))


def literal(value: Any) -> str:
    """Of a text, number, truth value or None, on one line."""
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    return repr(value)


def _settings(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What it was made with, and what would be taken without being said."""
    kind = type(value)
    if kind.__module__.partition(".")[0] in _BOOSTERS:
        return value.get_params(deep=False), kind().get_params(deep=False)
    signature = inspect.signature(kind.__init__).parameters.values()
    named = [one for one in signature if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    names = [one.name for one in named if one.name != "self"]
    return {n: getattr(value, n) for n in names}, {o.name: o.default for o in named if o.default is not o.empty}


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and not isinstance(one, np.ndarray) and bool(one == other))


def _public(module: str) -> str:
    """Where people import from what is defined in a module."""
    parts = module.split(".")
    if parts[0] in _BOOSTERS:
        return parts[0]
    hidden = next((place for place, part in enumerate(parts) if part.startswith("_")), len(parts))
    return ".".join(parts[:hidden])


def _parts(node: Any) -> tuple[str, list[tuple[str, Any]], str]:
    """The opening, the items with what stands before each, and the closing."""
    match node:
        case Call():
            return f"{node.name}(", [(f"{key}=" if key else "", one) for key, one in node.arguments], ")"
        case Mapping():
            return "{", [(f"{_flat(key)}: ", one) for key, one in node.items()], "}"
        case tuple():
            return "(", [("", one) for one in node], ")"
        case _:
            return "[", [("", one) for one in node], "]"


def _flat(node: Any) -> str:
    if isinstance(node, Code):
        return node.text
    if isinstance(node, Mapping | list | tuple | Call):
        begin, items, end = _parts(node)
        comma = "," if isinstance(node, tuple) and len(node) == 1 else ""
        return f"{begin}{', '.join(key + _flat(one) for key, one in items)}{comma}{end}"
    return literal(node)


def joined(blocks: Iterable[str]) -> str:
    """Statements and definitions with the blank lines that belong between them."""
    text = ""
    before = False
    for block in (one.strip("\n") for one in blocks if one.strip()):
        defines = block.startswith(("def ", "class ", "@"))
        if text:
            text += "\n\n\n" if defines or before else "\n"
        text, before = text + block, defines
    return text
