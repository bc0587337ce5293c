"""Each function gives what its example says, and the documents say the same."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.functions import infos
from hydroml.application.ports.tables import View
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Derive
from hydroml.domain.studio.steps.formulas import looks_at_other_rows
from tests.integration.tables.functions_page import PAGE, page
from tests.tables import Workshop

ROWS = [
    {"site": site, "day": day, "flow": flow, "rain": flow - 1}
    for day, (site, flow) in enumerate([("a", 1), ("a", 2), ("b", 3), ("b", 6)], 1)
]


def results(formulas: Sequence[str]) -> list[str]:
    """What each gives, as it is told: of formulas that look at other rows, in each of four rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blobs = FolderBlobStore(folder / "blobs")
        engine = DuckDbTableEngine(blobs, folder / "tmp", 1 << 30, 1)
        table = Workshop(engine, blobs, folder).table(ROWS)
        steps = tuple(RecipeStep(Derive(f"f{at}", formula)) for at, formula in enumerate(formulas))
        rows = engine.page(View(table, steps), 0, 10).rows
        engine.close()
    told = []
    for at, formula in enumerate(formulas, 4):
        cells = [_told(row[at]) for row in rows]
        told.append(", ".join(cells) if looks_at_other_rows(formula) else cells[0])
    return told


def _told(value: object) -> str:
    if value is None:
        return "∅"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_each_function_gives_what_its_example_says() -> None:
    found = infos()
    assert dict(zip([one.example for one in found], results([one.example for one in found]), strict=True)) == {
        one.example: one.result for one in found
    }


def test_each_example_shows_its_function() -> None:
    assert [one.name for one in infos() if f"{one.name}(" not in one.example] == []


def test_page_of_functions_is_up_to_date() -> None:
    """`python -m tests.integration.tables.functions_page` writes it."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize(
    ("around", "levels"),
    [
        ("ln({})", 20), ("(1 / {})", 20), ("({} % 7)", 20), ("(7 // {})", 20), ("nullif({}, 3)", 20),
        ("text({})", 20), ("number(text({}))", 10), ("split_part({}, ',', 1)", 20),
    ],
)  # fmt: skip
def test_what_stands_within_a_function_is_read_and_planned_once(around: str, levels: int) -> None:
    """Done twice at each level, a formula of a line would never come to an end."""
    formula = "text(flow)" if "split" in around else "flow"
    for _ in range(levels):
        formula = around.format(formula)
    assert len(results([formula])) == 1


def test_a_case_with_a_subject_compares_it_with_each_value() -> None:
    assert results(["CASE flow + 1 WHEN 3 THEN 'three' WHEN 2 THEN 'two' ELSE 'more' END"]) == ["two"]
