"""A whole installation and a real browser; what goes wrong on a page without a word fails the test."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.serving import Serving

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = re.compile(r"shown this once:\s+(\S+)")
WATCH_POLICY = (
    "addEventListener('securitypolicyviolation',"
    " e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))"
)
PATIENCE = 30_000
"""Milliseconds until a page that does not change is called stuck: a busy machine is not a failure."""

expect.set_options(timeout=PATIENCE)


class Watched:
    """A page, and everything that went wrong on it beside what it shows."""

    def __init__(self, page: Page) -> None:
        self.page, self.faults = page, list[str]()
        self.expected: re.Pattern[str] | None = None
        page.add_init_script(WATCH_POLICY)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # a refusal is also told to the console, without its address: `_answered` knows more
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not (self.expected and self.expected.search(response.url)):
            self.faults.append(f"{self.page.url}: {response.status} from {response.request.method} {response.url}")


@pytest.fixture(scope="module")
def serving(module_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    log = tmp_path_factory.mktemp("serve") / "log"
    running = Serving(module_environment | {"HYDROML_WORKER_CONCURRENCY": "1"}, log)
    try:
        running.ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def address(serving: Serving) -> str:
    return f"http://127.0.0.1:{serving.ready()}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.fail("the browser tests need Chromium: install it, or set CHROMIUM=/path/to/it")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
        yield running
        running.close()


AXE = Path(__file__).parents[2] / "src/hydroml/entrypoints/web/frontend/node_modules/axe-core/axe.min.js"


@dataclass(frozen=True)
class FirstVisit:
    """The cookies of the administrator, and the address of the sample project."""

    cookies: Path
    sample: str


@pytest.fixture(scope="module")
def first_visit(
    browser: Browser, serving: Serving, address: str, tmp_path_factory: pytest.TempPathFactory
) -> FirstVisit:
    """The first user logs in with the password that was shown once, and asks for the sample on the empty home page."""
    password = PASSWORD.search(serving.output)
    assert password is not None, serving.output
    with browser.new_context(base_url=address) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(password[1])
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Load the sample project").click()
        expect(page.get_by_role("heading", name="Sample: two catchments")).to_be_visible()
        for name in ("Daily catchments", "Water samples"):
            expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("Ready")
        cookies = tmp_path_factory.mktemp("browser") / "cookies.json"
        context.storage_state(path=cookies)
        return FirstVisit(cookies, page.url)


@pytest.fixture(scope="module")
def sample(first_visit: FirstVisit) -> str:
    return first_visit.sample


@pytest.fixture
def anonymous(browser: Browser, address: str) -> Iterator[Watched]:
    """A page of somebody who is not logged in."""
    yield from _watched(browser, address, None)


@pytest.fixture
def watched(browser: Browser, address: str, first_visit: FirstVisit) -> Iterator[Watched]:
    yield from _watched(browser, address, first_visit.cookies)


@pytest.fixture
def page(watched: Watched) -> Page:
    """A page of the administrator."""
    return watched.page


def _watched(browser: Browser, address: str, cookies: Path | None) -> Iterator[Watched]:
    context = browser.new_context(
        base_url=address, storage_state=cookies, viewport={"width": 1440, "height": 900}, color_scheme="light"
    )
    context.set_default_timeout(PATIENCE)
    watched = Watched(context.new_page())
    yield watched
    context.close()
    assert watched.faults == []


def axe_faults(page: Page) -> list[str]:
    """What axe finds wrong with the page by the rules of WCAG 2.2 AA, once its transitions are over."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 5000)"
        ".map(({ finished }) => finished))"
    )
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]
