from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.models import (
    Approval,
    ApprovalError,
    Decision,
    Model,
    ModelId,
    ModelVersionNotFoundError,
    require_approver,
)
from hydroml.domain.projects import Project, ProjectId, Role, UserId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ME = UserId(uuid4())


def new_model() -> Model:
    return Model(id=ModelId(uuid4()), project_id=ProjectId(uuid4()), name="flow", created_at=NOW)


def decided(verdict: Approval, reason: str = "its test metrics") -> Decision:
    return Decision(verdict, ME, NOW, reason)


def test_without_a_champion_the_newest_version_that_is_not_rejected_stands_for_the_model() -> None:
    model = new_model()
    first, second = (model.register(RunId(uuid4()), ME, NOW) for _ in range(2))
    assert model.resolve(None, None) == second
    model.decide(2, decided(Approval.REJECTED, "it leaks"))
    assert model.resolve(None, None) == first
    with pytest.raises(ApprovalError, match="rejected: it leaks"):
        model.resolve(None, 2)
    model.decide(1, decided(Approval.REJECTED))
    with pytest.raises(ApprovalError, match="every version"):
        model.resolve(None, None)


def test_a_champion_is_approved_first_and_an_alias_moves() -> None:
    model = new_model()
    for _ in range(2):
        model.register(RunId(uuid4()), ME, NOW)
    with pytest.raises(ApprovalError, match="not approved yet"):
        model.point("champion", 1)
    for number in (1, 2):
        model.decide(number, decided(Approval.APPROVED))
        model.point("champion", number)
    assert model.resolve("champion", None).number == 2


def test_what_is_withdrawn_loses_its_aliases_and_keeps_its_history() -> None:
    model = new_model()
    model.register(RunId(uuid4()), ME, NOW)
    model.point("candidate", 1)
    reasons = ("its test metrics", "the gauge was moved", "it was not")
    for verdict, reason in zip((Approval.APPROVED, Approval.REJECTED, Approval.APPROVED), reasons, strict=True):
        model.decide(1, decided(verdict, reason))
    assert model.aliases == {}
    assert tuple(one.reason for one in model.version(1).decisions) == reasons


def test_a_decision_has_a_reason_and_changes_something() -> None:
    model = new_model()
    model.register(RunId(uuid4()), ME, NOW)
    for reason in ("", "  ", "x" * 2_001):
        with pytest.raises(InvalidInputError):
            model.decide(1, decided(Approval.APPROVED, reason))
    model.decide(1, decided(Approval.APPROVED))
    with pytest.raises(ApprovalError, match="approved already"):
        model.decide(1, decided(Approval.APPROVED))


@given(st.lists(st.tuples(st.sampled_from(["approve", "reject", "point", "register"]), st.integers(1, 4))))
def test_the_champion_is_approved_whatever_is_done(actions: list[tuple[str, int]]) -> None:
    model = new_model()
    for action, number in actions:
        with suppress(ApprovalError, ModelVersionNotFoundError):
            match action:
                case "register":
                    model.register(RunId(uuid4()), ME, NOW)
                case "point":
                    model.point("champion", number)
                case _:
                    model.decide(number, decided(Approval.APPROVED if action == "approve" else Approval.REJECTED))
        assert all(model.version(held).approval is Approval.APPROVED for held in model.aliases.values())


def test_owners_approve_and_another_one_where_the_project_wants_it() -> None:
    other, editor = UserId(uuid4()), UserId(uuid4())
    members = {ME: Role.OWNER, other: Role.OWNER, editor: Role.EDITOR}
    project = Project(id=ProjectId(uuid4()), name="Rivers", members=members, created_at=NOW)
    version = new_model().register(RunId(uuid4()), ME, NOW)
    require_approver(project, version, ME)
    with pytest.raises(ForbiddenError, match="owner"):
        require_approver(project, version, editor)
    project.four_eyes = True
    require_approver(project, version, other)
    with pytest.raises(ForbiddenError, match="another owner"):
        require_approver(project, version, ME)


def test_the_same_run_is_registered_once() -> None:
    model, run = new_model(), RunId(uuid4())
    model.register(run, ME, NOW)
    with pytest.raises(ConflictError, match="version 1"):
        model.register(run, ME, NOW)


def test_unknown_versions_and_aliases_are_named() -> None:
    model = new_model()
    for ask in (
        lambda: model.resolve("best", None),
        lambda: model.resolve(None, 4),
        lambda: model.point("best", 4),
        lambda: model.unpoint("best"),
    ):
        with pytest.raises(ModelVersionNotFoundError):
            ask()
    with pytest.raises(InvalidInputError):
        model.point("Best!", 1)
