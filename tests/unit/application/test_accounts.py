"""Tokens, and the sample project."""

from datetime import timedelta

import pytest

from hydroml.application.ports.repositories import Listing
from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Scope, TokenNotFoundError
from tests.harness import Harness


def test_a_token_says_whose_it_is_and_its_secret_is_not_kept(app: Harness, me: UserId) -> None:
    token, secret = app.tokens.create(me, "laptop", [Scope.READ])
    found = app.tokens.authenticate(secret)
    assert (found.user_id, found.scopes) == (me, {Scope.READ})
    assert secret not in repr(app.tokens.list(me))
    assert token.digest != secret


def test_an_expired_revoked_or_invented_secret_opens_nothing(app: Harness, me: UserId) -> None:
    _, expired = app.tokens.create(me, "old", days=1)
    app.clock.advance(timedelta(days=2))
    token, revoked = app.tokens.create(me, "new")
    with pytest.raises(TokenNotFoundError):
        app.tokens.revoke(app.user(), token.id)
    app.tokens.revoke(me, token.id)
    for secret in (expired, revoked, "hml_guess"):
        with pytest.raises(TokenNotFoundError):
            app.tokens.authenticate(secret)


def test_the_sample_project_is_made_once(app: Harness, me: UserId) -> None:
    project, jobs = app.demo.create(me)
    app.work()
    again, no_jobs = app.demo.create(me)
    assert (again.id, len(jobs), no_jobs) == (project.id, 2, [])
    sources = app.sources.list(me, project.id, Listing(sort="name")).items
    assert [(s.source.name, s.current.rows if s.current else 0) for s in sources] == [
        ("Daily catchments", 7304),
        ("Water samples", 1200),
    ]
