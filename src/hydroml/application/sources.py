"""Data sources: listed, renamed, removed; their versions, originals and lineage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from hydroml.application.access import project_of, source_of, version_of
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.application.projects import check_revision
from hydroml.application.versions import BlobSweeper
from hydroml.domain.errors import ConflictError, NotFoundError
from hydroml.domain.jobs import Job, JobId
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import DataSource, Original, SourceId, SourceStatus, Version, VersionId


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
class LineageNode:
    """`kind` is original, version, run or model; a version also names its data source."""

    kind: str
    id: str
    label: str
    detail: str
    source_id: SourceId | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """From the original bytes to what was made of a version; `edges` go from a node's id to its child's."""

    nodes: tuple[LineageNode, ...]
    edges: tuple[tuple[str, str], ...]


LINEAGE_LIMIT = 200


class SourceService:
    def __init__(self, *, uow: UnitOfWorkFactory, blobs: BlobStore, sweeper: BlobSweeper, clock: Clock) -> None:
        self._uow, self._blobs, self._sweeper, self._clock = uow, blobs, sweeper, clock

    def get(self, user: UserId, source_id: SourceId) -> SourceDetail:
        with self._uow() as uow:
            return _detail(uow, source_of(uow, user, source_id))

    def list(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[SourceDetail]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            found = uow.sources.of_project(project_id, listing)
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

    def rename(self, user: UserId, source_id: SourceId, name: str, revision: int | None = None) -> SourceDetail:
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            check_revision(source.revision, revision)
            source.rename(name, self._clock())
            uow.sources.save(source)
            uow.commit()
            return _detail(uow, source)

    def delete(self, user: UserId, source_id: SourceId) -> None:
        """Raises SourceInUseError while an experiment stands on a version, ConflictError while a job works on it."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            if source.status is SourceStatus.PROCESSING:
                raise ConflictError(f"“{source.name}” is being imported; cancel that first")
            versions = uow.versions.of_source(source_id)
            uow.sources.delete(source_id)
            uow.commit()
        self._sweeper.release(versions)

    def versions(self, user: UserId, source_id: SourceId) -> Sequence[Version]:
        """Newest first."""
        with self._uow() as uow:
            source_of(uow, user, source_id)
            return uow.versions.of_source(source_id)

    def version(self, user: UserId, version_id: VersionId) -> tuple[Version, DataSource]:
        with self._uow() as uow:
            return version_of(uow, user, version_id)

    def original(self, user: UserId, version_id: VersionId) -> tuple[Original, BinaryIO]:
        """The bytes as they came. Raises OriginalNotFoundError for a version that no file was read for."""
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        if version.origin.original is None:
            raise OriginalNotFoundError(version_id)
        return version.origin.original, self._blobs.open(version.origin.original.blob)

    def lineage(self, user: UserId, version_id: VersionId) -> Lineage:
        """What the version was made from, back to the original bytes, and what was made from it, as far as the asker
        may see it; at most 200 versions."""
        with self._uow() as uow:
            start, _ = version_of(uow, user, version_id)
            found: dict[VersionId, tuple[Version, DataSource]] = {}
            ahead = [start]
            while ahead and len(found) < LINEAGE_LIMIT:
                version = ahead.pop()
                if version.id in found:
                    continue
                try:
                    found[version.id] = version_of(uow, user, version.id)
                except NotFoundError:
                    continue
                ahead.extend(uow.versions.get_many(version.origin.parents).values())
                ahead.extend(uow.versions.children(version.id))
            runs = uow.runs.of_versions(list(found))
            models = {run.id: uow.models.of_run(run.id) for run in runs[:LINEAGE_LIMIT]}
        nodes: dict[str, LineageNode] = {}
        edges: list[tuple[str, str]] = []
        for version, source in sorted(found.values(), key=lambda pair: pair[0].created_at):
            key = str(version.id)
            original = version.origin.original
            if original is not None:
                nodes[original.blob] = LineageNode("original", original.blob, original.filename, original.blob[:8])
                edges.append((original.blob, key))
            nodes[key] = LineageNode(
                "version",
                key,
                f"{source.name}, version {version.number}",
                f"{version.rows:,} × {len(version.columns)}",
                source.id,
            )
            edges.extend((str(parent), key) for parent in version.origin.parents if parent in found)
        for run in runs[:LINEAGE_LIMIT]:
            key = str(run.id)
            nodes[key] = LineageNode("run", key, run.specification.name, run.status)
            edges.append((str(run.specification.version_id), key))
            for model in models[run.id]:
                count = len(model.versions)
                nodes[str(model.id)] = LineageNode(
                    "model", str(model.id), model.name, f"{count} {'version' if count == 1 else 'versions'}"
                )
                edges.append((key, str(model.id)))
        return Lineage(tuple(nodes.values()), tuple(edges))


def _detail(uow: UnitOfWork, source: DataSource) -> SourceDetail:
    job_id: UUID | None = source.job_id
    return SourceDetail(
        source,
        uow.versions.get(source.current_version_id) if source.current_version_id else None,
        uow.jobs.get(JobId(job_id)) if job_id else None,
    )
