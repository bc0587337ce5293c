"""Data sources and their versions."""

from collections.abc import Collection, Mapping, Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, MadeByRecipe, Slice
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId
from hydroml.domain.exports import Export, ExportId
from hydroml.domain.projects import Project, ProjectId
from hydroml.domain.sources import (
    DataSource,
    SourceId,
    SourceInUseError,
    SourceNotFoundError,
    Version,
    VersionId,
    VersionNotFoundError,
)
from hydroml.domain.studio.recipes import RecipeId
from hydroml.domain.studio.session import Session, SessionId

MOST_MADE = 500


class InMemorySourceRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[SourceId, DataSource] = transaction.rows("source")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._sessions: Rows[SessionId, Session] = transaction.rows("session")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._exports: Rows[ExportId, Export] = transaction.rows("export")

    def add(self, entity: DataSource) -> None:
        self._must_be_in_projects(entity)
        self._rows.put(entity.id, entity)

    def get(self, source_id: SourceId) -> DataSource:
        found = self._rows.get(source_id)
        if found is None:
            raise SourceNotFoundError(source_id)
        return found

    def save(self, entity: DataSource) -> None:
        self._must_be_in_projects(entity)
        save_revised(self._rows, entity)

    def delete(self, source_id: SourceId) -> None:
        if not self._rows.has(source_id):
            raise SourceNotFoundError(source_id)
        versions = set(self._versions.keys_where(lambda v: v.source_id == source_id))
        if self._experiments.count(lambda e: e.specification.version_id in versions) or self._runs.count(
            lambda r: r.specification.version_id in versions
        ):
            raise SourceInUseError("an experiment stands on one of its versions; remove that first")
        for session_id in self._sessions.keys_where(lambda s: s.version_id in versions):
            self._sessions.remove(session_id)
        for export_id in self._exports.keys_where(lambda e: e.version_id in versions):
            self._exports.remove(export_id)
        for version_id in versions:
            self._versions.remove(version_id)
        self._rows.remove(source_id)

    def of_project(self, project_id: ProjectId, listing: Listing, *, trashed: bool = False) -> Slice[DataSource]:
        inside = self._rows.where(lambda s: project_id in s.project_ids and (s.deleted_at is not None) is trashed)
        keys = {
            "created_at": lambda s: s.created_at,
            "updated_at": lambda s: s.updated_at,
            "name": lambda s: s.name.lower(),
        }
        return slice_of(inside, listing, keys, lambda s: s.name)

    def followers(self, source_id: SourceId) -> Sequence[DataSource]:
        found = self._rows.where(lambda s: s.following is not None and s.following.source_id == source_id)
        return sorted(found, key=lambda s: (s.created_at, s.id))

    def made_by_recipes(self, project_id: ProjectId) -> Sequence[MadeByRecipe]:
        found = []
        for source in self._rows.where(lambda s: project_id in s.project_ids and s.deleted_at is None):
            version = None if source.current_version_id is None else self._versions.peek(source.current_version_id)
            if version is None or version.origin.recipe_id is None:
                continue
            above = self._versions.peek(version.origin.parents[0])
            parent = None if above is None else self._rows.peek(above.source_id)
            if parent is not None:
                follows = source.following is not None and source.following.source_id == parent.id
                recipe_id = RecipeId(version.origin.recipe_id)
                found.append(MadeByRecipe(recipe_id, source.id, source.name, parent.id, parent.name, follows))
        return sorted(found, key=lambda made: (made.name.lower(), made.id))[:MOST_MADE]

    def _must_be_in_projects(self, entity: DataSource) -> None:
        if not all(self._projects.has(project_id) for project_id in entity.project_ids):
            raise ConflictError("the project was removed meanwhile")


class InMemoryVersionRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[VersionId, Version] = transaction.rows("version")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")

    def add(self, entity: Version) -> None:
        taken = self._rows.count(
            lambda v: v.id == entity.id or (v.source_id == entity.source_id and v.number == entity.number)
        )
        if taken or not self._sources.has(entity.source_id):
            raise ConcurrentUpdateError(
                f"data source {entity.source_id} was removed, or got another version {entity.number}, meanwhile"
            )
        self._rows.put(entity.id, entity)

    def get(self, version_id: VersionId) -> Version:
        found = self._rows.get(version_id)
        if found is None:
            raise VersionNotFoundError(version_id)
        return found

    def of_source(self, source_id: SourceId) -> Sequence[Version]:
        return sorted(self._rows.where(lambda v: v.source_id == source_id), key=lambda v: v.number, reverse=True)

    def get_many(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, Version]:
        return {v.id: v for v in self._rows.where(lambda v: v.id in version_ids)}

    def children(self, version_ids: Collection[VersionId], limit: int) -> Sequence[Version]:
        found = self._rows.where(lambda v: not set(v.origin.parents).isdisjoint(version_ids))
        return sorted(found, key=lambda v: (v.created_at, v.id))[:limit]

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        used: set[str] = set()
        for version in self._rows.where(lambda v: v.id not in but):
            used |= version.blobs
        return used & set(blobs)
