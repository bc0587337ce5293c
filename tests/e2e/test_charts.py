"""Charts of a table, drawn in a real browser on a real server."""

import re
from itertools import product

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import axe_faults
from tests.e2e.test_browser import project, upload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KINDS = [
    "Time series", "Histogram", "Box plot", "Scatter", "Line", "Bars", "Heat map", "Calendar", "Correlation",
    "Map of sites", "Hydrograph", "Flow duration", "Seasons", "Double mass", "Gaps",
]  # fmt: skip


def rivers() -> bytes:
    """Two sites, two years by the day; the second has gaps."""
    lines = ["date,site,flow,rain,lon,lat"]
    for day, site in product(range(720), (0, 1)):
        year, month, date = 2020 + day // 360, day % 360 // 30 + 1, day % 30 % 28 + 1
        rain = (day * 7 + site * 3) % 11 if day % 3 == 0 else 0
        flow = "" if site and day % 13 == 0 else f"{2 + rain * 0.7 + abs(6 - month) + site * 3:.2f}"
        lines.append(f"{year}-{month:02}-{date:02},{'Alder' if site else 'Birch'},{flow},{rain},{8 + site},{46 + site}")
    return "\n".join(lines).encode()


@pytest.fixture
def source(page: Page) -> str:
    """The address of a data source with a table to draw."""
    project(page, "Drawn")
    upload(page, "rivers.csv", rivers())
    page.get_by_role("button", name="Import as “rivers”").click()
    expect(page.get_by_role("heading", level=1, name="rivers")).to_contain_text("Ready")
    return page.url.partition("?")[0]


def kind(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check(force=True)  # the icon around it is what is clicked
    expect(drawing(page)).to_have_attribute("aria-label", re.compile(rf"^{name}\."))
    expect(drawing(page).locator(".main-svg").first).to_be_visible()


def drawing(page: Page) -> Locator:
    return page.get_by_role("region", name="Drawing").get_by_role("img", name=re.compile("has its data"))


def test_every_kind_draws_in_light_dark_and_on_a_phone(page: Page, source: str) -> None:
    page.goto(f"{source}?tab=chart")
    for name in KINDS:
        kind(page, name)
    assert axe_faults(page) == []
    page.emulate_media(color_scheme="dark")
    kind(page, "Heat map")
    assert axe_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    kind(page, "Time series")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_clicks_and_zooms_become_the_filter_of_the_table(page: Page, source: str) -> None:
    page.goto(f"{source}?tab=chart")
    kind(page, "Bars")
    bars = drawing(page).locator(".bars .point")
    expect(bars).to_have_count(2)
    bars.first.click(force=True)
    expect(page.get_by_text("from all 720 rows")).to_be_visible()
    expect(bars).to_have_count(1)
    kind(page, "Time series")
    area = drawing(page).locator(".nsewdrag").first.bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + area["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.5, middle, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Keep only these rows").click()
    expect(page).to_have_url(re.compile("filter=.*site.*date"))
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Rows").click()
    expect(page.get_by_text(re.compile(r"^1[78]\d of 1,440 rows"))).to_be_visible()


def test_a_chart_is_kept_and_opened_in_another_place(page: Page, source: str) -> None:
    page.goto(f"{source}?tab=chart")
    kind(page, "Histogram")
    page.get_by_label("Bins").fill("7")
    page.get_by_label("Column", exact=True).select_option("rain")
    page.get_by_label("Name of the chart").fill("Rain, coarsely")
    expect(page.get_by_text("The data as a table 7 marks")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Update")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Bins")).to_have_value("7")
    page.get_by_role("button", name="Open in Studio").click()
    page.get_by_role("button", name="Chart", exact=True).click()
    expect(page.get_by_role("radio", name="Time series", exact=True)).to_be_checked()
    expect(drawing(page)).to_be_visible()
    page.get_by_role("button", name="Saved charts").click()
    page.get_by_role("menuitem", name="Rain, coarsely").click()
    expect(page).to_have_url(re.compile("/sources/.*tab=chart"))
    expect(page.get_by_label("Name of the chart")).to_have_value("Rain, coarsely")
    page.get_by_text("The data as a table").click()
    expect(page.get_by_role("region", name="Data of the chart").get_by_role("row")).to_have_count(8)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Data (CSV)").click()
    lines = download.value.path().read_text().splitlines()
    assert (lines[0], sum(int(line.split(",")[2]) for line in lines[1:])) == ("from,to,rows", 1440)
    with page.expect_download() as picture:
        page.get_by_role("button", name="Download", exact=True).click()
        page.get_by_role("menuitem", name="Drawing (SVG)").click()
    assert picture.value.path().read_bytes().startswith(b"<svg")
