"""Projects and their members."""

from dataclasses import dataclass
from uuid import uuid4

from hydroml.application.access import project_of
from hydroml.application.activity import tell
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, ProjectCounts, Slice, UnitOfWorkFactory
from hydroml.domain.errors import StaleRevisionError
from hydroml.domain.jobs import Subject
from hydroml.domain.projects import Project, ProjectId, Role, UserId

NO_COUNTS = ProjectCounts()


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project as its member sees it."""

    project: Project
    role: Role
    counts: ProjectCounts


def check_revision(held: int, expected: int | None) -> None:
    """Raises StaleRevisionError when the asker last saw another revision than the one that is held."""
    if expected is not None and expected != held:
        raise StaleRevisionError(f"this was changed meanwhile (revision {held}, you have {expected}); read it again")


class ProjectService:
    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def create(self, user: UserId, name: str, description: str = "") -> ProjectSummary:
        project = Project(
            id=ProjectId(uuid4()),
            name=name,
            description=description,
            members={user: Role.OWNER},
            created_at=self._clock(),
        )
        with self._uow() as uow:
            uow.projects.add(project)
            tell(uow, user, "created", project, project.created_at)
            uow.commit()
        return ProjectSummary(project, Role.OWNER, NO_COUNTS)

    def get(self, user: UserId, project_id: ProjectId) -> ProjectSummary:
        with self._uow() as uow:
            project = project_of(uow, user, project_id)
            counts = uow.projects.counts([project_id])
        return ProjectSummary(project, project.role_of(user), counts.get(project_id, NO_COUNTS))

    def list(self, user: UserId, listing: Listing) -> Slice[ProjectSummary]:
        with self._uow() as uow:
            found = uow.projects.of_member(user, listing)
            counts = uow.projects.counts([project.id for project in found.items])
        items = tuple(ProjectSummary(p, p.role_of(user), counts.get(p.id, NO_COUNTS)) for p in found.items)
        return Slice(items, found.next_cursor, found.total)

    def update(
        self,
        user: UserId,
        project_id: ProjectId,
        *,
        name: str | None = None,
        description: str | None = None,
        four_eyes: bool | None = None,
        revision: int | None = None,
    ) -> ProjectSummary:
        """Names are an editor's to change; who approves models is an owner's."""
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.EDITOR if four_eyes is None else Role.OWNER)
            check_revision(project.revision, revision)
            before = project.name
            if name is not None:
                project.rename(name)
            if description is not None:
                project.description = description
            changes = [f"it was called “{before}”"] if project.name != before else []
            if four_eyes is not None and four_eyes is not project.four_eyes:
                project.four_eyes = four_eyes
                changes.append("models need another owner's approval" if four_eyes else "any owner approves models")
            uow.projects.save(project)
            tell(uow, user, "changed", project, self._clock(), "; ".join(changes))
            uow.commit()
        return self.get(user, project_id)

    def delete(self, user: UserId, project_id: ProjectId) -> None:
        """Removes the project with its experiments, runs, models and sessions; its sources only leave it."""
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.OWNER)
            uow.projects.delete(project_id)
            tell(uow, user, "deleted", project, self._clock())
            uow.commit()

    def set_member(self, user: UserId, project_id: ProjectId, member: UserId, role: Role) -> None:
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.OWNER)
            project.set_role(member, role)
            uow.projects.save(project)
            tell(uow, user, "admitted", project, self._clock(), f"as {role}", about=Subject("member", member, ""))
            uow.commit()

    def remove_member(self, user: UserId, project_id: ProjectId, member: UserId) -> None:
        """An owner removes anybody; everybody may leave."""
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.VIEWER if member == user else Role.OWNER)
            project.remove(member)
            uow.projects.save(project)
            tell(uow, user, "removed", project, self._clock(), about=Subject("member", member, ""))
            uow.commit()
