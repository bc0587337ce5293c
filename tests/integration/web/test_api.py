"""How the API behaves whatever is asked: problems, lists, conditional edits, repeated requests, tokens."""

import gzip
from typing import Any
from uuid import UUID, uuid4

import openapi_spec_validator
import pytest
from django.test import Client, override_settings

from hydroml.domain.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    StaleRevisionError,
    TooLargeError,
    UnavailableError,
)
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.errors import status_of
from tests.integration.web.people import Person, Things, finish, upload


def test_description_is_valid_and_open_to_all() -> None:
    description = Client().get("/api/v1/openapi.json").json()
    openapi_spec_validator.validate(description)
    assert all(o.get("description") for path in description["paths"].values() for o in path.values())


def test_docs_page_needs_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "/api/v1/projects/{project_id}/sources" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (NotFoundError, 404),
        (ForbiddenError, 403),
        (ConflictError, 409),
        (InvalidInputError, 422),
        (StaleRevisionError, 412),
        (TooLargeError, 413),
        (UnavailableError, 503),
        (DomainError, 422),
    ],
)
def test_each_kind_of_refusal_has_its_status(kind: type[DomainError], status: int) -> None:
    special = type("SpecialError", (kind,), {})
    assert status_of(kind("no")) == status_of(special("no")) == status


def test_refused_input_names_each_place(alice: Person) -> None:
    response = alice.post("/projects", {"description": 3})
    document = response.json()
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "errors"} <= set(document)
    assert [e["loc"] for e in document["errors"]] == [["name"], ["description"]]
    assert all(e["msg"] and e["code"] for e in document["errors"])


