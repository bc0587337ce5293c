"""A session's history, by mouse and keyboard, in two tabs and by two people, in a real browser on a real server."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.calls import call, newest, session
from tests.e2e.conftest import PATIENCE, Watched, axe_faults
from tests.e2e.test_browser import StepPanel

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

STEPS = (
    {"op": "filter", "condition": "station = 'Alder Brook'"},
    {"op": "fill_missing", "columns": ["flow_mm"], "method": "mean"},
    {"op": "derive", "column": "wet", "formula": "precip_mm > 5"},
    {"op": "limit", "rows": 50},
)
TITLES = ["Original", "Filter rows", "Fill missing values", "Derive column", "Limit rows"]


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Page]:
    """A page of somebody who has just signed up."""
    with browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/signup")
        page.get_by_label("Username").fill("reader")
        page.get_by_label("Password", exact=True).fill("schoolhouse-river-42")
        page.get_by_label("Password confirmation").fill("schoolhouse-river-42")
        page.get_by_role("button", name="Sign up").click()
        expect(page.get_by_role("heading", name="From a table to a model you can trust")).to_be_visible()
        yield page


def shown(page: Page, *titles: str) -> None:
    """The history holds these steps, in this order."""
    expect(page.locator(".history > ol > li:not(.is-branch) .what")).to_have_text([*titles, "Add a step"])


def test_steps_are_moved_switched_branched_compared_discussed_and_copied(page: Page, sample: str) -> None:
    page.goto(sample)
    made = session(page, newest(page, sample, "Daily"), *STEPS, name="Alder days")
    page.goto(f"{sample}/studio")
    page.get_by_role("link", name="Resume Alder days").click()
    shown(page, *TITLES)
    history = page.get_by_label("History", exact=True)
    step = history.locator(".step-main")
    expect(page.get_by_text("50 rows × 13 columns")).to_be_visible()

    step.filter(has_text="Derive column").focus()
    page.keyboard.press("Alt+ArrowUp")
    shown(page, "Original", "Filter rows", "Derive column", "Fill missing values", "Limit rows")
    expect(step.filter(has_text="Derive column")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_text("Derive column is off").locator("xpath=../..").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("50 rows × 13 columns")).to_be_visible()
    expect(history.get_by_text("off:")).to_be_hidden()
    step.filter(has_text="Fill missing").drag_to(
        step.filter(has_text="Derive column"), target_position={"x": 90, "y": 3}
    )
    shown(page, *TITLES)

    step.filter(has_text="Original").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("As of step 1, Filter rows")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("The other gauge drifts.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("list", name="Comments")).to_contain_text("adminjust nowThe other gauge drifts.")
    assert axe_faults(page) == []
    page.keyboard.press("Escape")
    expect(history.get_by_role("button", name="1 comment on this step")).to_be_visible()

    step.filter(has_text="Limit rows").focus()
    page.keyboard.press("Delete")
    shown(page, *TITLES[:-1])
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Redo: Derive column").first).to_be_enabled()
    panel = StepPanel(page)
    panel.open("Rows", "Limit rows")
    panel.box.get_by_label("Rows").fill("9")
    panel.apply()
    expect(page.get_by_text("9 rows × 12 columns")).to_be_visible()
    history.locator(".is-branch .step-main").click()
    compared = page.get_by_role("dialog", name="This history and “Branch”")
    expect(compared.get_by_role("region", name="Only here")).to_contain_text("9 rows")
    expect(compared.get_by_role("region", name="Only in Branch")).to_contain_text("wet = precip_mm > 5")
    expect(compared.get_by_role("region", name="Rows of Branch").get_by_role("row")).to_have_count(7)
    page.emulate_media(color_scheme="dark")
    assert axe_faults(page) == []
    page.emulate_media(color_scheme="light")
    compared.get_by_role("button", name="Continue on the other").click()
    shown(page, *TITLES[:-1])
    history.get_by_text("Earlier versions").click()
    assert axe_faults(page) == []
    history.locator(".earlier .step-main").filter(has_text="50").first.click()
    page.get_by_role("button", name="Continue on the other").click()
    expect(page.get_by_text("50 rows × 13 columns")).to_be_visible()

    history.get_by_role("button", name="History menu").click()
    page.get_by_role("menuitem", name="Copy steps to another session …").click()
    page.get_by_role("checkbox", name=re.compile("Derive column")).uncheck()
    page.get_by_role("button", name="Copy 3 steps").click()
    page.get_by_text("3 steps copied.").locator("xpath=../..").get_by_role("link").click()
    shown(page, "Original", "Filter rows", "Fill missing values", "Limit rows")

    page.goto(f"{sample}/studio")
    page.get_by_role("button", name="Menu of Alder days").click()
    page.get_by_role("menuitem", name="Discard").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("is back among your sessions.").wait_for()
    expect(page.get_by_role("link", name="Resume Alder days")).to_be_visible()
    assert axe_faults(page) == []
    assert call(page, "GET", f"/sessions/{made}")["steps"][-1]["current"]


def test_every_part_is_a_key_away_and_the_focus_comes_back(page: Page, sample: str) -> None:
    page.goto(sample)
    made = session(page, newest(page, sample, "Daily"), *STEPS)
    page.goto(f"/studio/{made}")
    expect(page.get_by_text("50 rows × 13 columns")).to_be_visible()
    step, cell = page.locator(".history .step-main"), page.locator(".ag-cell:focus")
    status, toolbar = page.locator(".statusbar"), page.get_by_role("toolbar", name="Steps")
    press = page.keyboard.press

    press("Shift+F6")
    press("Control+ArrowRight")
    expect(status).to_contain_text("wet = ")
    press("Shift+F6")
    expect(step.filter(has_text="Limit rows")).to_be_focused()
    for _ in range(2):
        press("ArrowUp")
    press("b")
    expect(page.get_by_role("button", name="Redo: Derive column").first).to_be_enabled()
    expect(step.filter(has_text="Fill missing values")).to_be_focused()
    expect(page.locator(".history .step-main:not([tabindex='-1'])")).to_have_count(1)
    expect(status).not_to_contain_text("wet = ")
    assert axe_faults(page) == []  # steps that are undone can be read
    press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Go back to here")).to_be_visible()
    press("Escape")
    press("Shift+F6")
    expect(toolbar.get_by_role("button", name="Filter")).to_be_focused()
    press("End")
    expect(toolbar.get_by_role("button", name="Chart")).to_be_focused()
    for _ in range(2):
        press("F6")
    expect(cell).to_be_visible()

    press(".")
    expect(page.get_by_label("Find a step")).to_be_focused()
    press("Escape")
    expect(cell).to_be_visible()
    press(".")
    page.keyboard.type("Lag")
    press("Enter")
    panel = StepPanel(page).box
    expect(panel.get_by_label("Find a column").first).to_be_focused()
    expect(panel.locator(".checks").first.locator("input:not([tabindex='-1'])")).to_have_count(1)
    page.keyboard.type("precip")
    press("ArrowDown")
    press("ArrowDown")
    press("Space")
    expect(panel.get_by_role("checkbox", name="precip_7d_mm")).to_be_checked()
    panel.get_by_label("In the order of").focus()
    press("Control+Enter")
    expect(step.filter(has_text="lag of precip_7d_mm")).to_be_visible()
    expect(cell).to_be_visible()
    for title in ("Lag and lead", "Fill missing values"):
        press("Control+z")
        expect(page.get_by_text("Undone: ")).to_have_text([f"Undone: {title}."])  # the Redo of another one would lie

    press("/")
    page.keyboard.type("temp_c > 0")
    press("Enter")
    expect(page.get_by_text("filter: on")).to_be_visible()
    press("Escape")
    expect(cell).to_be_visible()
    press("Control+k")
    page.keyboard.type("filter a step")
    press("Enter")
    expect(page.get_by_label("Condition", exact=True)).to_have_value("temp_c > 0")


def test_what_is_typed_while_rows_arrive_stays_in_its_field(page: Page, sample: str) -> None:
    page.goto(sample)
    made = session(page, newest(page, sample, "Daily"), *STEPS)
    page.goto(f"/studio/{made}")
    expect(page.get_by_text("50 rows × 13 columns")).to_be_visible()
    filter_, cell = page.get_by_label("Filter rows by a condition"), page.locator(".ag-cell:focus")
    page.locator(".ag-cell").nth(5).click()
    for key in ("Control+z", "Control+y") * 3:
        expect(cell).to_be_visible()
        with page.expect_response(re.compile("/(undo|redo)$")):
            page.keyboard.press(key)
        page.keyboard.press("/")
        page.keyboard.type("temp_c > 0")
        expect(filter_).to_have_value("temp_c > 0")
        filter_.fill("")
        filter_.press("Escape")


def test_two_tabs_and_two_people_see_what_the_other_did(watched: Watched, reader: Page, sample: str) -> None:
    page = watched.page
    page.goto(sample)
    made = session(page, newest(page, sample, "Daily"), STEPS[0], name="Shared days")
    page.goto(f"/studio/{made}")
    watched.expected = re.compile(rf"/sessions/{made}/steps")  # 412: it was changed meanwhile
    panel = StepPanel(page)
    panel.open("Filter")
    page.get_by_label("Condition", exact=True).fill("temp_c > 0")
    expect(panel.box).to_contain_text("3,652 rows before")
    call(page, "POST", f"/sessions/{made}/steps", STEPS[3])
    panel.box.get_by_role("button", name="Apply", exact=True).click()
    notice = page.get_by_role("alert").filter(has_text="Not applied: this session was changed elsewhere")
    expect(notice).to_contain_text("Limit rows is new. What you typed is still in the panel.")
    shown(page, "Original", "Filter rows", "Limit rows")
    notice.get_by_role("button", name="Show it").click()
    expect(page.locator(".history .step-main").filter(has_text="Limit rows")).to_be_focused()
    expect(page.get_by_label("Condition", exact=True)).to_have_value("temp_c > 0")
    expect(panel.box).to_contain_text("50 rows before")
    panel.apply()
    expect(notice).to_be_hidden()
    shown(page, "Original", "Filter rows", "Limit rows", "Filter rows")

    project = sample.rsplit("/", 1)[-1]
    call(page, "POST", f"/projects/{project}/members", {"username": "reader", "role": "editor"})
    call(page, "PATCH", f"/sessions/{made}", {"shared": True})
    reader.goto(f"{sample}/studio?show=shared")
    reader.get_by_role("link", name="Look at Shared days").click()
    expect(reader.get_by_text("A session of admin, shared with the project")).to_be_visible()
    expect(reader.get_by_role("toolbar", name="Steps").get_by_role("button")).to_have_text(["Chart"])
    for button in ("Save as", "Train", "Undo"):
        expect(reader.get_by_role("button", name=button)).to_be_hidden()
    history = reader.locator(".history .step-main")
    history.filter(has_text="Limit rows").focus()
    reader.keyboard.press("Delete")
    reader.keyboard.press("e")
    shown(reader, "Original", "Filter rows", "Limit rows", "Filter rows")
    assert axe_faults(reader) == []
    reader.get_by_role("button", name="Make a copy of mine").click()
    expect(reader).not_to_have_url(re.compile(made))
    expect(reader.get_by_role("button", name="Save as")).to_be_visible()
    shown(reader, "Original", "Filter rows", "Limit rows", "Filter rows")
