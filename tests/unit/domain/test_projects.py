from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hydroml.domain.errors import ForbiddenError, InvalidInputError
from hydroml.domain.projects import LastOwnerError, Project, ProjectId, ProjectNotFoundError, Role, UserId

OWNER, EDITOR, STRANGER = (UserId(uuid4()) for _ in range(3))


def project(name: str = "Esk") -> Project:
    members = {OWNER: Role.OWNER, EDITOR: Role.EDITOR}
    return Project(id=ProjectId(uuid4()), name=name, members=members, created_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_stranger_is_told_that_it_does_not_exist() -> None:
    with pytest.raises(ProjectNotFoundError):
        project().require(STRANGER, Role.VIEWER)


def test_a_larger_role_includes_the_smaller_ones() -> None:
    project().require(EDITOR, Role.VIEWER)
    with pytest.raises(ForbiddenError, match="owner"):
        project().require(EDITOR, Role.OWNER)


def test_the_last_owner_can_neither_leave_nor_step_down() -> None:
    ours = project()
    for change in (lambda: ours.remove(OWNER), lambda: ours.set_role(OWNER, Role.VIEWER)):
        with pytest.raises(LastOwnerError):
            change()
    ours.set_role(EDITOR, Role.OWNER)
    ours.remove(OWNER)
    assert ours.members == {EDITOR: Role.OWNER}


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b"])
def test_a_name_has_something_to_show(name: str) -> None:
    with pytest.raises(InvalidInputError):
        project(name)


def test_a_name_keeps_what_people_write() -> None:
    assert project(" <b>Ísafjörður</b> 🌊 ").name == "<b>Ísafjörður</b> 🌊"
