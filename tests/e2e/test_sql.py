"""SQL over the tables of a project, in a real browser on a real server."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Watched, axe_faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PEAKS = 'SELECT station, max(flow_mm) AS peak FROM "Daily catchments" GROUP BY station ORDER BY peak'


def test_a_query_is_written_run_kept_saved_and_made_a_step(watched: Watched, sample: str) -> None:
    page = watched.page
    watched.expected = re.compile(r"/(query|cancel)$")  # the fault, and what is cancelled, perhaps before it is known
    page.goto(sample)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="SQL").click()
    result, side = page.get_by_role("region", name="Result"), page.get_by_role("complementary", name="Tables")
    expect(result.get_by_text("Nothing was run yet.")).to_be_visible()
    expect(editor(page)).to_be_visible()
    assert axe_faults(page) == []

    write(page, "SELECT stat")
    page.get_by_role("listbox").get_by_role("option", name="station").click()
    expect(editor(page)).to_have_text("SELECT station")
    write(page, PEAKS.replace("flow_mm", "flw_mm"))
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    alert = page.get_by_role("region", name="Query").get_by_role("alert")
    expect(alert).to_contain_text('there is no column "flw_mm" here; did you mean flow_mm?')
    expect(page.locator(".cm-lintRange-error")).to_have_text("flw_mm")

    write(page, PEAKS)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Query").get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(result.get_by_text(re.compile("^2 rows × 2 columns"))).to_be_visible()
    expect(result.locator("[role=row][row-index='1']").last).to_contain_text("Stone Creek")
    assert axe_faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe_faults(page) == []
    page.emulate_media(color_scheme="light")
    with page.expect_download() as download:
        result.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text().splitlines()[0] == "station,peak"

    write(page, 'SELECT count(*) AS n FROM "Daily catchments" a, "Daily catchments" b, "Daily catchments" c WHERE '
          "a.flow_mm * b.flow_mm > c.flow_mm")  # fmt: skip
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cancel").first.click()
    expect(result.get_by_text("Cancelled: nothing came back.")).to_be_visible()

    page.reload()
    expect(editor(page)).to_contain_text("count(*) AS n")  # what was typed last
    side.get_by_role("button", name="History").click()
    expect(side.get_by_role("listitem")).to_have_count(3)
    side.get_by_role("listitem").nth(1).click()
    expect(editor(page)).to_contain_text("max(flow_mm)")
    page.keyboard.press("Control+Enter")
    expect(result.get_by_text(re.compile("^2 rows × 2 columns"))).to_be_visible()
    result.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Save what the query gives")
    dialog.get_by_label("Name").fill("Peaks")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Peaks is ready.")).to_be_visible()
    side.get_by_role("button", name="Tables", exact=True).click()
    expect(side.get_by_text("2 × 2", exact=True)).to_be_visible()

    result.get_by_role("button", name="As a step").click()
    expect(page).to_have_url(re.compile("/studio/"))
    expect(page.get_by_label("Query", exact=True)).to_have_value(PEAKS)
    expect(page.get_by_text("2 rows × 2 columns")).to_be_visible()  # its preview
    page.get_by_role("complementary", name="SQL query").get_by_role("button", name="Apply").click()
    expect(page.get_by_label("History", exact=True).get_by_text("SQL query")).to_be_visible()
    page.get_by_role("toolbar", name="Steps").get_by_role("link", name="SQL").click()
    write(page, "SELECT station FROM this")
    page.keyboard.press("Control+Enter")
    expect(result.get_by_text(re.compile("^2 rows × 1 column,"))).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Query")


def write(page: Page, text: str) -> None:
    """Types as a person does, but for the brackets and quotes that the editor closes."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text[:-1])
    page.keyboard.type(text[-1])


def test_a_condition_is_written_checked_and_chosen(watched: Watched, sample: str) -> None:
    page = watched.page
    watched.expected = re.compile(r"/preview")
    page.goto(sample)
    page.get_by_role("link", name="Water samples").first.click()
    page.get_by_role("button", name="Open in Studio").click()
    expect(page.get_by_text("1,200 rows × 8 columns")).to_be_visible()
    table = page.get_by_role("region", name="Table", exact=True)
    condition = table.get_by_label("Filter rows by a condition")
    condition.fill("nitrate_mg_l > 3 AND temp_x < 2 OR sample IS NULL")
    expect(table.get_by_text("there is no column “temp_x”; did you mean “temp_c”?")).to_be_visible()
    expect(table.locator("mark")).to_have_text("temp_x")
    condition.fill("nitrate_mg_l > 3 AND (land_use = 'forest' OR temp_c BETWEEN 1 AND 2)")
    table.get_by_role("button", name="Build").click()
    expect(table.get_by_role("group", name="Condition on temp_c").get_by_label("From")).to_have_value("1")
    assert axe_faults(page) == []
    table.get_by_role("group", name="Condition on nitrate_mg_l").get_by_label("Value").fill("0.5")
    table.get_by_role("button", name="Remove the condition on temp_c").click()
    table.get_by_role("group", name="Condition on land_use").get_by_label("Comparison").select_option("one_of")
    table.get_by_label("One more value").fill("urban")
    page.keyboard.press("Enter")
    expect(condition).to_have_value("nitrate_mg_l > 0.5 AND (land_use IN ('forest', 'urban'))")
    table.get_by_role("button", name="Apply the filter").click()
    expect(page.get_by_text(re.compile(r"^\d{3} (of 1,200 )?rows × 8 columns"))).to_be_visible()
    condition.fill("abs(nitrate_mg_l) > 5")
    expect(table.get_by_text("The text says more than can be chosen here")).to_be_visible()

    page.get_by_role("toolbar", name="Steps").get_by_role("button", name="Formula", exact=True).click()
    panel = page.get_by_role("complementary", name="Derive column")
    panel.get_by_label("Formula", exact=True).fill("ln(nitrate_mg_l + 1)")
    expect(panel.get_by_text("gives a value of type number")).to_be_visible()
    panel.get_by_text("Functions", exact=True).click()
    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="All of them with examples").click()
    reference = opened.value
    reference.get_by_label("Find a function").fill("water")
    expect(reference.get_by_role("row").filter(has_text="water_year(date('2024-11-05'))")).to_contain_text("2025")
    expect(reference.get_by_role("row")).to_have_count(2)
    assert axe_faults(reference) == []
    reference.emulate_media(color_scheme="dark")
    assert axe_faults(reference) == []
