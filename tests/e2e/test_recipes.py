"""A recipe from its session to other tables and back out of the trash, in a real browser on a real server."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.calls import call, newest, session
from tests.e2e.conftest import axe_faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

STEPS = (
    {"op": "filter", "condition": "station = 'Alder Brook'"},
    {"op": "fill_missing", "columns": ["flow_mm"], "method": "mean"},
    {"op": "limit", "rows": 50},
)


def test_a_recipe_is_kept_applied_followed_imported_and_restored(page: Page, sample: str) -> None:
    page.goto(sample)
    page.goto(f"/studio/{session(page, newest(page, sample, 'Daily'), *STEPS, name='Alder')}")
    page.get_by_role("button", name="History menu").click()
    page.get_by_role("menuitem", name="Save as a recipe …").click()
    page.get_by_role("textbox", name="Name").fill("Clean flows")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Recipe “Clean flows” saved.").wait_for()

    page.goto(f"{sample}/recipes")
    page.get_by_role("link", name="Clean flows").click()
    steps = page.get_by_role("region", name="Steps", exact=True)
    expect(steps).to_contain_text("keep rows where station = 'Alder Brook'")
    expect(steps).to_contain_text("learnt: flow_mm")
    expect(page.get_by_role("region", name="Columns it needs")).to_contain_text("stationtextflow_mmnumber")
    address = page.url

    report = page.get_by_role("dialog", name="Apply “Clean flows”")
    page.get_by_role("button", name="Apply", exact=True).click()
    report.get_by_label("Data source", exact=True).select_option("Water samples")
    expect(report.get_by_role("status").filter(has_text="1 of 3")).to_be_visible()
    expect(report).to_contain_text("There is no column “station”")
    assert axe_faults(page) == []
    report.get_by_role("radio", name="A new data source").check()
    report.get_by_role("textbox", name="Name").fill("Fifty samples")
    page.keyboard.press("Enter")
    expect(report.get_by_role("alert")).to_contain_text("Not all steps can run")
    report.get_by_label("Keep it up to date").check()
    report.get_by_label("Run the steps that can").check()
    report.get_by_role("button", name="Apply").click()

    made = page.get_by_role("region", name="Made by it")
    expect(made).to_contain_text("Fifty samples")  # it appears when the job has ended
    followed = made.get_by_role("checkbox", name="kept up to date")
    expect(followed).to_be_checked()
    followed.uncheck()
    page.get_by_text("It stays as it is now.").wait_for()
    page.get_by_role("button", name="Undo").click()
    expect(followed).to_be_checked()

    document = call(page, "GET", f"/recipes/{address.rsplit('/', 1)[-1]}/document")
    page.get_by_role("button", name="Menu of the recipe").click()
    page.get_by_role("menuitem", name="Name and description …").click()
    page.get_by_role("textbox", name="Description").fill("One station, its gaps filled.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("One station, its gaps filled.", exact=True)).to_be_visible()
    page.emulate_media(color_scheme="dark")
    assert axe_faults(page) == []

    page.goto(f"{sample}/recipes")
    page.get_by_role("button", name="Import", exact=True).click()
    importing = page.get_by_role("dialog", name="Import a recipe")
    importing.get_by_label("Document").fill('{"steps": [')
    importing.get_by_role("button", name="Import").click()
    expect(importing.get_by_role("alert")).to_contain_text("This is not JSON")
    importing.get_by_label("File").set_input_files(
        {"name": "r.json", "mimeType": "application/json", "buffer": json.dumps(document | {"name": "Again"}).encode()}
    )
    importing.get_by_role("button", name="Import").click()
    expect(page.get_by_role("link", name="Again")).to_be_visible()
    assert axe_faults(page) == []

    page.get_by_role("button", name="Menu of Again").click()
    page.get_by_role("menuitem", name="Move to the trash").click()
    expect(page.get_by_role("link", name="Again")).to_be_hidden()
    page.get_by_role("button", name="Trash", exact=True).click()
    page.get_by_role("button", name="Restore Again").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Apply Again").click()
    page.get_by_role("dialog").get_by_label("Data source", exact=True).select_option("Daily catchments")
    page.get_by_role("button", name="Open the session").click()
    expect(page).to_have_url(re.compile("/studio/"))
    expect(page.get_by_text("50 rows × 12 columns")).to_be_visible()
