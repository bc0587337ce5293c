"""The commands, called in this process on real services."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.db import connections

from tests import services

services.setup_django()

from django.core.management import call_command  # noqa: E402

from hydroml.entrypoints.web.accounts import users  # noqa: E402
from hydroml.entrypoints.web.accounts.models import User  # noqa: E402

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _services(
    clean_database: str, broker_url: str, redis_url: str, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture
def run() -> Run:
    """Calls a command with --json and gives the document it prints."""

    def call(name: str, *arguments: str) -> Any:
        out = StringIO()
        call_command(name, *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    return call


@pytest.fixture
def admin() -> User:
    return users.create("admin", "a long enough pass phrase", admin=True)[0]
