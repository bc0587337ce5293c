"""Data sources: listed, renamed, removed; their versions and originals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO
from uuid import UUID, uuid4

from hydroml.application.access import project_of, source_of, version_of
from hydroml.application.activity import tell
from hydroml.application.analysis import AnalysisService
from hydroml.application.blobs import BlobSweeper
from hydroml.application.following import Followers, check_no_loop
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.jobs import Job, JobId
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import (
    DataSource,
    Following,
    Origin,
    Original,
    OriginKind,
    SourceBusyError,
    SourceId,
    SourceStatus,
    Version,
    VersionId,
    VersionNotFoundError,
)


class OriginalNotFoundError(NotFoundError):
    def __init__(self, version_id: VersionId) -> None:
        super().__init__(f"version {version_id} was not made from a file")


@dataclass(frozen=True, slots=True)
class SourceDetail:
    """A source with its current version and the job that makes, or failed to make, the newest one."""

    source: DataSource
    current: Version | None
    job: Job | None


@dataclass(frozen=True, slots=True)
class Purge:
    """What removing a source for good frees in bytes, and how many versions go and runs stand on them."""

    size: int
    versions: int
    runs: int


class SourceService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        blobs: BlobStore,
        sweeper: BlobSweeper,
        analyses: AnalysisService,
        followers: Followers,
        clock: Clock,
    ) -> None:
        self._uow, self._blobs, self._sweeper, self._clock = uow, blobs, sweeper, clock
        self._analyses, self._followers = analyses, followers

    def get(self, user: UserId, source_id: SourceId) -> SourceDetail:
        with self._uow() as uow:
            return _detail(uow, source_of(uow, user, source_id))

    def list(
        self, user: UserId, project_id: ProjectId, listing: Listing, *, trashed: bool = False
    ) -> Slice[SourceDetail]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            found = uow.sources.of_project(project_id, listing, trashed=trashed)
            current = uow.versions.get_many(
                [s.current_version_id for s in found.items if s.current_version_id is not None]
            )
            busy = {
                s.id: uow.jobs.get(JobId(s.job_id))
                for s in found.items
                if s.job_id is not None and (s.status is not SourceStatus.READY or s.error)
            }
        items = tuple(
            SourceDetail(s, current.get(s.current_version_id) if s.current_version_id else None, busy.get(s.id))
            for s in found.items
        )
        return Slice(items, found.next_cursor, found.total)

    def change(
        self,
        user: UserId,
        source_id: SourceId,
        *,
        name: str | None = None,
        follow: bool | None = None,
        revision: int | None = None,
    ) -> SourceDetail:
        """Gives it another name; says whether it is made anew, by the recipe of its current version, whenever the
        source of that version's parent gets a new version. Raises ConflictError when its current version was not made
        by a recipe from another source that is in one of its projects."""
        now = self._clock()
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            check_revision(source.revision, revision)
            if name is not None:
                before = source.name
                source.rename(name, now)
                tell(uow, user, "renamed", source, now, f"it was called “{before}”")
            if follow is not None:
                source.following = _following(uow, user, source) if follow else None
                source.updated_at = now
                tell(uow, user, "keeps up to date" if follow else "no longer keeps up to date", source, now)
            uow.sources.save(source)
            uow.commit()
            return _detail(uow, source)

    def delete(self, user: UserId, source_id: SourceId) -> None:
        """To the trash, with all its versions. Raises SourceBusyError while a job works on it."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            source.discard(self._clock())
            uow.sources.save(source)
            tell(uow, user, "trashed", source, self._clock())
            uow.commit()

    def trash(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[SourceDetail]:
        return self.list(user, project_id, listing, trashed=True)

    def restore(self, user: UserId, source_id: SourceId) -> SourceDetail:
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR, trashed=True)
            source.restore(self._clock())
            uow.sources.save(source)
            tell(uow, user, "restored", source, self._clock())
            uow.commit()
            return _detail(uow, source)

    def to_purge(self, user: UserId, source_id: SourceId) -> Purge:
        """What purging would free, and what stands against it; also before it goes to the trash."""
        with self._uow() as uow:
            source_of(uow, user, source_id, trashed=None)
            versions = uow.versions.of_source(source_id)
            runs = uow.runs.of_versions([version.id for version in versions])
        return Purge(self._sweeper.size(versions), len(versions), len(runs))

    def purge(self, user: UserId, source_id: SourceId, name: str) -> int:
        """Removes what is in the trash for good, and gives the bytes that frees. Raises InvalidInputError unless `name`
        is the source's, SourceInUseError while an experiment stands on a version."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR, trashed=True)
            if name.strip() != source.name:
                raise InvalidInputError.at("name", msg=f"type “{source.name}” to remove it for good", code="name")
            versions = uow.versions.of_source(source_id)
            exports = uow.exports.of_versions([version.id for version in versions])
            size = self._sweeper.size(versions)
            uow.sources.delete(source_id)
            tell(uow, user, "purged", source, self._clock(), f"{len(versions):,} versions, {size:,} bytes")
            uow.commit()
        held = {blob for version in versions for blob in version.blobs}
        self._sweeper.release(held | {export.blob for export in exports if export.blob is not None})
        return size

    def put_into(self, user: UserId, source_id: SourceId, project_id: ProjectId) -> None:
        """The source belongs to one more project; the asker edits in both."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            project = project_of(uow, user, project_id, Role.EDITOR)
            source.project_ids |= {project_id}
            source.updated_at = self._clock()
            uow.sources.save(source)
            tell(uow, user, "shared", source, self._clock(), f"with “{project.name}”")
            uow.commit()

    def take_from(self, user: UserId, source_id: SourceId, project_id: ProjectId) -> None:
        """The source leaves a project; without any it is its owner's alone."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            project = project_of(uow, user, project_id, Role.EDITOR)
            tell(uow, user, "withdrew", source, self._clock(), f"from “{project.name}”")
            source.project_ids -= {project_id}
            source.updated_at = self._clock()
            uow.sources.save(source)
            uow.commit()

    def roll_back(self, user: UserId, source_id: SourceId, version_id: VersionId) -> Version:
        """An earlier version once more, as the newest one. Raises SourceBusyError while an import runs."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            earlier = uow.versions.get(version_id)
            if earlier.source_id != source_id:
                raise VersionNotFoundError(version_id)
            if source.status is SourceStatus.PROCESSING:
                raise SourceBusyError(f"“{source.name}” is being imported; wait for that or cancel it")
            version = replace(
                earlier,
                id=VersionId(uuid4()),
                number=source.versions + 1,
                origin=Origin(OriginKind.ROLLBACK, parents=(earlier.id,)),
                created_by=user,
                created_at=self._clock(),
            )
            source.add_version(version)
            uow.versions.add(version)
            uow.sources.save(source)
            analysis = self._analyses.begin(uow, user, version, source)
            back = f"version {version.number} is version {earlier.number} once more"
            tell(uow, user, "rolled back", source, version.created_at, back)
            followers = self._followers.begin(uow, source)
            uow.commit()
        self._analyses.send(analysis)
        self._followers.send(followers)
        return version

    def versions(self, user: UserId, source_id: SourceId) -> Sequence[Version]:
        """Newest first."""
        with self._uow() as uow:
            source_of(uow, user, source_id)
            return uow.versions.of_source(source_id)

    def version(self, user: UserId, version_id: VersionId) -> tuple[Version, DataSource]:
        with self._uow() as uow:
            return version_of(uow, user, version_id)

    def original(self, user: UserId, version_id: VersionId, number: int = 0) -> tuple[Original, BinaryIO]:
        """The bytes of one of its files as they came. Raises OriginalNotFoundError when no such file was read."""
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        if not 0 <= number < len(version.origin.originals):
            raise OriginalNotFoundError(version_id)
        original = version.origin.originals[number]
        return original, self._blobs.open(original.blob)


def _following(uow: UnitOfWork, user: UserId, source: DataSource) -> Following:
    current = uow.versions.get(source.current_version_id) if source.current_version_id else None
    if current is None or current.origin.kind is not OriginKind.RECIPE:
        raise ConflictError(f"the current version of “{source.name}” was not made by a recipe: there is none to repeat")
    _, parent = version_of(uow, user, current.origin.parents[0])
    check_no_loop(uow, source, parent)
    common = uow.projects.roles(user, source.project_ids & parent.project_ids)
    if not common:
        raise ConflictError(f"“{source.name}” and “{parent.name}” are in no project of yours together")
    origin = current.origin
    name, recipe_id = origin.recipe_name, origin.recipe_id
    return Following(parent.id, min(common, key=str), origin.recipe, recipe_name=name, recipe_id=recipe_id)


def _detail(uow: UnitOfWork, source: DataSource) -> SourceDetail:
    job_id: UUID | None = source.job_id
    return SourceDetail(
        source,
        uow.versions.get(source.current_version_id) if source.current_version_id else None,
        uow.jobs.get(JobId(job_id)) if job_id else None,
    )
