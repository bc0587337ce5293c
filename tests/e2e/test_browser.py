"""The main path, by mouse and keyboard, in a real browser on a real server."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e import files
from tests.e2e.conftest import Watched

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PRODUCES_A_MODEL = 90_000
"""Milliseconds; the first run of a worker loads the learning libraries."""


def test_a_person_signs_up_and_makes_a_project(anonymous: Watched) -> None:
    page = anonymous.page
    page.goto("/projects")
    expect(page).to_have_url(re.compile(r"/login\?next=/projects$"))
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password", exact=True).fill("schoolhouse-river-42")
    page.get_by_label("Password confirmation").fill("schoolhouse-river-42")
    page.get_by_role("button", name="Sign up").click()

    expect(page.get_by_role("heading", name="From a table to a model you can trust")).to_be_visible()
    page.get_by_role("button", name="New project").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Upper valley")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upper valley")).to_be_visible()
    expect(page.get_by_text("No data yet.")).to_be_visible()
    page.get_by_role("link", name="Projects", exact=True).first.click()
    expect(page.get_by_role("row")).to_have_count(2)  # the head and hers: nobody else's


def test_an_upload_is_looked_into_imported_and_counted(page: Page) -> None:
    project(page, "Gauges")
    upload(page, "gauge.csv", files.gauge())
    expect(page.get_by_label("Delimiter", exact=True)).to_have_value(";")
    expect(page.get_by_label("Decimal sign", exact=True)).to_have_value(",")
    preview = page.get_by_label("First rows")
    expect(preview.get_by_role("columnheader")).to_have_count(5)  # one numbers the rows
    preview.get_by_label("Type of temp_c").select_option("text")
    expect(preview).to_contain_text("1,07")  # as it is written
    preview.get_by_label("Type of temp_c").select_option("detect it")
    expect(preview).not_to_contain_text("1,07")
    page.reload()  # nothing is lost: the upload is on the server, the decisions in the tab
    page.get_by_role("button", name="Import as “gauge”").click()

    expect(page.get_by_role("heading", level=1, name="gauge")).to_be_visible()
    expect(page.get_by_text("2019-01-01 to 2023-02-08")).to_be_visible()  # by itself: the page is told
    columns = page.get_by_role("region", name="Columns")
    expect(columns.get_by_role("row").filter(has_text="date").first).to_contain_text("1,500")
    expect(columns.get_by_role("row").filter(has_text="flow")).to_contain_text("15")  # missing
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Gauges").click()
    row = page.get_by_role("row").filter(has_text="gauge")
    expect(row).to_contain_text("Ready")
    expect(row).to_contain_text("1,500 × 4")


def test_a_broken_file_says_why_and_waits_for_another_try(watched: Watched) -> None:
    page = watched.page
    watched.expected = re.compile(r"/uploads/detect$")
    project(page, "Broken")
    upload(page, "noise.csv", files.GARBAGE)
    expect(page.get_by_role("alert")).to_contain_text("It cannot be read like this.")
    page.get_by_role("link", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Discard noise.csv").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_role("list", name="Uploads from earlier").get_by_text("noise.csv")).to_be_hidden()

    upload(page, "late.csv", files.broken_late())
    page.get_by_role("button", name="Import as “late”").click()
    expect(page.get_by_role("heading", level=1, name="late")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Broken").click()
    row = page.get_by_role("row").filter(has_text="late")
    expect(row).to_contain_text("Ready")
    expect(row).to_contain_text("119,999 × 3")  # the line of four cells is kept apart


def test_a_list_that_comes_late_still_learns_how_its_jobs_ended(page: Page) -> None:
    """What a list holds may be overtaken before the page listens for events: an import stood at 10 % for ever."""
    project(page, "Slow answers")
    listed = re.compile(r"/api/v1/projects/[^/]+/sources\?")
    address = page.url
    upload(page, "late.csv", files.broken_late(600_000))
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/sources")):
        page.get_by_role("button", name="Import as “late”").click()
    early = page.request.get(f"/api/v1{urlsplit(address).path}/sources?limit=50")
    assert early.json()["items"][0]["job"]["state"] in {"queued", "running"}
    expect(page.get_by_role("button", name=re.compile(r"^Version 1"))).to_be_visible()

    page.route(listed, lambda route: route.fulfill(response=early))
    page.goto(address)
    row = page.get_by_role("row").filter(has_text="late")
    expect(row).to_contain_text("Ready")
    expect(row).to_contain_text("599,999 × 3")


def test_the_grid_sorts_filters_and_scrolls_on_the_server(page: Page, sample: str) -> None:
    source(page, sample, "Daily catchments")
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Rows").click()
    first = row_of(page, 0)
    expect(first).to_contain_text("2014-10-01")

    page.get_by_role("columnheader").get_by_role("button", name="temp_c. Sort").click()
    expect(first).to_contain_text("−13.5")
    expect(page).to_have_url(re.compile("sort=temp_c"))

    condition = page.get_by_label("Filter rows by a condition")
    condition.fill("flow_mm IS NULL")
    condition.press("Enter")
    expect(page.get_by_text("84 of 7,304 rows")).to_be_visible()
    expect(first).to_contain_text("−1.8")  # the coldest of them
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("84 of 7,304 rows")).to_be_hidden()
    expect(first).to_contain_text("−13.5")

    first.get_by_role("gridcell").nth(1).click()
    page.keyboard.press("Control+ArrowDown")
    expect(row_of(page, 7303)).to_contain_text("27.1")  # the warmest day, fetched as one got there


def test_steps_are_tried_undone_edited_and_saved(page: Page, sample: str) -> None:
    source(page, sample, "Daily catchments")
    page.get_by_role("button", name="Open in Studio").click()
    history, panel = page.get_by_label("History", exact=True), StepPanel(page)
    expect(page.get_by_text("7,304 rows × 12 columns")).to_be_visible()

    panel.open("Filter")
    page.get_by_label("Condition", exact=True).fill("station = 'Alder Brook'")
    expect(panel.box).to_contain_text("7,304 rows before, 3,652 after")
    panel.apply()
    expect(page.get_by_text("3,652 rows × 12 columns")).to_be_visible()

    panel.open("Missing", "Fill missing values")
    page.get_by_role("button", name="All with missing values").click()
    page.get_by_label("Fill by").select_option("previous")
    expect(panel.box).to_contain_text("53 cells changed")
    panel.apply()

    panel.open("Formula")
    panel.box.get_by_role("textbox", name="Column").fill("flow_log")
    page.get_by_label("Formula", exact=True).fill("ln(flow_mm + 1)")
    expect(panel.box).to_contain_text("+ 1 column")
    panel.apply()
    expect(page.get_by_text("3,652 rows × 13 columns")).to_be_visible()

    panel.open("Columns", "Drop columns")
    panel.box.get_by_role("checkbox", name="flow_log").check()  # every other one is a feature later
    expect(panel.box).to_contain_text("− 1 column")
    panel.apply()

    panel.open("Rows", "Sort rows")
    panel.box.get_by_role("combobox", name="Column").select_option("flow_mm")
    panel.box.get_by_label("Largest first").check()
    expect(panel.box).to_contain_text("± 0 rows")
    panel.apply()
    last = history.get_by_role("listitem").filter(has_text="flow_mm ↓")
    expect(last).to_have_attribute("aria-current", "step")

    page.keyboard.press("Control+z")
    expect(last).to_contain_text("undone")
    page.keyboard.press("Control+z")
    expect(page.get_by_text("3,652 rows × 13 columns")).to_be_visible()
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_text("3,652 rows × 12 columns")).to_be_visible()

    history.get_by_text("Filter rows").hover()
    page.get_by_role("button", name="Edit step 1").click()
    page.get_by_label("Condition", exact=True).fill("station = 'Alder Brook' AND temp_c > 0")
    expect(panel.box).to_contain_text("7,304 rows before, 3,417 after")  # as of where it stands
    panel.apply("Save step")
    expect(page.get_by_text("3,417 rows × 12 columns")).to_be_visible()

    page.get_by_role("button", name="Save as").click()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("has a new version.").wait_for()
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Daily catchments").click()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Versions").click()
    row = page.get_by_role("region", name="Versions").get_by_role("row").filter(has_text="Version 2")
    expect(row).to_contain_text("3,417")
    expect(row).to_contain_text("Studio, 4 steps")


def test_a_refused_formula_is_told_at_its_field(watched: Watched, sample: str) -> None:
    page = watched.page
    watched.expected = re.compile(r"/preview$")
    source(page, sample, "Water samples")
    page.get_by_role("button", name="Open in Studio").click()
    panel = StepPanel(page)
    panel.open("Formula")
    panel.box.get_by_role("textbox", name="Column").fill("x")
    page.get_by_label("Formula", exact=True).fill("__import__('os')")
    expect(panel.box.get_by_text("there is no function “__import__”")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel.box).to_be_hidden()


def test_a_query_tells_which_columns_come_and_which_go(page: Page, sample: str) -> None:
    source(page, sample, "Water samples")
    page.get_by_role("button", name="Open in Studio").click()
    panel = StepPanel(page)
    panel.open("Reshape", "SQL query")
    panel.box.get_by_label("Query", exact=True).fill("SELECT count(*) AS samples FROM this")
    expect(panel.box.get_by_text("+ 1 column", exact=True)).to_be_visible()
    expect(panel.box.get_by_text(re.compile(r"− \d+ columns"))).to_be_visible()
    expect(page.get_by_text("1 row × 1 column", exact=True)).to_be_visible()


def test_a_model_is_trained_on_the_past_registered_and_asked(page: Page, sample: str) -> None:
    source(page, sample, "Daily catchments", version=1)
    page.get_by_role("link", name="Train a model").click()
    page.get_by_label("Target: what to predict").select_option("flow_mm")
    expect(page.get_by_text("5,776 rows train, 1,444 test")).to_be_visible()
    expect(page.get_by_text("“flow_mm” is missing in 84 rows")).to_be_visible()
    page.get_by_role("button", name="Edit the split").click()
    expect(page.get_by_role("radio", name="Chronological")).to_be_checked()
    page.get_by_role("button", name="Continue with the algorithm").click()
    page.get_by_role("radio", name="Histogram gradient boosting").check()
    page.get_by_role("button", name="Continue with the summary").click()
    page.get_by_label("Name").fill("Flow at both gauges")
    page.get_by_role("button", name="Start run").last.click()

    expect(page.get_by_role("heading", name="Flow at both gauges")).to_be_visible()
    views = page.get_by_role("navigation", name="Views")
    expect(views.get_by_role("link", name="Overview")).to_be_visible(timeout=PRODUCES_A_MODEL)
    for metric in ("NSE", "KGE", "RMSE", "MAE", "PBIAS"):
        expect(page.get_by_role("heading", name=metric, exact=True)).to_be_visible()
    expect(page.get_by_text("1,444 test rows, 5,776 training rows; 84 of 7,304 rows left out")).to_be_visible()
    expect(page.get_by_text("this model sees no earlier value of it")).to_be_visible()
    drawn(page, "Observed and predicted over the test rows")
    drawn(page, "Predicted against observed with the one-to-one line")
    drawn(page, "The most important features")
    expect(page.get_by_label("Series")).to_contain_text("rows 2,931 to 3,652")  # one gauge at a time
    views.get_by_role("link", name="Residuals").click()
    drawn(page, "Distribution of residuals")
    drawn(page, "Residuals over time")
    views.get_by_role("link", name="Explanation").click()
    for plot in ("Partial dependence", "Shapley values of the explained rows", "How each feature moves one prediction"):
        drawn(page, plot)
    page.get_by_label("Feature", exact=True).select_option("station")
    drawn(page, "Partial dependence")
    views.get_by_role("link", name="All metrics").click()
    for baseline in ("mean", "persistence", "seasonal mean"):
        expect(page.get_by_role("columnheader", name=baseline, exact=True)).to_be_visible()

    views.get_by_role("link", name="Rows").click()
    worst = page.locator(".run-rows [row-index='0']")
    expect(page.locator(".run-rows .panel-foot")).to_contain_text("1,444 rows")
    expect(worst.locator(".is-rn")).to_have_text(re.compile(r"\d"))
    number = worst.locator(".is-rn").inner_text()
    page.locator(".run-rows").get_by_role("textbox", name="Filter rows").fill("error > 1")
    page.keyboard.press("Enter")
    expect(page.locator(".run-rows .panel-foot")).not_to_contain_text("1,444 rows")
    page.locator(".run-rows").get_by_role("button", name="Clear").click()
    expect(worst.locator(".is-rn")).to_have_text(number)
    worst.locator(".ag-cell:not(.is-rn)").first.click(button="right")
    page.get_by_role("menuitem", name="Look at it in the table").click()
    expect(page.locator(".panel-foot:visible")).to_contain_text(f"row {number},")
    page.go_back()

    views.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Score it the other way").click()
    price = page.locator("section").filter(has=page.get_by_role("heading", name="The price of random splitting"))
    expect(price.get_by_text("Drawn at random, the same model scores better")).to_be_visible(timeout=PRODUCES_A_MODEL)
    expect(price.get_by_role("row", name="NSE")).to_be_visible()

    page.get_by_role("button", name="Register model").click()
    page.get_by_role("dialog").get_by_label("Model").fill("flow")
    page.get_by_role("button", name="Register", exact=True).click()
    page.get_by_role("link", name="Open the model").click()
    versions = page.get_by_role("region", name="Versions")
    expect(versions).to_contain_text("awaits approval")
    page.get_by_role("button", name="What to do with version 1").click()
    page.get_by_role("menuitem", name="Approve and make champion").click()
    page.get_by_role("dialog").get_by_label("Why").fill("It beats every baseline.")
    page.get_by_role("button", name="Approve and make champion").click()
    expect(versions).to_contain_text("champion")
    expect(page.get_by_text("It beats every baseline.")).to_be_visible()

    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Predict rows").click()
    page.get_by_label("station, row 1").select_option("Alder Brook")
    for feature, value in (("precip_mm", "12"), ("temp_c", "8"), ("pet_mm", "2"), ("precip_7d_mm", "900")):
        page.get_by_label(f"{feature}, row 1").fill(value)
    page.locator("form:visible").get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text(re.compile(r"by version 1; \d+ warning"))).to_be_visible()
    expect(page.get_by_role("region", name="Rows to predict").get_by_role("cell").nth(7)).to_have_text(
        re.compile(r"\d")
    )

    views.get_by_role("link", name="Predict a data source").click()
    form = page.locator("form:visible")
    offered = form.get_by_label("Data", exact=True)
    offered.select_option(label=offered.get_by_role("option").filter(has_text="Daily").first.inner_text())
    form.get_by_role("button", name="Predict", exact=True).click()
    page.get_by_role("link", name="Open the predictions").click()
    expect(page.get_by_role("region", name="Columns")).to_contain_text("flow_mm_predicted")


def test_classes_get_a_confusion_matrix(page: Page, sample: str) -> None:
    source(page, sample, "Water samples")
    page.get_by_role("link", name="Train a model").click()
    page.get_by_label("Target: what to predict").select_option("quality")
    expect(page.get_by_text("960 rows train, 240 test")).to_be_visible()
    page.get_by_role("button", name="Start run").first.click()
    expect(page.get_by_role("region", name="Confusion matrix")).to_be_visible(timeout=PRODUCES_A_MODEL)
    expect(page.get_by_role("heading", name="quality by histogram gradient boosting")).to_be_visible()
    expect(page.get_by_role("heading", name="Balanced accuracy")).to_be_visible()


def test_every_page_keeps_the_strict_policy_and_fits_a_phone(page: Page, sample: str) -> None:
    source(page, sample, "Daily catchments")
    sources = page.url
    page.goto("/jobs")
    job = page.get_by_role("row").get_by_role("link").first.get_attribute("href")
    addresses = [
        "/", "/projects", "/gallery", "/models", "/jobs", job or "", "/settings", sources, f"{sources}?tab=rows",
        *(f"{sample}{rest}" for rest in ("", "/experiments", "/experiments/new", "/models", "/members")),
    ]  # fmt: skip
    page.set_viewport_size({"width": 390, "height": 844})
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        expect(page.get_by_role("heading", level=1)).not_to_have_text(re.compile(r"^\s*$"))
        page.wait_for_load_state("load")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{address} is {width} pixels wide"


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")  # before any script: it comes with the page
    with page.expect_response(re.compile("/api/v1/me$")):
        page.get_by_role("button", name="Switch between light and dark").click()


def test_the_palette_finds_what_is_there(page: Page, sample: str) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("water sam")
    page.get_by_role("option", name=re.compile("Water samples")).first.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Water samples")).to_be_visible()


class StepPanel:
    """The Studio's form for one step."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.box = page.get_by_role("complementary").filter(has=page.get_by_role("heading", name="Preview"))

    def open(self, tool: str, step: str = "") -> None:
        self._page.get_by_role("toolbar", name="Steps").get_by_role("button", name=tool, exact=True).click()
        if step:
            self._page.get_by_role("menuitem", name=step, exact=True).click()
        expect(self.box).to_be_visible()

    def apply(self, button: str = "Apply") -> None:
        self.box.get_by_role("button", name=button, exact=True).click()
        expect(self.box).to_be_hidden()


