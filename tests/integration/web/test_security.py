"""Headers, cookies, forged requests, health, static files, logs and reports of errors."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from django.conf import settings
from django.test import Client, RequestFactory, override_settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.observability import configure_sentry
from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.web.limits import client_address
from hydroml.entrypoints.web.static_files import StaticFiles
from tests.integration.web.people import Person, Things, person, upload

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/login", "/", "/nothing", "/api/v1/me", "/api/v1/docs", "/healthz", "/logout"])
def test_every_answer_has_the_security_headers(path: str) -> None:
    response = Client().get(path)
    assert {name: response[name] for name in HEADERS} == HEADERS
    assert "camera=()" in response["Permissions-Policy"]
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")


def test_the_nonce_is_new_each_time_and_on_every_script() -> None:
    nonces = set()
    for _ in range(2):
        response = Client().get("/login")
        found = re.search(r"script-src 'self' 'nonce-([\w-]+)'", response["Content-Security-Policy"])
        assert found is not None
        nonces.add(found[1])
        for tag in re.findall(r"<(?:script|style)\b[^>]*>", response.content.decode()):
            assert f'nonce="{found[1]}"' in tag
    assert len(nonces) == 2


def test_https_is_kept_to_where_it_is_served() -> None:
    assert not Client().get("/login").has_header("Strict-Transport-Security")
    with override_settings(HYDROML=settings.HYDROML.model_copy(update={"https": True})):
        assert "max-age=31536000" in Client().get("/login", secure=True)["Strict-Transport-Security"]


def test_cookies_are_closed() -> None:
    client = Client()
    password = "a long enough pass phrase"
    client.post("/signup", {"username": "dora", "password1": password, "password2": password})
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_what_belongs_to_somebody_is_not_cached(alice: Person) -> None:
    assert alice.get("/me")["Cache-Control"] == "no-store"
    assert "no-store" in alice.client.get("/projects")["Cache-Control"]


def test_a_forged_request_is_refused() -> None:
    dora = person("dora", csrf=True)
    response = dora.post("/projects", {"name": "forged"})
    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert dora.client.post("/settings", {"email": "x@example.org"}).status_code == 403
    assert dora.client.post("/logout").status_code == 403
    dora.client.get("/settings")
    token = dora.client.cookies["csrftoken"].value
    assert dora.post("/projects", {"name": "meant"}, **{"X-CSRFToken": token}).status_code == 201
    assert (
        dora.post("/projects", {"name": "x"}, **{"X-CSRFToken": token, "Origin": "https://evil.example"}).status_code
        == 403
    )
    assert dora.post("/projects", {"name": "x"}, **{"X-CSRFToken": "x" * 32}).status_code == 403


def test_an_upload_is_not_read_before_its_token_is_checked() -> None:
    dora = person("dora", csrf=True)
    dora.client.get("/settings")
    token = dora.client.cookies["csrftoken"].value
    project = dora.post("/projects", {"name": "Rivers"}, **{"X-CSRFToken": token}).json()["id"]
    assert upload(dora, project, csrfmiddlewaretoken=token).status_code == 403
    dora.client.defaults["HTTP_X_CSRFTOKEN"] = token
    assert upload(dora, project).status_code == 202


def test_names_are_shown_as_text(alice: Person, things: Things) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    alice.call("PATCH", f"/projects/{things.project_id}", {"name": nasty})
    for path in ("/", "/projects", f"/projects/{things.project_id}"):
        assert nasty not in alice.client.get(path).content.decode()


def test_a_foreign_host_is_refused() -> None:
    assert Client(headers={"Host": "evil.example"}).get("/login").status_code == 400
    response = Client(headers={"Host": "evil.example"}).get("/api/v1/me")
    assert response.status_code in (400, 401)


def test_strangers_cannot_say_where_they_come_from() -> None:
    seen = []
    request: Any = type("R", (), {"META": {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 10.0.0.2"}})
    seen.append(client_address(request))
    trusted = settings.HYDROML.model_copy(update={"trusted_proxies": ("10.0.0.1", "10.0.0.2")})
    with override_settings(HYDROML=trusted):
        seen.append(client_address(request))
    assert seen == ["10.0.0.1", "1.1.1.1"]


def test_health_needs_no_login() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    ready = Client().get("/readyz")
    assert ready.status_code == 200, ready.content
    assert ready.json()["checks"] == {"database": "ok", "broker": "ok", "storage": "ok"}


def test_it_is_not_ready_without_its_storage() -> None:
    class Broken:
        def exists(self, key: str) -> bool:
            raise OSError("the disk is gone: /secret/path")

    with container().blobs.override(Broken()):
        response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["storage"] == "failed"
    assert "secret" not in response.content.decode()


def test_built_files_are_served_for_ever(tmp_path: Path) -> None:
    built = tmp_path / "dist" / "main-Ab3dE_9x.js"
    built.parent.mkdir()
    built.write_text("let a = 1;\n" * 200)
    with override_settings(STATICFILES_DIRS=[tmp_path]):
        serve = StaticFiles(lambda request: None)
        response: Any = serve(RequestFactory().get("/static/dist/main-Ab3dE_9x.js"))
    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]
    assert response.content == built.read_bytes()


class Broken:
    """A service that meets an error while it holds somebody's data."""

    def list(self, *_: Any) -> None:
        table = "-".join(("river", str(6 * 7)))
        raise RuntimeError(f"broken after {len(table)}")


class Kept(Transport):
    """What would be sent to Sentry."""

    def __init__(self) -> None:
        super().__init__({"dsn": "https://key@sentry.invalid/1"})
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(dict(event))


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Kept]:
    transport = Kept()
    wanted = Settings(data_dir=tmp_path, sentry_dsn="https://key@sentry.invalid/1")
    assert configure_sentry(wanted, transport)
    yield transport
    sentry_sdk.init()


def test_an_error_is_reported_without_personal_data(alice: Person, reports: Kept) -> None:
    headers = alice.token()
    with container().projects.override(Broken()):
        Client(headers=headers, REMOTE_ADDR="203.0.113.7").get("/api/v1/projects?search=confidential")
    assert len(reports.events) == 1
    sent = json.dumps(reports.events[0], default=str)
    assert "RuntimeError" in sent
    secret = headers["Authorization"].removeprefix("Bearer ")
    for private in (secret, "confidential", "river-42", "203.0.113.7", "alice", str(alice.id)):
        assert private not in sent, private


def test_refusals_are_not_reported(alice: Person, reports: Kept) -> None:
    alice.post("/projects", {"name": ""})
    alice.get("/projects/00000000-0000-0000-0000-000000000000")
    assert reports.events == []


def test_without_a_dsn_nothing_is_sent(tmp_path: Path) -> None:
    assert not configure_sentry(Settings(data_dir=tmp_path))


def test_each_request_is_one_line_with_its_id_and_without_its_query(
    alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "hydroml.request"):
        response = alice.get("/projects?search=confidential")
    lines = [record.msg for record in caplog.records if record.name == "hydroml.request"]
    assert len(lines) == 1
    line: Any = lines[0]
    assert (line["path"], line["status"], line["request_id"]) == ("/api/v1/projects", 200, response["X-Request-ID"])
    assert "confidential" not in str(line)
