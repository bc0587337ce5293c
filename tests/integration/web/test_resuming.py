"""Uploads by the tus protocol: announced, broken off, resumed, and made a data source."""

import base64
import hashlib
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from tests.integration.web.people import CSV, Person, finish

OFFSET_STREAM = "application/offset+octet-stream"


@pytest.fixture
def project(alice: Person) -> UUID:
    return UUID(alice.post("/projects", {"name": "Rivers"}).json()["id"])


def begin(who: Person, size: int | str, name: str = "räume.csv") -> Any:
    metadata = f"filename {base64.b64encode(name.encode()).decode()},type dGV4dA=="
    return who.client.post("/api/v1/uploads", headers={"Upload-Length": str(size), "Upload-Metadata": metadata})


def send(who: Person, address: str, offset: int | str, content: bytes, kind: str = OFFSET_STREAM) -> Any:
    return who.client.patch(address, content, content_type=kind, headers={"Upload-Offset": str(offset)})


def test_a_file_comes_in_parts_and_becomes_a_source(alice: Person, project: UUID) -> None:
    begun = begin(alice, len(CSV))
    assert (begun.status_code, begun["Tus-Resumable"], begun["Upload-Offset"]) == (201, "1.0.0", "0")
    address = begun["Location"]
    first = send(alice, address, 0, CSV[:20])
    assert (first.status_code, first["Upload-Offset"]) == (204, "20")
    assert send(alice, address, 0, CSV[:20]).status_code == 409
    asked = alice.client.head(address)
    assert (asked["Upload-Offset"], asked["Upload-Length"]) == ("20", str(len(CSV)))
    upload_id = begun.json()["id"]
    body = {"upload_ids": [upload_id], "options": {"delimiter": ","}}
    assert alice.post("/uploads/detect", body).status_code == 422
    assert send(alice, address, 20, CSV[20:]).status_code == 204
    assert alice.get("/uploads").json()["items"][0]["complete"] is True
    found = alice.post("/uploads/detect", body).json()
    assert found["options"]["delimiter"] == ","
    accepted = alice.post(f"/projects/{project}/sources", body | {"name": "Räume", "options": found["options"]})
    assert accepted.status_code == 202, accepted.content
    finish(accepted.json()["job"]["id"])
    source = alice.get(f"/sources/{accepted.json()['source']['id']}").json()
    (original,) = source["current_version"]["origin"]["originals"]
    assert (source["name"], original["filename"]) == ("Räume", "räume.csv")
    assert original["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert alice.get("/uploads").json()["items"] == []


def test_rejected_rows_are_a_table(alice: Person, project: UUID) -> None:
    content = b"a,b\n1,2\n3\n4,5\n"
    address = begin(alice, len(content))["Location"]
    send(alice, address, 0, content)
    upload_id = address.rsplit("/", 1)[-1]
    accepted = alice.post(f"/projects/{project}/sources", {"upload_ids": [upload_id]}).json()
    finish(accepted["job"]["id"])
    version = alice.get(f"/sources/{accepted['source']['id']}").json()["current_version"]
    assert (version["rows"], version["origin"]["rejected"]) == (2, 1)
    rows = alice.get(f"/versions/{version['id']}/rejected").json()
    assert rows["rows"] == [["räume.csv", 3, "it has 1 cell, not 2", "3"]]
    assert rows["total"] == 1


def test_the_limit_is_told_and_kept(alice: Person) -> None:
    limit = alice.get("/uploads/limits").json()["max_bytes"]
    assert limit == settings.HYDROML.max_upload_bytes
    protocol = alice.client.options("/api/v1/uploads")
    assert (protocol.status_code, protocol["Tus-Max-Size"]) == (204, str(limit))
    assert begin(alice, limit + 1).status_code == 413
    address = begin(alice, 4)["Location"]
    assert send(alice, address, 0, b"12345").status_code == 413
    assert int(alice.client.head(address)["Upload-Offset"]) <= 4


@pytest.mark.parametrize("size", ["", "-1", "many", "9" * 40, "1.5"])
def test_a_size_is_a_number(alice: Person, size: str) -> None:
    assert begin(alice, size).status_code == 422


def test_bad_requests_are_told(alice: Person) -> None:
    address = begin(alice, 4)["Location"]
    assert send(alice, address, 0, b"1234", "text/plain").status_code == 422
    assert send(alice, address, "x", b"1234").status_code == 422
    headers = {"Upload-Length": "4", "Upload-Metadata": "filename ***"}
    assert alice.client.post("/api/v1/uploads", headers=headers).status_code == 422
    assert alice.client.delete(address).status_code == 204
    assert alice.client.head(address).status_code == 404


def test_the_trash_by_its_addresses(alice: Person, project: UUID) -> None:
    address = begin(alice, len(CSV))["Location"]
    send(alice, address, 0, CSV)
    accepted = alice.post(f"/projects/{project}/sources", {"upload_ids": [address.rsplit("/", 1)[-1]]}).json()
    finish(accepted["job"]["id"])
    source = accepted["source"]["id"]
    assert alice.call("DELETE", f"/sources/{source}").status_code == 204
    assert alice.get(f"/sources/{source}").status_code == 404
    (item,) = alice.get(f"/projects/{project}/trash").json()["items"]
    assert (item["id"], item["name"]) == (source, "räume.csv")
    freed = alice.get(f"/sources/{source}/purge").json()["bytes"]
    assert alice.post(f"/sources/{source}/purge", {"name": "other"}).status_code == 422
    assert alice.post(f"/sources/{source}/restore").status_code == 200
    assert alice.call("DELETE", f"/sources/{source}").status_code == 204
    assert alice.post(f"/sources/{source}/purge", {"name": "räume.csv"}).json() == {"freed_bytes": freed}


def uploaded(who: Person, content: bytes, name: str) -> str:
    begun = begin(who, len(content), name)
    assert send(who, begun["Location"], 0, content).status_code == 204
    return str(begun.json()["id"])


def test_several_files_become_one_table_and_more_rows_are_appended(alice: Person, project: UUID) -> None:
    ids = [uploaded(alice, b"n,s\n1,a\n2,b\n", "a.csv"), uploaded(alice, b"s,n\nc,3\nd\n", "b.csv")]
    found = alice.post("/uploads/detect", {"upload_ids": ids}).json()
    assert [file["name"] for file in found["files"]] == ["a.csv", "b.csv"]
    assert (found["rows"], found["rejected"]) == ([[1, "a"], [2, "b"], [3, "c"]], 1)
    accepted = alice.post(f"/projects/{project}/sources", {"upload_ids": ids, "options": found["options"]}).json()
    finish(accepted["job"]["id"])
    address = f"/sources/{accepted['source']['id']}"
    first = alice.get(address).json()["current_version"]
    assert [one["filename"] for one in first["origin"]["originals"]] == ["a.csv", "b.csv"]

    more = {"upload_ids": [uploaded(alice, b"n,s,x\n4.5,e,new\n", "c.csv")], "append": True}
    finish(alice.post(f"{address}/versions", more).json()["job"]["id"])
    second = alice.get(address).json()["current_version"]
    rows = alice.get(f"/versions/{second['id']}/rows").json()
    assert [(c["name"], c["type"]) for c in rows["columns"]] == [("n", "number"), ("s", "text"), ("x", "text")]
    assert rows["rows"] == [[1.0, "a", None], [2.0, "b", None], [3.0, "c", None], [4.5, "e", "new"]]
    assert (second["origin"]["parents"], alice.get(f"/versions/{first['id']}/rows").json()["total"]) == (
        [first["id"]],
        3,
    )

    unfit = {"upload_ids": [uploaded(alice, b"n,s\nmany,f\n", "d.csv")], "append": True}
    finish(alice.post(f"{address}/versions", unfit).json()["job"]["id"])
    source = alice.get(address).json()
    assert source["current_version"]["id"] == second["id"]
    assert "“n” holds values of type number so far" in source["error"]
