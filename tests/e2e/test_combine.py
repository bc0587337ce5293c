"""Two tables brought together, what the step does seen before it is taken, and cells corrected by hand."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Watched, axe_faults
from tests.e2e.test_browser import StepPanel, project, upload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FLOWS = b"site,day,flow\n" + b"".join(b"%s,2020-01-%02d,%d\n" % (b"ABC"[n % 3 :][:1], 1 + n // 3, n) for n in range(90))
SITES = b"Site,area\nA,12.5\nB,80\nD,7\n"


def imported(page: Page, name: str, content: bytes) -> None:
    home = page.url
    upload(page, f"{name}.csv", content)
    page.get_by_role("button", name=f"Import as “{name}”").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(page.get_by_role("button", name="Open in Studio")).to_be_enabled()
    if name != "flows":
        page.goto(home)


def test_tables_are_joined_and_cells_corrected(watched: Watched) -> None:
    page = watched.page
    watched.expected = re.compile(r"/steps/|/steps$")  # a value that does not fit its column
    project(page, "Combined")
    imported(page, "sites", SITES)
    imported(page, "flows", FLOWS)
    page.get_by_role("button", name="Open in Studio").click()
    panel = StepPanel(page)
    joined_by_keys_alone(page, panel)

    panel.open("Combine", "Join")
    panel.box.get_by_role("radio", name=re.compile("^sites")).check()
    expect(panel.box.get_by_label("Column there")).to_have_value("Site")  # the likely key
    expect(panel.box).to_contain_text("60 of 90 rows have a partner")
    expect(panel.box).to_contain_text("2 of 3 rows have a partner")
    expect(panel.box).to_contain_text("90 rows before, 90 after")
    expect(page.locator(".ghead.is-new")).to_contain_text("area")
    panel.box.get_by_label("Rows of the result").select_option("inner")
    expect(panel.box).to_contain_text("90 rows before, 60 after")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert axe_faults(page) == []
    panel.apply()
    expect(page.get_by_text("60 rows × 4 columns")).to_be_visible()

    panel.open("Filter")
    page.get_by_label("Condition", exact=True).fill("flow > 3")
    expect(panel.box).to_contain_text("− 3 rows")
    expect(cell(page, 0, "is-gone").first).to_be_visible()
    expect(cell(page, 20, "is-gone")).to_have_count(0)
    page.keyboard.press("Escape")
    panel.open("Formula")
    panel.box.get_by_role("textbox", name="Column").fill("flow")
    page.get_by_label("Formula", exact=True).fill("100 / nullif(flow, 0)")
    expect(panel.box).to_contain_text("1 cell without a result")
    panel.box.get_by_role("button", name=re.compile("row 1, flow")).click()
    expect(cell(page, 1, "is-changed").get_by_title("before: 1")).to_be_visible()
    page.keyboard.press("Escape")

    history = page.get_by_role("complementary", name="History")
    flow = page.locator(".ag-row[row-index='2'] .ag-cell.is-num").filter(has_text=re.compile("^3$"))
    flow.click()
    page.keyboard.press("F2")
    editor = page.get_by_label("flow in row 3")
    editor.fill("much")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Reason").fill("read again")
    page.keyboard.press("Enter")
    expect(page.get_by_text("“much” does not fit “flow”")).to_be_visible()
    editor.fill("33")
    page.keyboard.press("Enter")
    expect(history).to_contain_text("1 cell of flow: read again")
    expect(page.locator(".ag-row[row-index='2'] .ag-cell:focus")).to_have_text("33")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("44")  # the cell below, for the same reason
    page.keyboard.press("Enter")
    expect(history).to_contain_text("2 cells of flow: read again")
    expect(page.locator(".ag-row[row-index='3']")).to_contain_text("44")
    page.keyboard.press("Control+z")
    expect(page.locator(".ag-row[row-index='3']")).not_to_contain_text("44")

    chosen = page.locator(".ag-row[row-index='4'] .ag-cell.is-num").first
    chosen.click()
    expect(chosen).to_be_focused()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".ag-cell.is-picked")).to_have_count(2)
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Edit the chosen cells …").click()
    dialog = page.get_by_role("dialog", name="Edit the chosen cells")
    expect(dialog).to_contain_text("2 of 2 cells")
    dialog.get_by_label("New value").fill("7.5")
    dialog.get_by_label("Reason").fill("from the report")
    dialog.get_by_role("button", name="Edit").click()
    expect(dialog.get_by_role("alert")).to_contain_text("“7.5” does not fit “flow”")
    dialog.get_by_label("New value").fill("70")
    dialog.get_by_role("button", name="Edit").click()
    expect(history).to_contain_text("2 cells of flow: from the report")


def joined_by_keys_alone(page: Page, panel: StepPanel) -> None:
    """The form of a join is filled in, and given up, without the mouse."""
    keys = page.keyboard
    expect(page.get_by_text("90 rows × 3 columns")).to_be_visible()
    keys.press(".")
    expect(page.get_by_label("Find a step")).to_be_focused()
    keys.type("join")
    expect(page.get_by_role("menuitem").first).to_have_text("Join")  # before “Join texts”
    keys.press("Enter")
    expect(panel.box.get_by_role("radio", name=re.compile("^flows"))).to_be_focused()
    keys.press("Space")
    expect(panel.box.get_by_label("Column there").nth(1)).to_have_value("day")  # the table itself has all keys
    keys.press("ArrowDown")
    expect(panel.box.get_by_label("Column there")).to_have_value("Site")
    for _ in range(3):
        keys.press("Tab")
    expect(panel.box.get_by_role("button", name="Add", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(panel.box.get_by_label("Column there")).to_have_count(2)
    expect(panel.box.get_by_label("Column here").nth(1)).to_be_focused()
    keys.type("flow")
    offered = panel.box.get_by_label("Column there").nth(1).get_by_role("option")
    expect(offered).to_have_text(["choose a column", "area", "Site (text)"])  # what goes together with it first
    panel.box.get_by_role("button", name="Cancel", exact=True).focus()
    keys.press("Enter")
    expect(panel.box).to_be_hidden()
    expect(page.get_by_text("90 rows × 3 columns")).to_be_visible()

    keys.press(".")
    keys.type("lag")
    expect(page.get_by_role("menuitem").first).to_have_text("Lag and lead")  # before “Flag outliers”
    keys.press("Enter")
    panel.box.get_by_role("checkbox", name=re.compile("^flow")).press("Space")
    panel.box.get_by_label("Offsets").fill("1, 2 and 7")
    expect(page.locator(".ghead.is-new")).to_have_count(3)
    expect(page.locator(".ghead.is-new").last).to_contain_text("flow_lag_7")
    keys.press("Escape")
    expect(panel.box).to_be_hidden()


def cell(page: Page, row: int, tint: str) -> Locator:
    return page.locator(f".ag-row[row-index='{row}'] .ag-cell.{tint}")