def test_a_rule_of_the_domain_is_a_problem_with_its_place(alice: Person) -> None:
    document = alice.post("/projects", {"name": "   "}).json()
    assert document["status"] == 422
    assert document["errors"][0]["loc"] == ["name"]


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "null", "", "\xff"])
def test_a_body_that_is_no_json_object_is_refused(alice: Person, body: str) -> None:
    response = alice.client.post("/api/v1/projects", body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response["Content-Type"] == "application/problem+json"


def test_unknown_address_is_a_problem(alice: Person) -> None:
    for path in ("/api/v1/nothing", "/api/v1/projects/not-an-id", "/api/v2/projects"):
        response = alice.client.get(path)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


def test_an_unexpected_error_tells_its_id_and_nothing_else(alice: Person) -> None:
    class Broken:
        def list(self, *_: Any) -> None:
            raise RuntimeError("the secret is swordfish")

    with container().projects.override(Broken()):
        response = alice.get("/projects")
    assert response.status_code == 500
    assert "swordfish" not in response.content.decode()
    assert response.json()["instance"] == f"urn:uuid:{response['X-Request-ID']}"


def test_lists_come_in_parts(alice: Person) -> None:
    for name in "abcde":
        alice.post("/projects", {"name": name})
    found: list[str] = []
    cursor = ""
    while True:
        part = alice.get(f"/projects?limit=2&sort=name{cursor}").json()
        assert part["total"] == 5
        found += [project["name"] for project in part["items"]]
        if part["next_cursor"] is None:
            break
        cursor = f"&cursor={part['next_cursor']}"
    assert found == list("abcde")


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=broken", "sort=password"])
def test_a_list_refuses_what_it_does_not_know(alice: Person, query: str) -> None:
    assert alice.get(f"/projects?{query}").status_code == 422


def test_an_edit_with_an_old_tag_is_refused(alice: Person, things: Things) -> None:
    path = f"/projects/{things.project_id}"
    seen = alice.get(path)["ETag"]
    changed = alice.call("PATCH", path, {"name": "first"}, **{"If-Match": seen})
    assert changed.status_code == 200
    assert changed["ETag"] != seen
    assert alice.call("PATCH", path, {"name": "second"}, **{"If-Match": seen}).status_code == 412
    assert alice.get(path).json()["name"] == "first"
    assert alice.call("PATCH", path, {"name": "third"}).status_code == 200


@pytest.mark.parametrize("kind", ["projects", "sources", "sessions", "experiments", "models"])
def test_what_can_be_edited_has_a_tag(alice: Person, things: Things, kind: str) -> None:
    document = alice.get(f"/{kind}/{things.ids[kind[:-1] + '_id']}")
    assert document["ETag"] == f'"{document.json()["revision"]}"'


def test_two_tabs_do_not_overwrite_each_others_steps(alice: Person, things: Things) -> None:
    path = f"/sessions/{things.session_id}"
    seen = alice.get(path)["ETag"]
    step = {"op": "drop_columns", "columns": ["flow"]}
    assert alice.post(f"{path}/steps", step, **{"If-Match": seen}).status_code == 201
    assert alice.post(f"{path}/undo", {}, **{"If-Match": seen}).status_code == 412
    assert alice.post(f"{path}/undo", {}, **{"If-Match": "not a tag"}).status_code == 412


def test_a_repeated_post_is_done_once(alice: Person) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = alice.post("/projects", {"name": "Once"}, **key)
    again = alice.post("/projects", {"name": "Once"}, **key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first["Location"] == again["Location"]
    assert alice.get("/projects").json()["total"] == 1


def test_a_key_belongs_to_one_request_and_one_person(alice: Person, bob: Person) -> None:
    key = {"Idempotency-Key": "the same"}
    assert alice.post("/projects", {"name": "One"}, **key).status_code == 201
    assert alice.post("/projects", {"name": "Another"}, **key).status_code == 409
    assert bob.post("/projects", {"name": "One"}, **key).status_code == 201


def test_a_refused_request_leaves_its_key_free(alice: Person) -> None:
    key = {"Idempotency-Key": "again"}
    assert alice.post("/projects", {"name": ""}, **key).status_code == 422
    assert alice.post("/projects", {"name": "Now"}, **key).status_code == 201


def test_a_repeated_upload_is_done_once(alice: Person) -> None:
    project = UUID(alice.post("/projects", {"name": "Rivers"}).json()["id"])
    alice.client.defaults["HTTP_IDEMPOTENCY_KEY"] = "file"
    assert upload(alice, project).json() == upload(alice, project).json()
    assert alice.get(f"/projects/{project}/sources").json()["total"] == 1


def test_a_job_is_accepted_with_its_address(alice: Person, things: Things) -> None:
    accepted = alice.post(f"/sessions/{things.session_id}/save", {"name": "Saved"})
    job = accepted.json()["job"]
    assert accepted.status_code == 202
    assert accepted["Location"] == f"/api/v1/jobs/{job['id']}"
    finish(job["id"])
    done = alice.client.get(accepted["Location"]).json()
    assert done["state"] == "succeeded"
    origin = alice.get(f"/versions/{done['result']['version_id']}").json()["origin"]
    assert origin["kind"] == "recipe"
    assert origin["parents"] == [str(things.version_id)]
    assert origin["steps"][0]["op"] == "drop_columns"


def test_a_token_stands_for_its_person(alice: Person, things: Things) -> None:
    headers = alice.token()
    assert Client(headers=headers).get("/api/v1/me").json()["username"] == "alice"
    response = Client(headers=headers, enforce_csrf_checks=True).post(
        "/api/v1/projects", {"name": "By script"}, content_type="application/json"
    )
    assert response.status_code == 201


def test_a_reading_token_changes_nothing(alice: Person, things: Things) -> None:
    client = Client(headers=alice.token("read"))
    assert client.get(f"/api/v1/projects/{things.project_id}").status_code == 200
    assert client.post("/api/v1/projects", {"name": "x"}, content_type="application/json").status_code == 403
    assert client.delete(f"/api/v1/projects/{things.project_id}").status_code == 403


def test_a_revoked_token_opens_nothing(alice: Person) -> None:
    created = alice.post("/me/tokens", {"name": "gone"}).json()
    assert alice.call("DELETE", f"/me/tokens/{created['id']}").status_code == 204
    assert Client(headers={"Authorization": f"Bearer {created['token']}"}).get("/api/v1/me").status_code == 401


def test_the_token_of_somebody_who_left_opens_nothing(alice: Person) -> None:
    headers = alice.token()
    alice.user.is_active = False
    alice.user.save()
    assert Client(headers=headers).get("/api/v1/me").status_code == 401
    assert alice.get("/me").status_code == 401


def test_a_bad_token_is_not_made_good_by_a_session(alice: Person) -> None:
    assert alice.get("/me", Authorization="Bearer wrong").status_code == 401


def test_the_secret_of_a_token_is_shown_once(alice: Person) -> None:
    secret = alice.post("/me/tokens", {"name": "script", "days": 3}).json()["token"]
    assert secret not in alice.get("/me/tokens").content.decode()


def test_a_viewer_reads_and_an_editor_changes(alice: Person, bob: Person, things: Things) -> None:
    members = f"/projects/{things.project_id}/members"
    assert alice.call("PUT", f"{members}/bob", {"role": "viewer"}).status_code == 200
    assert bob.get(f"/sources/{things.source_id}").status_code == 200
    assert bob.call("PATCH", f"/sources/{things.source_id}", {"name": "mine"}).status_code == 403
    assert bob.get(f"/sessions/{things.session_id}").status_code == 404
    assert alice.call("PUT", f"{members}/{bob.id}", {"role": "editor"}).status_code == 200
    assert bob.call("PATCH", f"/sources/{things.source_id}", {"name": "ours"}).status_code == 200
    assert bob.call("PUT", f"{members}/{bob.id}", {"role": "owner"}).status_code == 403
    assert alice.call("PUT", f"{members}/nobody", {"role": "viewer"}).status_code == 404
    assert alice.call("DELETE", f"{members}/{alice.id}").status_code == 409


def test_ids_in_bodies_are_scoped_too(alice: Person, bob: Person, things: Things) -> None:
    mine = bob.post("/projects", {"name": "Mine"}).json()["id"]
    specification = {"name": "x", "version_id": str(things.version_id), "target": "flow"}
    assert bob.post(f"/projects/{mine}/experiments", specification).status_code == 422
    assert bob.post(f"/projects/{mine}/preflight", specification).status_code == 422
    assert bob.get(f"/jobs?project_id={things.project_id}").status_code == 404
    own = UUID(mine)
    accepted = upload(bob, own).json()
    finish(accepted["job"]["id"])
    version = bob.get(f"/sources/{accepted['source']['id']}").json()["current_version"]["id"]
    session = bob.post(f"/versions/{version}/sessions", {}).json()["id"]
    assert bob.post(f"/sessions/{session}/save", {"source_id": str(things.source_id)}).status_code == 404
    opened = bob.post(f"/versions/{version}/sessions", {"project_id": str(things.project_id)})
    assert opened.status_code in (404, 409)


def test_large_answers_are_compressed_and_tokens_are_not(alice: Person) -> None:
    response = alice.get("/steps", **{"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert b'"drop_columns"' in gzip.decompress(response.content)
    for _ in range(10):
        alice.post("/me/tokens", {"name": "a token"})
    assert not alice.get("/me/tokens", **{"Accept-Encoding": "gzip"}).has_header("Content-Encoding")


def test_somebody_who_asks_too_often_waits(alice: Person) -> None:
    with override_settings(HYDROML_LIMITS={"requests_of_user": 2}):
        assert [alice.get("/me").status_code for _ in range(4)] == [200, 200, 429, 429]


def test_guessing_tokens_is_limited(alice: Person) -> None:
    with override_settings(HYDROML_LIMITS={"requests_of_stranger": 2}):
        client = Client(headers={"Authorization": "Bearer guess"})
        assert [client.get("/api/v1/me").status_code for _ in range(4)] == [401, 401, 429, 429]


def test_rows_come_sorted_filtered_and_chosen(alice: Person, things: Things) -> None:
    page = alice.get(f"/versions/{things.version_id}/rows?sort=-flow&limit=2&columns=flow,site").json()
    assert [column["name"] for column in page["columns"]] == ["flow", "site"]
    assert page["rows"] == [[30.5, "B"], [29.5, "A"]]
    assert page["total"] == 30
    assert page["elapsed_ms"] >= 0
    by_list = alice.get(f'/versions/{things.version_id}/rows?sort=["-flow"]&limit=2&columns=["flow","site"]').json()
    assert by_list["rows"] == page["rows"]
    filtered = alice.get(f"/versions/{things.version_id}/rows?filter=flow > 28 AND site = 'A'").json()
    assert filtered["total"] == 1


@pytest.mark.parametrize("query", ["sort=nothing", "columns=nothing", "filter=nothing > 1", "limit=1001", "offset=-1"])
def test_rows_refuse_what_is_not_there(alice: Person, things: Things, query: str) -> None:
    response = alice.get(f"/versions/{things.version_id}/rows?{query}")
    assert response.status_code == 422, response.content


def test_a_session_shows_its_history(alice: Person, things: Things) -> None:
    path = f"/sessions/{things.session_id}"
    session = alice.get(path).json()
    assert [(step["status"], step["applied"]) for step in session["steps"]] == [("ok", True)]
    assert [column["name"] for column in session["schema"]] == ["date", "flow"]
    undone = alice.post(f"{path}/undo").json()
    assert (undone["can_undo"], undone["can_redo"], undone["steps"][0]["applied"]) == (False, True, False)
    assert alice.post(f"{path}/undo").status_code == 409
    redone = alice.post(f"{path}/redo").json()
    assert redone["cursor"] == redone["steps"][0]["id"]
    switched = alice.call("PATCH", f"{path}/steps/{redone['cursor']}", {"enabled": False}).json()
    assert switched["steps"][0]["status"] == "disabled"
    listed = alice.get(f"/versions/{things.version_id}/sessions").json()["items"]
    assert [(one["id"], one["applied_steps"]) for one in listed] == [(str(things.session_id), 1)]


def test_a_step_that_cannot_run_is_refused_with_its_place(alice: Person, things: Things) -> None:
    for step in ({"op": "drop_columns", "columns": ["nothing"]}, {"op": "unheard_of"}, {"op": "filter"}):
        response = alice.post(f"/sessions/{things.session_id}/steps", step)
        assert response.status_code == 422, response.content
    assert len(alice.get(f"/sessions/{things.session_id}").json()["steps"]) == 1


def test_a_preview_stores_nothing(alice: Person, things: Things) -> None:
    path = f"/sessions/{things.session_id}"
    step = {"op": "drop_columns", "columns": ["flow"]}
    after_cursor = alice.post(f"{path}/preview", step).json()
    assert after_cursor["removed_columns"] == ["flow"]
    assert [column["name"] for column in after_cursor["columns"]] == ["date"]
    after_root = alice.post(f"{path}/preview?step=root", step).json()
    assert [column["name"] for column in after_root["columns"]] == ["date", "site"]
    assert alice.post(f"{path}/preview?step=nonsense", step).status_code == 422
    assert alice.get(path).json()["revision"] == 1


def test_the_original_comes_back_as_it_was(alice: Person, things: Things) -> None:
    response = alice.get(f"/versions/{things.version_id}/original")
    content = b"".join(response.streaming_content)
    assert content.startswith(b"date,flow,site")
    assert int(response["Content-Length"]) == len(content)
    assert 'filename="flows.csv"' in response["Content-Disposition"]
