"""The grid of the Studio: looked at, searched and laid out, by keyboard and mouse, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import axe_faults
from tests.e2e.test_browser import row_of, source

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

STATUS = ".statusbar"
CLIPBOARD = "navigator.clipboard.readText()"


def studio(page: Page, sample: str) -> None:
    source(page, sample, "Daily catchments")
    page.get_by_role("button", name="Open in Studio").click()
    expect(page.locator(STATUS)).to_contain_text("7,304 rows × 12 columns")


def cell(page: Page, row: int, column: str) -> Locator:
    """A cell by the row's place and the column's name."""
    place = page.locator(".ag-header-cell", has=head(page, column)).get_attribute("col-id")
    return page.locator(f"[row-index='{row}'] [col-id='{place}']")


def head(page: Page, column: str) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"^{column}(, sorted \w+)?\. Sort$"))


def bar(page: Page, column: str, place: int) -> Locator:
    return page.locator(".ag-header-cell", has=head(page, column)).locator(".hist .hit").nth(place)


def test_cells_are_reached_found_chosen_and_copied_by_keyboard(page: Page, sample: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio(page, sample)
    status = page.locator(STATUS)

    page.keyboard.press("g")
    page.get_by_role("dialog").get_by_label("Row").fill("5,000")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("row 5,000, date = 2018-06-09")
    page.keyboard.press("End")
    last = page.locator(".ag-cell.ag-column-last:focus")
    expect(last).to_be_in_viewport(ratio=1)
    for scrollbar in ("vertical", "horizontal"):  # they may lie over cells
        expect(page.locator(f".ag-body-{scrollbar}-scroll-viewport")).to_have_css(
            "background-color", "rgba(0, 0, 0, 0)"
        )
    page.keyboard.press("Home")

    page.keyboard.press("Control+f")  # the table has the focus
    find = page.get_by_role("search", name="Find in the table")
    page.keyboard.type("ALDER")
    page.keyboard.press("Enter")
    expect(find.get_by_role("status")).to_contain_text("Position 1, station")
    expect(find.get_by_role("status")).to_contain_text("from the top")
    expect(page.locator(".is-found")).to_have_text("Alder Brook")
    page.keyboard.press("Shift+Enter")
    expect(find.get_by_role("status")).to_contain_text("Position 3,652, station, 3,652 rows with it; from the end")
    find.get_by_label("Where to look").select_option("date")
    find.get_by_label("Find text").fill("2014-10-0")
    page.keyboard.press("Enter")
    expect(find.get_by_role("status")).to_contain_text("date")
    find.get_by_label("Find text").fill("nowhere")
    page.keyboard.press("Enter")
    expect(find.get_by_role("status")).to_have_text("Nothing found.")
    page.keyboard.press("Escape")
    expect(find).to_be_hidden()

    page.keyboard.press("Control+ArrowUp")
    cell(page, 0, "station").click()
    for key in ("Shift+ArrowDown", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(status).to_contain_text("2 rows × 2 columns chosen")
    page.keyboard.press("Control+c")
    expect(page.get_by_text("4 cells copied.")).to_be_visible()
    assert page.evaluate(CLIPBOARD) == "Alder Brook\t0\nAlder Brook\t0"
    page.keyboard.press("Control+Shift+ArrowDown")  # rows that are not here are fetched
    expect(status).to_contain_text("7,304 rows × 2 columns chosen")
    page.keyboard.press("Control+Shift+c")
    expect(page.get_by_text("14,608 cells copied with column names.")).to_be_visible()
    lines = page.evaluate(CLIPBOARD).split("\n")
    assert (len(lines), lines[0], lines[1]) == (7305, "station\tprecip_mm", "Alder Brook\t0")
    page.keyboard.press("Escape")
    expect(status).to_contain_text("row 1, station = Alder Brook")

    page.keyboard.press("Space")
    peek = page.get_by_role("dialog", name="Row 1, station")
    expect(peek).to_contain_text("text, 11 characters")
    page.keyboard.press("Escape")
    expect(peek).to_be_hidden()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Only rows with this value").click()
    expect(status).to_contain_text("3,652 of 7,304 rows")


def test_bars_filter_and_columns_are_laid_out(page: Page, sample: str) -> None:
    studio(page, sample)
    status, condition = page.locator(STATUS), page.get_by_label("Filter rows by a condition")
    bar(page, "station", 0).click()
    expect(condition).to_have_value("station = 'Alder Brook'")
    expect(status).to_contain_text("3,652 of 7,304 rows")
    bar(page, "temp_c", 12).click()
    expect(condition).to_have_value(re.compile(r"^station = 'Alder Brook' AND \(temp_c >= 6.8 AND temp_c < 8.49\d+\)$"))
    bar(page, "temp_c", 0).click()  # another bar takes its place
    expect(condition).to_have_value(re.compile(r"^station = 'Alder Brook' AND \(temp_c >= -13.5 AND temp_c < \S+\)$"))
    expect(page.locator(".ag-header-cell", has=head(page, "temp_c")).locator("rect.on")).to_have_count(1)
    expect(page.locator(".ag-header-cell", has=head(page, "pet_mm")).locator("rect.all").first).to_be_attached()
    bar(page, "temp_c", 0).click()  # once more, and it goes
    expect(condition).to_have_value("station = 'Alder Brook'")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(status).to_contain_text("7,304 rows × 12 columns")

    cell(page, 0, "temp_c").click()
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("menuitem", name="Pin left").press("Enter")
    expect(page.locator(".ag-pinned-left-header, .ag-header-row").first).to_be_attached()
    page.get_by_role("button", name="Menu of snow_mm").click()
    page.get_by_role("menuitem", name="Hide").click()
    expect(head(page, "snow_mm")).to_have_count(0)
    page.get_by_role("button", name="Columns: 1 hidden").click()
    chooser = page.get_by_role("dialog", name="Columns")
    expect(chooser).to_contain_text("11 of 12 shown")
    chooser.get_by_role("checkbox", name="station").focus()
    page.keyboard.press("Alt+ArrowUp")
    chooser.get_by_label("Find a column").fill("snow")
    chooser.get_by_role("checkbox", name="snow_mm").check()
    assert axe_faults(page) == []
    chooser.get_by_role("button", name="Done").click()
    heads = page.locator(".ag-header-cell .name")
    expect(heads.nth(0)).to_have_text("temp_c")
    expect(heads.nth(1)).to_have_text("station")
    page.reload()  # as it was left, as long as the tab is open
    expect(heads.nth(0)).to_have_text("temp_c")
    expect(heads.nth(1)).to_have_text("station")
    expect(row_of(page, 0)).to_contain_text("Alder Brook")

    condition.fill("temp_c > 20")
    condition.press("Enter")
    head(page, "temp_c").click()
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("menuitem", name="Save this view").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Warm days")
    page.keyboard.press("Enter")
    views = page.get_by_role("button", name="Views: Warm days")
    views.click()
    page.get_by_role("menuitem", name="The whole table").click()
    expect(status).to_contain_text("7,304 rows × 12 columns")
    expect(heads.nth(0)).to_have_text("date")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("menuitem", name="Warm days").click()
    expect(heads.nth(0)).to_have_text("temp_c")
    expect(condition).to_have_value("temp_c > 20")
    expect(page).to_have_url(re.compile("view="))
    page.evaluate("sessionStorage.clear()")  # another tab, another day
    page.goto(re.sub(r"(\?).*(view=[^&]+).*", r"\1\2", page.url))
    expect(views).to_be_visible()
    expect(heads.nth(0)).to_have_text("temp_c")
    expect(condition).to_have_value("temp_c > 20")

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.keyboard.press("f")
        assert axe_faults(page) == [], scheme
        page.keyboard.press("Escape")
