"""Projects: what people share, and who may do what in them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError

UserId = NewType("UserId", UUID)
ProjectId = NewType("ProjectId", UUID)

NAME_LENGTH = 200


class ProjectNotFoundError(NotFoundError):
    def __init__(self, project_id: ProjectId) -> None:
        super().__init__(f"project {project_id} does not exist")


class LastOwnerError(ConflictError):
    def __init__(self) -> None:
        super().__init__("a project needs an owner: make someone else owner first")


class Role(StrEnum):
    """What a member may do: a viewer reads, an editor also changes, an owner also manages members."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


def clean_name(name: str, *loc: str | int) -> str:
    """`name` without surrounding blanks; raises InvalidInputError when nothing is left or it is too long."""
    stripped = name.strip()
    if not stripped or len(stripped) > NAME_LENGTH:
        raise InvalidInputError.at(
            *(loc or ("name",)),
            msg=f"a name has 1 to {NAME_LENGTH} characters, this one has {len(stripped)}",
            code="name",
        )
    if any(ord(character) < 32 for character in stripped):
        raise InvalidInputError.at(*(loc or ("name",)), msg="a name cannot hold control characters", code="name")
    return stripped


@dataclass(slots=True, kw_only=True)
class Project:
    """Data sources, experiments and models that its members share."""

    id: ProjectId
    name: str
    description: str = ""
    members: dict[UserId, Role] = field(default_factory=dict)
    four_eyes: bool = False
    """Whether another owner than the one who registered a model's version decides about it."""
    created_at: datetime
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)

    def rename(self, name: str) -> None:
        self.name = clean_name(name)

    def role_of(self, user: UserId) -> Role:
        """Raises ProjectNotFoundError for whoever is not a member."""
        role = self.members.get(user)
        if role is None:
            raise ProjectNotFoundError(self.id)
        return role

    def require(self, user: UserId, role: Role) -> None:
        """Raises ProjectNotFoundError for strangers and ForbiddenError for members whose role is too small."""
        held = self.role_of(user)
        if not held.includes(role):
            raise ForbiddenError(f"this needs the role {role} in the project; yours is {held}")

    def set_role(self, user: UserId, role: Role) -> None:
        self._keep_an_owner(user, role)
        self.members[user] = role

    def remove(self, user: UserId) -> None:
        self.role_of(user)
        self._keep_an_owner(user, None)
        del self.members[user]

    def _keep_an_owner(self, user: UserId, role: Role | None) -> None:
        others = [u for u, r in self.members.items() if r is Role.OWNER and u != user]
        if role is not Role.OWNER and not others and self.members.get(user) is Role.OWNER:
            raise LastOwnerError
