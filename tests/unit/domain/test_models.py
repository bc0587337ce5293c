from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.models import Model, ModelId, ModelVersionNotFoundError
from hydroml.domain.projects import ProjectId, UserId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ME = UserId(uuid4())


def new_model() -> Model:
    return Model(id=ModelId(uuid4()), project_id=ProjectId(uuid4()), name="flow", created_at=NOW)


def test_the_first_version_is_the_champion_and_stays_it() -> None:
    model = new_model()
    first = model.register(RunId(uuid4()), ME, NOW)
    model.register(RunId(uuid4()), ME, NOW)
    assert model.resolve(None, None) == first


def test_an_alias_moves() -> None:
    model = new_model()
    model.register(RunId(uuid4()), ME, NOW)
    second = model.register(RunId(uuid4()), ME, NOW)
    model.point("champion", 2)
    assert model.resolve("champion", None) == second


def test_the_same_run_is_registered_once() -> None:
    model, run = new_model(), RunId(uuid4())
    model.register(run, ME, NOW)
    with pytest.raises(ConflictError, match="version 1"):
        model.register(run, ME, NOW)


def test_unknown_versions_and_aliases_are_named() -> None:
    model = new_model()
    for ask in (lambda: model.resolve("best", None), lambda: model.resolve(None, 4), lambda: model.point("best", 4)):
        with pytest.raises(ModelVersionNotFoundError):
            ask()
    with pytest.raises(InvalidInputError):
        model.point("Best!", 1)
