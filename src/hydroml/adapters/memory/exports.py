"""Exports of versions, and templates of projects."""

from collections.abc import Collection, Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.exports import (
    Export,
    ExportId,
    ExportNotFoundError,
    ExportStatus,
    ExportTemplate,
    TemplateId,
    TemplateNotFoundError,
)
from hydroml.domain.projects import Project, ProjectId, ProjectNotFoundError
from hydroml.domain.sources import Version, VersionId, VersionNotFoundError


class InMemoryExportRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[ExportId, Export] = transaction.rows("export")
        self._templates: Rows[TemplateId, ExportTemplate] = transaction.rows("export_template")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: Export) -> None:
        if not self._versions.has(entity.version_id):
            raise VersionNotFoundError(entity.version_id)
        self._rows.put(entity.id, entity)

    def get(self, export_id: ExportId) -> Export:
        found = self._rows.get(export_id)
        if found is None:
            raise ExportNotFoundError(export_id)
        return found

    def save(self, entity: Export) -> None:
        self.get(entity.id)
        self._rows.put(entity.id, entity)

    def delete(self, export_id: ExportId) -> None:
        self.get(export_id)
        self._rows.remove(export_id)

    def of_version(self, version_id: VersionId, listing: Listing) -> Slice[Export]:
        found = self._rows.where(lambda e: e.version_id == version_id)
        return slice_of(found, listing, {"created_at": lambda e: e.created_at}, lambda e: e.filename)

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Export]:
        found = self._rows.where(lambda e: e.version_id in version_ids)
        return sorted(found, key=lambda e: (e.created_at, e.id))[:limit]

    def expired(self, at: datetime, limit: int) -> Sequence[Export]:
        ready = self._rows.where(lambda e: e.status is ExportStatus.READY)
        late = [(e.expires_at, e.id, e) for e in ready if e.expires_at is not None and e.expires_at <= at]
        return [e for _, _, e in sorted(late, key=lambda found: found[:2])][:limit]

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        return {e.blob for e in self._rows.where(lambda e: e.version_id not in but) if e.blob is not None} & set(blobs)

    def add_template(self, entity: ExportTemplate) -> None:
        if not self._projects.has(entity.project_id):
            raise ProjectNotFoundError(entity.project_id)
        self._templates.put(entity.id, entity)

    def template(self, template_id: TemplateId) -> ExportTemplate:
        found = self._templates.get(template_id)
        if found is None:
            raise TemplateNotFoundError(template_id)
        return found

    def templates(self, project_id: ProjectId) -> Sequence[ExportTemplate]:
        found = self._templates.where(lambda t: t.project_id == project_id)
        return sorted(found, key=lambda t: (t.name.lower(), t.id))

    def delete_template(self, template_id: TemplateId) -> None:
        self.template(template_id)
        self._templates.remove(template_id)
