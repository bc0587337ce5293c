"""Projects and their members."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.projects import ProjectSummary
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import ListingIn, Page, page, seen_revision, tag, whole

router = Router(tags=["projects"])


class ProjectIn(Schema):
    """A new project."""

    name: str
    description: str = Field("", max_length=5_000)


class ProjectPatch(Schema):
    """What changes; what is left out stays."""

    name: str | None = None
    description: str | None = Field(None, max_length=5_000)
    four_eyes: bool | None = Field(None, description="As an owner: see the project.")


class ProjectOut(Schema):
    """A project as one of its members sees it."""

    id: UUID
    name: str
    description: str
    role: Role
    four_eyes: bool = Field(description="Whether another owner than who registered a model's version decides about it.")
    sources: int
    experiments: int
    models: int
    created_at: datetime
    revision: int

    @classmethod
    def of(cls, summary: ProjectSummary) -> "ProjectOut":
        project, counts = summary.project, summary.counts
        return cls(
            id=project.id,
            name=project.name,
            description=project.description,
            role=summary.role,
            four_eyes=project.four_eyes,
            sources=counts.sources,
            experiments=counts.experiments,
            models=counts.models,
            created_at=project.created_at,
            revision=project.revision,
        )


class RoleIn(Schema):
    """What a member may do."""

    role: Role


class MemberIn(RoleIn):
    """Somebody by name, and what they may do."""

    username: str


class MemberOut(Schema):
    """Somebody who shares a project."""

    id: UUID
    username: str
    role: Role


@router.get("", response=Page[ProjectOut])
def list_projects(request: HttpRequest, which: Query[ListingIn]) -> Any:
    """The projects I am a member of. Sort by `created_at` or `name`."""
    return page(container().projects().list(request.auth, which.listing()), ProjectOut)


@router.post("", response={201: ProjectOut})
def create_project(request: HttpRequest, response: HttpResponse, body: ProjectIn) -> Status[ProjectOut]:
    """A project of my own."""
    summary = container().projects().create(request.auth, body.name, body.description)
    response["Location"] = f"/api/v1/projects/{summary.project.id}"
    tag(response, summary.project.revision)
    return Status(201, ProjectOut.of(summary))


@router.get("/{uuid:project_id}", response=ProjectOut)
def get_project(request: HttpRequest, response: HttpResponse, project_id: UUID) -> ProjectOut:
    """One project, with how much is in it."""
    summary = container().projects().get(request.auth, ProjectId(project_id))
    tag(response, summary.project.revision)
    return ProjectOut.of(summary)


@router.patch("/{uuid:project_id}", response=ProjectOut)
def change_project(request: HttpRequest, response: HttpResponse, project_id: UUID, body: ProjectPatch) -> ProjectOut:
    """Rename or describe it; as an owner, say who approves models."""
    summary = (
        container()
        .projects()
        .update(
            request.auth,
            ProjectId(project_id),
            name=body.name,
            description=body.description,
            four_eyes=body.four_eyes,
            revision=seen_revision(request),
        )
    )
    tag(response, summary.project.revision)
    return ProjectOut.of(summary)


@router.delete("/{uuid:project_id}", response={204: None})
def delete_project(request: HttpRequest, project_id: UUID) -> Status[None]:
    """Removes the project with its experiments, runs, models and sessions; data sources only leave it."""
    container().projects().delete(request.auth, ProjectId(project_id))
    return Status(204, None)


@router.get("/{uuid:project_id}/members", response=Page[MemberOut])
def list_members(request: HttpRequest, project_id: UUID) -> Any:
    """Who shares the project."""
    return whole(_members(container().projects().get(request.auth, ProjectId(project_id))), MemberOut)


@router.post("/{uuid:project_id}/members", response={201: MemberOut})
def add_member(request: HttpRequest, project_id: UUID, body: MemberIn) -> Status[MemberOut]:
    """Somebody joins, by the name they log in with."""
    return Status(201, _joined(request, project_id, body.username, body.role))


@router.get("/{uuid:project_id}/members/{uuid:user_id}", response=MemberOut)
def get_member(request: HttpRequest, project_id: UUID, user_id: UUID) -> MemberOut:
    """What one member may do."""
    summary = container().projects().get(request.auth, ProjectId(project_id))
    for member in _members(summary):
        if member.id == user_id:
            return member
    raise users.UserNotFoundError(f"user {user_id} is not a member of this project")


@router.put("/{uuid:project_id}/members/{uuid:user_id}", response=MemberOut)
def set_member(request: HttpRequest, project_id: UUID, user_id: UUID, body: RoleIn) -> MemberOut:
    """Somebody joins, or gets another role."""
    return _joined(request, project_id, user_id, body.role)


@router.put("/{uuid:project_id}/members/{username}", response=MemberOut)
def set_member_by_name(request: HttpRequest, project_id: UUID, username: str, body: RoleIn) -> MemberOut:
    """The same, by the name they log in with."""
    return _joined(request, project_id, username, body.role)


@router.delete("/{uuid:project_id}/members/{uuid:user_id}", response={204: None})
def remove_member(request: HttpRequest, project_id: UUID, user_id: UUID) -> Status[None]:
    """An owner removes anybody; everybody may leave."""
    container().projects().remove_member(request.auth, ProjectId(project_id), UserId(user_id))
    return Status(204, None)


def _joined(request: HttpRequest, project_id: UUID, who: UUID | str, role: Role) -> MemberOut:
    container().access().check(request.auth, "project", project_id)  # strangers must not learn who has an account
    user = users.by_id(who) if isinstance(who, UUID) else users.named(who)
    container().projects().set_member(request.auth, ProjectId(project_id), UserId(user.pk), role)
    return MemberOut(id=user.pk, username=user.username, role=role)


def _members(summary: ProjectSummary) -> list[MemberOut]:
    roles = summary.project.members
    names = users.names(list(roles))
    found = [MemberOut(id=id_, username=names.get(id_, "(removed)"), role=role) for id_, role in roles.items()]
    return sorted(found, key=lambda member: member.username.lower())
