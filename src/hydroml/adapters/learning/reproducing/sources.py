"""Our own functions as text: those that are named, and whatever they rest on."""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from inspect import getsource
from sys import stdlib_module_names
from types import ModuleType

_REMARK = re.compile(r"  # (noqa|type: ignore).*$", re.MULTILINE)


@dataclass(slots=True)
class Imports:
    """What is to be imported, each once."""

    modules: set[tuple[str, str]] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)

    def module(self, name: str, alias: str = "") -> None:
        self.modules.add((name, alias))

    def name(self, module: str, name: str) -> None:
        self.names.setdefault(module, set()).add(name)

    def text(self) -> str:
        """In the order that linters want: the standard library first."""
        plain = [(name, f"import {name} as {alias}" if alias else f"import {name}") for name, alias in self.modules]
        chosen = [(module, _chosen(module, names)) for module, names in self.names.items()]
        groups = []
        for standard in (True, False):
            lines = [
                line
                for some in (plain, chosen)
                for module, line in sorted(some, key=lambda one: one[0].lower())
                if (module.partition(".")[0] in stdlib_module_names) is standard
            ]
            groups += ["\n".join(lines)] if lines else []
        return "\n\n".join(groups)


def _chosen(module: str, names: Iterable[str]) -> str:
    def place(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    ordered = sorted(names, key=place)
    line = f"from {module} import {', '.join(ordered)}"
    return line if len(line) <= 120 else f"from {module} import (\n" + "".join(f"    {n},\n" for n in ordered) + ")"


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    names: frozenset[str]
    """What it mentions."""
    bound: "dict[str, tuple[str, str]]"
    """What its module imports: a name by the module and the name there, if it is not the module itself."""


class Library:
    """The definitions at the top of some modules, each given out once with all that it rests on."""

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self._blocks: dict[str, _Block] = {}
        for module in modules:
            for name, block in _blocks(getsource(module)).items():
                self._blocks.setdefault(name, block)
        self._given: set[str] = set()

    def take(self, names: Iterable[str], imports: Imports) -> list[str]:
        """The definitions not given before, in the order of their modules; KeyError for a name that has none."""
        waiting, found = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            if name in self._given or name in found:
                continue
            found.add(name)
            block = self._blocks[name]
            for one in block.names:
                if one in self._blocks:
                    waiting.append(one)
                elif one in block.bound:
                    module, original = block.bound[one]
                    if original:
                        imports.name(module, original)
                    else:
                        imports.module(module, one if one != module else "")
        self._given |= found
        return [block.text for name, block in self._blocks.items() if name in found]


def _blocks(source: str) -> dict[str, _Block]:
    body, lines = ast.parse(source).body, source.splitlines()
    bound: dict[str, tuple[str, str]] = {}
    found = {}
    for place, node in enumerate(body):
        match node:
            case ast.Import():
                bound |= {one.asname or one.name: (one.name, "") for one in node.names}
            case ast.ImportFrom(module=str(module)) if not module.startswith("hydroml"):
                bound |= {one.asname or one.name: (module, one.name) for one in node.names}
            case ast.FunctionDef() | ast.ClassDef():
                found[node.name] = _block(node, lines, node.end_lineno, bound)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                after = body[place + 1] if place + 1 < len(body) else node
                told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                found[name] = _block(node, lines, (after if told else node).end_lineno, bound)
    return found


def _block(node: ast.stmt, lines: Sequence[str], end: int | None, bound: dict[str, tuple[str, str]]) -> _Block:
    decorators = [one.lineno for one in getattr(node, "decorator_list", [])]
    text = "\n".join(lines[min([node.lineno, *decorators]) - 1 : end])
    names = frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return _Block(_REMARK.sub("", text), names, bound)
