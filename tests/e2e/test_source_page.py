"""What a data source's page tells of it, in a real browser on a real server."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import axe_faults
from tests.e2e.test_browser import project, upload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

HEAD = "site,date,flow,stage"
DAYS = [f"Alder,2020-01-{day:02d},{day * 1.5:.1f},{day / 4:.2f}" for day in range(1, 29)]


def test_a_table_is_judged_ruled_compared_and_exported(page: Page) -> None:
    project(page, "Judged")
    first = [line if at != 5 else "Alder,2020-01-06,,1.50" for at, line in enumerate(DAYS)]
    upload(page, "levels.csv", "\n".join([HEAD, *first]).encode())
    page.get_by_role("button", name="Import as “levels”").click()
    expect(page.get_by_role("heading", level=1, name="levels")).to_contain_text("Ready")
    address = page.url.partition("?")[0]

    tab(page, "Quality")
    expect(page.get_by_text("Constant column: “site”")).to_be_visible()
    gaps = page.get_by_role("listitem").filter(has_text="Missing values: “flow”")
    gaps.get_by_role("button", name="Show the rows").click()
    expect(page.get_by_text("1 of 28 rows")).to_be_visible()

    tab(page, "Missing values")
    expect(page.get_by_role("region", name="Patterns of missing values")).to_contain_text("27")

    tab(page, "Rules")
    page.get_by_role("button", name="Add a rule").first.click()
    dialog = page.get_by_role("dialog", name="A new rule")
    dialog.get_by_label("What must hold").select_option("range")
    dialog.get_by_role("textbox", name="Name").fill("Flow is moderate")
    dialog.get_by_role("checkbox", name="flow").check()
    dialog.get_by_label("Maximum").fill("40")
    dialog.get_by_role("button", name="Add the rule").click()
    rule = page.get_by_role("list", name="Rules").get_by_role("listitem").filter(has_text="Flow is moderate")
    expect(rule).to_contain_text("2 rows fail")  # 40.5 and 42
    expect(page.get_by_role("button", name=re.compile("Notifications, .* unread"))).to_be_visible()

    tab(page, "Versions")
    page.get_by_role("link", name="Upload a new version").click()
    second = [*DAYS[:-1], "Alder,2020-01-28,99.0,7.00", "Alder,2020-01-29,3.0,1.00", "too,short"]
    upload(page, "levels.csv", "\n".join([HEAD, *second]).encode())
    expect(page.get_by_text("1 line would be rejected")).to_be_visible()
    page.get_by_role("button", name="Import as version 2 of “levels”").click()
    expect(page.get_by_role("button", name="Version 2 of 2")).to_be_visible()
    page.get_by_role("button", name="1 row could not be read").first.click()
    expect(page.get_by_role("region", name="Rejected rows")).to_contain_text("it has 2 cells, not 4")
    page.get_by_role("button", name="Close", exact=True).click()
    tab(page, "Versions")
    page.get_by_label("Compare with").locator("visible=true").select_option(label="Version 1")
    page.get_by_role("button", name="Compare", exact=True).click()
    cells = page.get_by_role("region", name="Changed cells")
    expect(cells.get_by_role("row").filter(has_text="2020-01-28")).to_contain_text(re.compile(r"flow\s*42\s*99"))
    expect(page.get_by_role("region", name="Added rows")).to_contain_text("2020-01-29")

    tab(page, "Export")
    page.get_by_label("Rows where").fill("flow > 40")
    page.get_by_role("button", name="Make the file").click()
    made = page.get_by_role("list", name="Exported files").get_by_role("listitem")
    expect(made).to_contain_text("2 rows")
    with page.expect_download() as download:
        made.get_by_role("link", name="Download").click()
    assert download.value.path().read_text().splitlines()[-1] == "Alder,2020-01-28,99.0,7.0"

    tab(page, "Lineage")
    expect(page.get_by_role("link", name=re.compile("levels.csv "))).to_be_visible()
    tab(page, "Activity")
    expect(page.get_by_role("list", name="Activity")).to_contain_text("levels")

    page.goto(f"{address}?tab=versions")
    page.get_by_role("button", name="Roll back to version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("button", name="Version 3 of 3")).to_be_visible()
    expect(page.get_by_role("region", name="Versions", exact=True)).to_contain_text("version 1 once more")


TABS = ["profile", "quality", "missing", "rules", "versions", "lineage", "activity", "export"]


@pytest.mark.parametrize("name", TABS)
def test_every_tab_is_accessible_and_fits_a_phone(page: Page, sample: str, name: str) -> None:
    page.goto(sample)
    page.get_by_role("link", name="Water samples", exact=True).click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    address = page.url.partition("?")[0]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}?tab={name}")
    expect(page.get_by_role("heading", level=2).locator("visible=true").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_faults(page) == []


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Views").get_by_role("link", name=re.compile(f"^{name}")).click()
