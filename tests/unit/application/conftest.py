import pytest

from hydroml.domain.projects import ProjectId, UserId
from tests.harness import Harness


@pytest.fixture
def app() -> Harness:
    return Harness()


@pytest.fixture
def me(app: Harness) -> UserId:
    return app.user()


@pytest.fixture
def project(app: Harness, me: UserId) -> ProjectId:
    return app.project(me)
