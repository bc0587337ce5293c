"""What a test needs before its journey begins, asked of the API as the page itself would."""

from typing import Any

from playwright.sync_api import Page


def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """An answer of the API to whoever is logged in on the page."""
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    origin = page.evaluate("location.origin")
    answer = page.request.fetch(
        f"{origin}/api/v1{path}", method=method, data=body, headers={"X-CSRFToken": token, "Referer": f"{origin}/"}
    )
    assert answer.ok, answer.text()
    return answer.json() if answer.body() else None


def newest(page: Page, sample: str, name: str) -> str:
    """The id of the newest version of one of the sample's data sources."""
    found = call(page, "GET", f"/projects/{sample.rsplit('/', 1)[-1]}/sources?search={name}")["items"]
    return str(found[0]["current_version"]["id"])


def session(page: Page, version: str, *steps: dict[str, Any], name: str = "") -> str:
    """The id of a new session with these steps."""
    made = call(page, "POST", f"/versions/{version}/sessions", {"name": name})["id"]
    for step in steps:
        call(page, "POST", f"/sessions/{made}/steps", step)
    return str(made)
