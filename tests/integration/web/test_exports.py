"""Exports over the API."""

import io
import json
from typing import Any
from uuid import uuid4

import openpyxl
import pytest

from hydroml.entrypoints.bootstrap import container
from tests.integration.web.people import Person, Things, finish


def exported(owner: Person, things: Things, **body: Any) -> Any:
    """The export when its job has ended."""
    accepted = owner.post(f"/versions/{things.version_id}/exports", body)
    assert accepted.status_code == 202, accepted.content
    made = accepted.json()
    assert accepted["Location"] == f"/api/v1/jobs/{made['job']['id']}"
    assert made["export"]["status"] == "running"
    finish(made["job"]["id"])
    return owner.get(f"/exports/{made['export']['id']}").json()


def content(owner: Person, export: Any) -> bytes:
    response = owner.get(f"/exports/{export['id']}/file")
    assert response.status_code == 200, response.content
    body = b"".join(response.streaming_content)
    assert int(response["Content-Length"]) == len(body) == export["bytes"]
    return body


def test_a_part_of_a_table_as_csv(alice: Person, things: Things) -> None:
    export = exported(
        alice, things, format="csv", columns=["site", "flow"], filter="flow > 27", sort="-flow", limit=2,
        name="Größte", options={"delimiter": ";", "decimal": ",", "bom": True},
    )  # fmt: skip
    assert (export["status"], export["rows"], export["filename"], export["job"]) == ("ready", 2, "Größte.csv", None)
    assert export["expires_at"] > export["created_at"]
    assert content(alice, export).decode() == "\ufeffsite;flow\nB;30,5\nA;29,5\n"
    file = alice.get(f"/exports/{export['id']}/file")
    assert file["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fte.csv"
    file.close()
    listed = alice.get(f"/versions/{things.version_id}/exports").json()
    assert (listed["total"], listed["items"][0]["id"]) == (2, export["id"])


@pytest.mark.parametrize("format_", ["csv", "tsv", "xlsx", "json", "jsonl", "parquet", "feather"])
def test_every_format_is_made(alice: Person, things: Things, format_: str) -> None:
    export = exported(alice, things, format=format_)
    assert (export["status"], export["rows"], export["filename"]) == ("ready", 30, f"flows, version 1.{format_}")
    body = content(alice, export)
    if format_ == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(body)).active.max_row == 31
    if format_ == "json":
        assert json.loads(body)[0] == {"date": "2020-01-01", "flow": 1.5, "site": "A"}


def test_a_template_gives_what_is_left_out(alice: Person, things: Things) -> None:
    template = alice.post(
        f"/projects/{things.project_id}/export_templates",
        {"name": "Tabs", "format": "tsv", "columns": ["flow"], "sort": "-flow", "limit": 3,
         "options": {"header": False}},
    ).json()  # fmt: skip
    assert (template["sort"], template["options"]["header"], template["options"]["bom"]) == ("-flow", False, False)
    whole = exported(alice, things, template_id=template["id"])
    assert content(alice, whole) == b"30.5\n29.5\n28.5\n"
    changed = exported(alice, things, template_id=template["id"], limit=1, options={"decimal": ","})
    assert content(alice, changed) == b"30,5\n"
    names = [t["name"] for t in alice.get(f"/projects/{things.project_id}/export_templates").json()["items"]]
    assert names == ["For Excel", "Tabs"]
    assert alice.call("DELETE", f"/export_templates/{template['id']}").status_code == 204
    gone = alice.post(f"/versions/{things.version_id}/exports", {"template_id": template["id"]})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["format"]),
        ({"format": "pdf"}, ["format"]),
        ({"format": "csv", "columns": ["no such"]}, ["columns", 0]),
        ({"format": "csv", "columns": []}, ["columns"]),
        ({"format": "csv", "filter": "flow >"}, ["filter"]),
        ({"format": "csv", "filter": "read_csv('/etc/passwd')"}, ["filter"]),
        ({"format": "csv", "sort": "nothing"}, ["sort", 0, "column"]),
        ({"format": "csv", "limit": -1}, ["limit"]),
        ({"format": "csv", "options": {"delimiter": "ab"}}, ["options", "delimiter"]),
        ({"format": "csv", "options": {"delimiter": "\n"}}, ["options", "delimiter"]),
        ({"format": "csv", "options": {"decimal": ","}}, ["options", "delimiter"]),
        ({"format": "csv", "options": {"missing": "=1"}}, ["options", "missing"]),
        ({"format": "csv", "options": {"missing": 'a"b'}}, ["options", "missing"]),
        ({"format": "csv", "options": {"colour": "red"}}, ["options", "colour"]),
        ({"format": "csv", "options": {"bom": "perhaps"}}, ["options", "bom"]),
    ],
)
def test_what_cannot_be_exported_is_said_before_the_job(
    alice: Person, things: Things, body: dict[str, Any], place: list[Any]
) -> None:
    before = alice.get("/jobs").json()["total"]
    refused = alice.post(f"/versions/{things.version_id}/exports", body)
    assert refused.status_code == 422, refused.content
    loc = refused.json()["errors"][0]["loc"]
    assert [part for part in loc if part in place] == place, loc
    assert alice.get("/jobs").json()["total"] == before


def test_a_file_is_there_until_it_expires_or_is_removed(alice: Person, things: Things) -> None:
    first, second = (exported(alice, things, format="csv", limit=n) for n in (1, 2))
    assert alice.call("DELETE", f"/exports/{first['id']}").status_code == 204
    assert alice.get(f"/exports/{first['id']}").status_code == 404
    with container().uow() as uow:
        export = uow.exports.get(second["id"])
        export.expires_at = export.created_at
        uow.exports.save(export)
        uow.commit()
    assert container().exports().expire() == 1
    assert alice.get(f"/exports/{second['id']}").json()["status"] == "expired"
    gone = alice.get(f"/exports/{second['id']}/file")
    assert (gone.status_code, "expired" in gone.json()["detail"]) == (409, True)


def test_a_failed_export_says_why(alice: Person, things: Things) -> None:
    made = alice.post(f"/versions/{things.version_id}/exports", {"format": "csv"}).json()
    alice.post(f"/jobs/{made['job']['id']}/cancel")
    found = alice.get(f"/exports/{made['export']['id']}").json()
    assert (found["status"], found["job"]["state"], found["bytes"]) == ("failed", "cancelled", None)
    assert alice.get(f"/exports/{made['export']['id']}/file").status_code == 409
    assert alice.get(f"/exports/{uuid4()}/file").status_code == 404
