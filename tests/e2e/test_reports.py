"""A run's report and a model's card, downloaded and read, in a real browser on a real server."""

import re

import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.calls import call
from tests.e2e.conftest import axe_faults
from tests.e2e.test_compare import trained

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_report_and_a_card_are_handed_on(page: Page, sample: str) -> None:
    page.goto(sample)
    address = trained(page, sample, "Report <b>me</b>", 1.0)
    run = call(page, "GET", address)
    shown = f"{run['metrics']['test']['nse']:.3f}".replace("-", "−")

    page.get_by_role("button", name="Report", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("^PDF")).click()
    pages = pypdf.PdfReader(download.value.path()).pages
    told = " ".join("\n".join(one.extract_text() for one in pages).split())
    assert "Report <b>me</b>" in told
    assert f"Its NSE is {shown} " in told
    page.get_by_role("button", name="Report", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("^HTML")).click()
    html = download.value.path().read_text()
    asked: list[str] = []
    other = page.context.new_page()
    other.on("request", lambda request: asked.append(request.url))
    other.set_content(html)
    expect(other.get_by_role("heading", level=1)).to_have_text("Report <b>me</b>")
    expect(other.get_by_role("img", name=re.compile("Observed and predicted"))).to_be_visible()
    assert axe_faults(other) == []
    assert asked == []
    other.close()

    model = call(page, "POST", f"{address}/register", {"model": "Floods"})["id"]
    page.goto(f"/models/{model}")
    page.get_by_role("link", name="Card", exact=True).click()
    card = page.get_by_role("region", name="Model card")
    expect(card).to_contain_text(f"Its NSE is {shown} ")
    expect(card.get_by_role("row", name=re.compile(r"^NSE "))).to_contain_text(shown)
    expect(card.get_by_role("heading", name="Limits")).to_be_visible()
    assert axe_faults(page) == []
    card.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("^Markdown")).click()
    assert download.value.path().read_text().startswith("# Floods, version 1")