def project(page: Page, name: str) -> None:
    page.goto("/projects")
    page.get_by_role("button", name="New project").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Drop a file here")).to_be_visible()


def upload(page: Page, name: str, content: bytes) -> None:
    """Chooses a file; the page of its import opens by itself."""
    page.get_by_label("File to upload").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=content))
    expect(page).to_have_url(re.compile(r"/import\?.*uploads="))


def source(page: Page, project_address: str, name: str, *, version: int | None = None) -> None:
    """Goes to a data source, and there to one of its versions."""
    page.goto(project_address)
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    shown = page.get_by_role("button", name=re.compile(r"^Version \d"))
    expect(shown).to_be_visible()
    if version is not None and not re.match(rf"Version {version}\b", shown.inner_text()):
        shown.click()
        page.get_by_role("menuitem", name=re.compile(rf"^Version {version}\b")).click()
        expect(shown).to_contain_text(f"Version {version}")


def row_of(page: Page, index: int) -> Locator:
    """A row of the grid, by its place."""
    return page.locator(f"[role=row][row-index='{index}']").last


def drawn(page: Page, name: str) -> None:
    """A chart has its marks: an empty frame is not a chart."""
    chart = page.get_by_role("img", name=name)
    expect(chart.locator("path.js-line, path.point, .point path, .points path, .bars path").first).to_be_attached()
