"""An automatic search from the wizard to its leaderboard, stopped on the way, in a browser."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.calls import newest
from tests.e2e.conftest import Watched, axe_faults
from tests.reproducing import said_by

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_search_is_stopped_shows_what_it_tried_and_is_taken_along(
    watched: Watched, sample: str, tmp_path: Path
) -> None:
    page = watched.page
    project = sample.rsplit("/", 1)[-1]
    page.goto(f"/projects/{project}")
    page.goto(f"/projects/{project}/experiments/new?version={newest(page, sample, 'Daily')}")
    page.locator("#wz-target").select_option("flow_mm")
    page.get_by_role("button", name="Edit the algorithm").click()
    choices = page.get_by_role("radiogroup", name="Algorithm")
    expect(choices.get_by_role("group", name="Boosting").get_by_role("radio")).to_have_count(4)
    expect(choices.get_by_role("radio", name="Logistic regression")).to_have_count(0)
    choices.get_by_role("radio", name="Automatic").check()
    page.get_by_label("Time to search").fill("600")
    expect(page.get_by_text("rows train, ")).to_be_visible()
    assert axe_faults(page) == []
    page.get_by_role("button", name="Start run").first.click()

    expect(page.get_by_role("status").filter(has_text="best so far RMSE")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop and keep the best").click()
    page.get_by_role("link", name="Leaderboard").click(timeout=120_000)
    expect(page.get_by_role("row").filter(has_text="LightGBM, 31 leaves")).to_contain_text("Done")
    expect(page.get_by_text("stopped early")).to_be_visible()
    assert axe_faults(page) == []

    page.get_by_role("navigation", name="Views").get_by_role("link", name="Code").click()
    expect(page.get_by_role("region", name="The run as Python")).to_contain_text("VotingRegressor")
    assert axe_faults(page) == []
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="All with the data").click()
    with zipfile.ZipFile(downloaded.value.path()) as archive:
        archive.extractall(tmp_path)
    assert said_by(tmp_path / "experiment.py").endswith(" figures are identical.\n")
