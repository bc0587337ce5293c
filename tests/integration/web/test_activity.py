"""Who did what, over the API."""

from tests.integration.web.people import Person, Things


def test_members_see_what_was_done(alice: Person, bob: Person, things: Things) -> None:
    alice.call("PATCH", f"/sources/{things.source_id}", {"name": "Flows"})
    alice.call("PUT", f"/projects/{things.project_id}/members/{bob.user.pk}", {"role": "viewer"})
    found = bob.get(f"/projects/{things.project_id}/activity").json()
    admitted, renamed = found["items"][:2]
    assert (admitted["actor"]["name"], admitted["verb"], admitted["subject"]["name"]) == ("alice", "admitted", "bob")
    assert (renamed["verb"], renamed["subject"]["name"], renamed["text"]) == (
        "renamed", "Flows", "it was called “flows.csv”",
    )  # fmt: skip
    assert found["total"] > 5
    alone = bob.get(f"/sources/{things.source_id}/activity?limit=1").json()
    assert (alone["items"], alone["total"] < found["total"]) == ([renamed], True)
    more = bob.get(f"/sources/{things.source_id}/activity?limit=1&cursor={alone['next_cursor']}").json()
    assert more["items"][0]["at"] <= renamed["at"]


def test_only_administrators_see_what_everybody_did(alice: Person, bob: Person, things: Things) -> None:
    assert alice.get("/audit").status_code == 403
    bob.user.is_superuser = True
    bob.user.save()
    everything = bob.get("/audit?limit=500").json()
    assert {entry["subject"]["kind"] for entry in everything["items"]} >= {"project", "source", "version", "token"}
    assert bob.get("/audit?cursor=nonsense").status_code == 422
