"""Runs from their table to a comparison, a preset, a fork and the gallery, in a real browser on a real server."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.calls import call, newest
from tests.e2e.conftest import axe_faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TRAINED = 60_000


def trained(page: Page, sample: str, name: str, alpha: float) -> str:
    """The address of a run that has succeeded."""
    specification = {
        "name": name,
        "version_id": newest(page, sample, "Daily"),
        "target": "flow_mm",
        "time_column": "date",
        "algorithm": {"name": "ridge", "hyperparameters": {"alpha": alpha}},
    }
    project = sample.rsplit("/", 1)[-1]
    experiment = call(page, "POST", f"/projects/{project}/experiments", specification)["id"]
    run = call(page, "POST", f"/experiments/{experiment}/runs")["run"]["id"]
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Register model").wait_for(timeout=TRAINED)
    return f"/runs/{run}"


def test_runs_are_found_compared_kept_and_published(page: Page, sample: str) -> None:
    page.goto(sample)
    trained(page, sample, "Gentle", 1.0)
    run = trained(page, sample, "Stern", 500.0)

    page.get_by_role("button", name="Tags and notes").click()
    page.get_by_role("textbox", name="Tags").fill("autumn, too smooth")
    page.get_by_role("textbox", name="Notes").fill("Herons above the weir.")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("region", name="Tags and notes")).to_contain_text("Herons above the weir.")
    page.get_by_role("button", name="More of this run").click()
    page.get_by_role("menuitem", name="Keep the hyperparameters as a preset").click()
    page.get_by_role("textbox", name="Name").fill("Stern ridge")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("“Stern ridge” is among your presets").wait_for()

    page.goto(f"{sample}/experiments?sort=name")
    table = page.get_by_role("region", name="Runs", exact=True).get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(3)
    assert axe_faults(page) == []
    page.get_by_role("searchbox", name="Search the runs").fill("weir herons")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("searchbox", name="Search the runs").fill("")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_label("Tick all runs of this page").check()
    page.get_by_role("button", name="Compare 2 runs").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 runs")
    differs = page.get_by_role("region", name="What differs").get_by_role("row")
    expect(differs).to_have_count(2)
    expect(differs.nth(1)).to_have_text(re.compile(r"Alpha\s*1\s*500"))
    best = page.get_by_role("region", name="Metrics of the runs").get_by_role("row").filter(has_text="RMSE")
    expect(best).to_contain_text("the best")
    expect(page.get_by_text("not comparable")).to_have_count(0)
    expect(page.get_by_label("A line for each run").locator(".trace")).to_have_count(2)
    page.get_by_role("button", name="Flow duration").click()
    expect(page.get_by_label("Curves of the runs").locator(".trace")).to_have_count(3)
    page.get_by_role("button", name="Importance", exact=True).click()
    expect(page.get_by_label("Curves of the runs").locator(".trace")).to_have_count(2)
    page.get_by_role("button", name="Dependence", exact=True).click()
    page.get_by_label("Series").select_option("temp_c")
    expect(page.get_by_label("Curves of the runs").locator(".xtitle")).to_have_text("temp_c")
    expect(page.get_by_label("Curves of the runs").locator(".trace")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert "metrics.test.rmse," in download.value.path().read_text()
    assert axe_faults(page) == []

    page.goto(f"{sample}/experiments/new?version={newest(page, sample, 'Water')}")
    page.get_by_label("Target: what to predict").select_option("turbidity_ntu")
    page.get_by_role("button", name="Presets").click()
    page.get_by_role("menuitem", name=re.compile("Stern ridge.*alone")).click()
    page.get_by_text("“Stern ridge” was applied.").wait_for()
    expect(page.locator("#section-algorithm")).to_contain_text("Ridge regression, 1 setting changed")

    page.goto(run)
    page.get_by_role("button", name="More of this run").click()
    page.get_by_role("menuitem", name="Publish to the gallery").click()
    page.get_by_role("textbox", name="Summary").fill("For all to beat.")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("link", name="Open it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stern")
    expect(page.get_by_text("The data is not shared").first).to_be_visible()
    expect(page.get_by_role("heading", name="Observed and predicted")).to_be_hidden()
    assert axe_faults(page) == []
    page.get_by_role("button", name="Fork").click()
    page.get_by_label("Data", exact=True).select_option(label="Daily catchments, version 1")
    page.get_by_role("dialog").get_by_role("button", name="Fork").click()
    expect(page.get_by_role("region", name="Experiments")).to_contain_text("Stern")
