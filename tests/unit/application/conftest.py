from pathlib import Path

import pytest

from hydroml.domain.projects import ProjectId, UserId
from tests.harness import Harness


@pytest.fixture
def app(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


@pytest.fixture
def me(app: Harness) -> UserId:
    return app.user()


@pytest.fixture
def project(app: Harness, me: UserId) -> ProjectId:
    return app.project(me)
