"""The web on real services."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections

from tests import services

services.setup_django()

from tests.integration.web.people import Person, Things, make_things, person  # noqa: E402


@pytest.fixture(autouse=True)
def _web(
    clean_database: str, broker_url: str, redis_url: str, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    """Empty tables, an empty cache, and connections that may be used, also from threads."""
    with django_db_blocker.unblock():
        cache.clear()
        yield
        connections.close_all()


@pytest.fixture
def alice() -> Person:
    return person("alice")


@pytest.fixture
def bob() -> Person:
    return person("bob")


@pytest.fixture
def things(alice: Person) -> Things:
    """Alice's project with a source, version, session, experiment, run, model, job and token."""
    return make_things(alice)
