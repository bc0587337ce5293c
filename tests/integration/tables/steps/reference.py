"""`python -m tests.integration.tables.steps.reference` writes docs/steps.md.

It tells of every kind of step with its parameters, and what its example gives.
"""

import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.application.documents import step_schema, write_step
from hydroml.application.ports.tables import View
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import with_inputs
from hydroml.domain.studio.steps import STEPS, RowEffect, Step
from tests.integration.tables.steps.examples import EXAMPLES, OTHER, TABLE
from tests.tables import Workshop

PAGE = Path(__file__).parents[4] / "docs" / "steps.md"
GROUPS = {
    "rows": "Rows", "columns": "Columns", "missing": "Missing values", "outliers": "Outliers",
    "scale": "Scale and encode", "reshape": "Reshape", "combine": "Combine", "time": "Time",
}  # fmt: skip
HEAD = """# Steps

Every kind of step there is, as it stands in a recipe. A step with no parameters but those it needs is enough: the
others have the defaults that are shown. What a step learns from a table is kept with it, so that new rows are treated
alike. The examples start from this table:

"""
SHOWN = 4


def page(workshop: Workshop) -> str:
    _, table = workshop.imported(TABLE)
    parts = [HEAD, _table(workshop.rows(table))]
    for group, title in GROUPS.items():
        kinds = [kind for kind in STEPS if kind.info.group == group]
        if kinds:
            parts.append(f"\n## {title}\n")
            parts += [_kind(workshop, table, kind) for kind in kinds]
    return "".join(parts)


def _kind(workshop: Workshop, table: Table, kind: type[Step]) -> str:
    example = next(step for step in EXAMPLES if type(step) is kind)
    words = inspect.cleandoc(kind.__doc__ or "")
    local = " It works on one row alone, so it runs in predictions too." if example.effect is RowEffect.LOCAL else ""
    lines = [f"\n### {kind.info.title}\n", f"`{example.op}`. {' '.join(words.split())}{local}\n"]
    lines += ["\n| parameter | values | default |\n| --- | --- | --- |\n", *_parameters(kind)]
    document = {key: value for key, value in write_step(example).items() if value not in (None, [], "")}
    before = set(workshop.rows(table)[0])
    rows = workshop.view(View(table, with_inputs(workshop.learnt(table, example), {OTHER: table})))
    changed = [name for name in rows[0] if name not in before or name in _named(document)] or list(rows[0])
    lines.append(f"\n```json\n{json.dumps(document, ensure_ascii=False)}\n```\n\n")
    lines.append(_table([{name: row[name] for name in changed[:6]} for row in rows[:SHOWN]]))
    return "".join(lines)


def _named(document: Any) -> set[str]:
    """All texts in a document: among them the columns it names."""
    if isinstance(document, dict):
        return {name for value in document.values() for name in _named(value)}
    if isinstance(document, list):
        return {name for value in document for name in _named(value)}
    return {str(document)}


def _parameters(kind: type[Step]) -> list[str]:
    schema = step_schema(kind)
    definitions = schema.get("$defs", {})
    rows = []
    for name, described in schema["properties"].items():
        if name == "op":
            continue
        default = json.dumps(described["default"], ensure_ascii=False) if "default" in described else "needed"
        rows.append(f"| `{name}` | {_values(described, definitions)} | {default} |\n")
    return rows


def _values(described: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "x-role" in described and described["x-role"] not in ("text", "value"):
        return str(described["x-role"]).replace("_", " ")
    if "$ref" in described:
        return _values(definitions[described["$ref"].rpartition("/")[2]], definitions)
    if "enum" in described:
        return ", ".join(map(str, described["enum"]))
    if "anyOf" in described:
        kinds = dict.fromkeys(_values(one, definitions) for one in described["anyOf"])
        return " or ".join(kind for kind in kinds if kind != "null")
    if described.get("type") == "array":
        return f"list of {_values(described.get('items', {}), definitions)}"
    if "properties" in described:
        return "{" + ", ".join(described["properties"]) + "}"
    return str(described.get("const", described.get("type", "")))


def _table(rows: list[dict[str, Any]]) -> str:
    def cell(value: Any) -> str:
        return (
            "∅" if value is None else str(value).lower() if isinstance(value, bool) else str(value).replace("|", "\\|")
        )

    lines = [list(rows[0]), ["---"] * len(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        blobs = FolderBlobStore(Path(folder) / "blobs")
        PAGE.write_text(page(Workshop(DuckDbTableEngine(blobs, Path(folder) / "tmp", 1 << 30, 1), blobs, Path(folder))))


if __name__ == "__main__":
    main()
