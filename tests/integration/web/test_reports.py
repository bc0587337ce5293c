"""Reports and cards over the API, as files of each kind and as words."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pypdf
import pytest

from tests.integration.web.people import Person, Things, insert_run


def addresses(things: Things) -> tuple[str, str]:
    return f"/runs/{things.run_id}/report", f"/models/{things.model_id}/versions/1/card/file"


@pytest.mark.parametrize("which", [0, 1])
def test_each_kind_of_file_tells_the_same(alice: Person, things: Things, which: int) -> None:
    path = addresses(things)[which]
    html, pdf, markdown = (alice.get(f"{path}?format={kind}") for kind in ("html", "pdf", "md"))
    assert [one["Content-Type"].partition(";")[0] for one in (html, pdf, markdown)] == [
        "text/html", "application/pdf", "text/markdown",
    ]  # fmt: skip
    assert html["Content-Disposition"].startswith('attachment; filename="Flow, ')
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf.content)).pages)
    for told in (html.content.decode(), markdown.content.decode(), " ".join(pages.split())):
        assert "1.500" in told
        assert "9.000" in told
        assert "so the model is better" in told
    assert alice.get(path)["Content-Type"] == html["Content-Type"]


def test_a_card_is_read_as_words(alice: Person, things: Things) -> None:
    card: dict[str, Any] = alice.get(f"/models/{things.model_id}/versions/1/card").json()
    assert card["title"] == "Flow, version 1"
    assert [section["title"] for section in card["sections"]][:2] == ["Intended use", "Results"]
    (table,) = [block for block in card["sections"][1]["blocks"] if block["type"] == "table"]
    assert (table["rows"], table["words"]) == ([["RMSE (target)", "lower", "1.500", "1.000", "9.000"]], 2)


def test_they_are_seen_by_members_alone(alice: Person, bob: Person, things: Things) -> None:
    for path in (*addresses(things), f"/models/{things.model_id}/versions/1/card"):
        assert bob.get(path).status_code == 404
    assert alice.get(f"/runs/{uuid4()}/report").status_code == 404
    assert alice.get(f"/models/{things.model_id}/versions/2/card").status_code == 404


def test_runs_are_compared_in_a_file(alice: Person, bob: Person, things: Things) -> None:
    _, run, _ = insert_run(alice.id, things.project_id, things.version_id, "Second")
    path = f"/runs/compare/report?ids={things.run_id},{run}"
    told = alice.get(f"{path}&format=md").content.decode()
    assert told.startswith("# 2 runs compared")
    assert "| name | Flow | Second |" in told
    assert alice.get(f"{path}&format=pdf")["Content-Type"] == "application/pdf"
    assert bob.get(path).status_code == 404
    assert alice.get(f"/runs/compare/report?ids={run}").status_code == 422


def test_an_unknown_kind_is_refused(alice: Person, things: Things) -> None:
    refused = alice.get(f"/runs/{things.run_id}/report?format=docx")
    assert (refused.status_code, refused.json()["errors"][0]["loc"][-1]) == (422, "format")
