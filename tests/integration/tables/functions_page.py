"""`python -m tests.integration.tables.functions_page` writes the functions into docs/studio/formulas.md, behind what is
written there by hand."""

from itertools import groupby
from pathlib import Path

from hydroml.adapters.tables.functions import infos

PAGE = Path(__file__).parents[3] / "docs" / "studio" / "formulas.md"


def page() -> str:
    parts = [PAGE.read_text().partition("\n## ")[0]]
    for group, members in groupby(infos(), key=lambda one: one.group):
        parts.append(f"\n## {group}\n| function | what it gives | example | gives |\n| --- | --- | --- | --- |\n")
        for one in members:
            cells = (f"`{one.signature}`", one.help, f"`{one.example}`", one.result)
            parts.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
