"""Logging in and out, signing up, settings; and what keeps others from doing so."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from hydroml.entrypoints.web.accounts.models import User
from tests.integration.web.people import Person

PASSWORD = "a long enough pass phrase"
QUICK = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


@pytest.fixture(autouse=True)
def _quick_hashes() -> Any:
    with QUICK:
        yield


def carol() -> User:
    return User.objects.create_user("carol", password=PASSWORD)


def log_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/login", {"username": "carol", "password": password, **more})


def test_logs_in_and_out() -> None:
    carol()
    client = Client()
    assert log_in(client)["Location"] == "/"
    assert client.get("/api/v1/me").json()["username"] == "carol"
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/api/v1/me").status_code == 401


def test_a_link_logs_nobody_out() -> None:
    carol()
    client = Client()
    log_in(client)
    assert client.get("/logout").status_code == 405
    assert client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [("/projects", "/projects"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("javascript:alert(1)", "/")],
)
def test_login_leads_only_to_our_own_pages(wanted: str, led_to: str) -> None:
    carol()
    assert log_in(Client(), next=wanted)["Location"] == led_to


def test_a_new_login_is_a_new_session() -> None:
    carol()
    client = Client()
    log_in(client)
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/logout")
    log_in(client)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != first


def test_a_wrong_password_says_no_more_than_an_unknown_name() -> None:
    carol()
    wrong = Client().post("/login", {"username": "carol", "password": "wrong"})
    unknown = Client().post("/login", {"username": "nobody", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 422

    def told(response: Any) -> str:
        found = re.search(r'role="alert".*?</div></div>', response.content.decode(), re.DOTALL)
        assert found is not None
        return found[0]

    assert told(wrong) == told(unknown)


def test_guessing_a_password_has_an_end() -> None:
    carol()
    client = Client()
    answers = [log_in(client, "wrong").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    refused = log_in(client)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Too many attempts" in refused.content.decode()
    assert Client(REMOTE_ADDR="10.0.0.9").post("/login", {"username": "carol", "password": PASSWORD}).status_code == 302


def test_success_forgets_the_failures() -> None:
    carol()
    client = Client()
    for _ in range(3):
        for _ in range(5):
            log_in(client, "wrong")
        assert log_in(client).status_code == 302
        client.post("/logout")


def test_an_endless_password_is_refused_without_hashing_it() -> None:
    carol()
    response = log_in(Client(), "x" * 100_000)
    assert response.status_code == 422
    assert "at most 256" in response.content.decode()


def test_signs_up_and_is_in() -> None:
    client = Client()
    form = {"username": "dora", "email": "", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/signup", form)["Location"] == "/"
    me = client.get("/api/v1/me").json()
    assert (me["username"], me["is_admin"]) == ("dora", False)


@pytest.mark.parametrize(
    "change",
    [
        {"password1": "short", "password2": "short"},
        {"password1": "1234567890123", "password2": "1234567890123"},
        {"password2": "another pass phrase"},
        {"username": "CAROL"},
        {"username": "<script>"},
    ],
)
def test_a_bad_sign_up_is_refused(change: dict[str, str]) -> None:
    carol()
    form = {"username": "dora", "password1": PASSWORD, "password2": PASSWORD} | change
    assert Client().post("/signup", form).status_code == 422
    assert User.objects.count() == 1


def test_nobody_becomes_an_administrator_by_a_form() -> None:
    form = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "is_superuser": "on", "is_staff": "on"}
    Client().post("/signup", form)
    assert not User.objects.get(username="eve").is_superuser


def test_sign_up_can_be_closed() -> None:
    with override_settings(HYDROML=settings.HYDROML.model_copy(update={"signup_open": False})):
        form = {"username": "dora", "password1": PASSWORD, "password2": PASSWORD}
        assert Client().post("/signup", form).status_code == 403
        assert Client().get("/signup").status_code == 200
    assert not User.objects.exists()


def test_a_changed_password_ends_the_other_sessions() -> None:
    carol()
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    new = "another long pass phrase"
    form = {"change_password": "1", "old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/settings", form | {"old_password": "wrong"}).status_code == 422
    assert here.post("/settings", form).status_code == 302
    assert here.get("/api/v1/me").status_code == 200
    assert there.get("/api/v1/me").status_code == 401


def test_settings_are_kept(alice: Person) -> None:
    assert alice.client.post("/settings", {"email": "a@example.org", "time_zone": "Europe/Paris"}).status_code == 302
    assert alice.client.post("/settings", {"email": "no address", "time_zone": "Nowhere"}).status_code == 422
    me = alice.get("/me").json()
    assert (me["email"], me["time_zone"]) == ("a@example.org", "Europe/Paris")
    assert alice.call("PATCH", "/me", {"theme": "dark"}).json()["theme"] == "dark"
    assert alice.call("PATCH", "/me", {"theme": "pink"}).json()["errors"][0]["loc"] == ["theme"]
    assert alice.call("PATCH", "/me", {"is_admin": True}).json()["is_admin"] is False
