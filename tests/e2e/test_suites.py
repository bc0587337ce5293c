"""A sweep from its form to the run of its best trial, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.calls import call, newest
from tests.e2e.conftest import Watched, axe_faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_sweep_leads_to_the_run_of_its_best_trial(watched: Watched, sample: str) -> None:
    page, watched.expected = watched.page, re.compile(r"/suites$")  # a space that is none is refused
    project = sample.rsplit("/", 1)[-1]
    page.goto(f"/projects/{project}/suites/new")
    expect(page.get_by_role("heading", name="An experiment comes first")).to_be_visible()
    version = newest(page, sample, "Daily")
    call(
        page,
        "POST",
        f"/projects/{project}/experiments",
        {
            "name": "Flow",
            "version_id": version,
            "target": "flow_mm",
            "features": ["precip_7d_mm", "temp_c"],
            "time_column": "date",
            "algorithm": {"name": "ridge"},
        },
    )
    page.goto(f"/projects/{project}/suites/new")
    expect(page.get_by_text("2 features")).to_be_visible()
    assert axe_faults(page) == []
    page.get_by_label("alpha from").fill("50")
    page.get_by_label("alpha to").fill("5")
    page.get_by_label("Trials, at most").fill("2")
    page.get_by_label("At the same time").fill("1")
    page.get_by_role("button", name="Start suite").click()
    expect(page.get_by_text("must be greater than low").first).to_be_visible()
    page.get_by_label("alpha from").fill("0.5")
    page.get_by_role("button", name="Start suite").click()

    expect(page.get_by_role("heading", name="Flow: sweep")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="2 of 2 trials")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("the test part has judged no choice")).to_be_visible()
    expect(page.get_by_text("best", exact=True).locator("visible=true")).to_have_count(1)
    expect(page.locator("[data-plot=main] .main-svg").first).to_be_visible()
    assert axe_faults(page) == []
    page.get_by_role("link", name="Open the best run").click()
    expect(page.get_by_role("button", name="Register model")).to_be_visible()

    page.goto(f"/projects/{project}/suites")
    expect(page.get_by_role("row").filter(has_text="Flow: sweep")).to_contain_text("Succeeded")
