"""Exports: files made of versions by jobs, kept for a while, and the templates people make them by."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from hydroml.application.access import project_of, version_of
from hydroml.application.activity import tell
from hydroml.application.blobs import BlobSweeper
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobNotFoundError, BlobStore, Scratch
from hydroml.application.ports.tables import TableEngine
from hydroml.domain.errors import ConflictError
from hydroml.domain.exports import (
    MOST_TEMPLATES,
    Export,
    ExportId,
    ExportNotFoundError,
    ExportShape,
    ExportStatus,
    ExportTemplate,
    TemplateId,
    TemplateNotFoundError,
    export_filename,
)
from hydroml.domain.jobs import Job, JobKind, JobNotFoundError, Subject
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.sources import Table, VersionId, VersionNotFoundError

EXPIRED_AT_ONCE = 100


class ExportService:
    """`kept` is how long a file waits to be fetched."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        blobs: BlobStore,
        scratch: Scratch,
        sweeper: BlobSweeper,
        sender: JobSender,
        clock: Clock,
        kept: timedelta,
    ) -> None:
        self._uow, self._engine, self._blobs, self._scratch = uow, engine, blobs, scratch
        self._sweeper, self._sender, self._clock, self._kept = sweeper, sender, clock, kept

    def request(
        self, user: UserId, version_id: VersionId, shape: ExportShape, name: str | None = None
    ) -> tuple[Export, Job]:
        """Whoever sees a version may export it. Raises InvalidInputError for what cannot be exported so."""
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id)
        self._engine.check_export(Table.of(version), shape)
        now = self._clock()
        export = Export(
            id=ExportId(uuid4()),
            version_id=version_id,
            shape=shape,
            filename=export_filename(name, source.name, version.number, shape.format),
            created_by=user,
            created_at=now,
        )
        job = Job(
            id=export.job_id,
            kind=JobKind.EXPORT,
            requested_by=user,
            project_id=min(source.project_ids, default=None),
            subject=Subject("source", source.id, source.name),
            created_at=now,
        )
        with self._uow() as uow:
            uow.exports.add(export)
            uow.jobs.add(job)
            tell(uow, user, "exported", source, now, f"version {version.number}", about=_subject(export))
            uow.commit()
        self._sender.send(job.id)
        return export, job

    def get(self, user: UserId, export_id: ExportId) -> tuple[Export, Job | None]:
        """The export, and its job unless the file is there or was."""
        with self._uow() as uow:
            export = export_of(uow, user, export_id)
            return export, _job(uow, export)

    def list(self, user: UserId, version_id: VersionId, listing: Listing) -> Slice[tuple[Export, Job | None]]:
        with self._uow() as uow:
            version_of(uow, user, version_id)
            found = uow.exports.of_version(version_id, listing)
            items = tuple((export, _job(uow, export)) for export in found.items)
        return Slice(items, found.next_cursor, found.total)

    def open(self, user: UserId, export_id: ExportId) -> tuple[Export, BinaryIO]:
        """The bytes of the file. Raises ConflictError while it is not there, or when it is gone."""
        with self._uow() as uow:
            export = export_of(uow, user, export_id)
        try:
            return export, self._blobs.open(export.file())
        except BlobNotFoundError:
            raise ConflictError("the file is gone; export the table again") from None

    def delete(self, user: UserId, export_id: ExportId) -> None:
        """By whoever made it, or an editor. Raises ConflictError while its job works on it."""
        with self._uow() as uow:
            export = export_of(uow, user, export_id)
            role = Role.VIEWER if export.created_by == user else Role.EDITOR
            _, source = version_of(uow, user, export.version_id, role)
            if export.status is ExportStatus.RUNNING:
                raise ConflictError("the file is being written; cancel its job first")
            uow.exports.delete(export_id)
            tell(uow, user, "deleted", source, self._clock(), about=_subject(export))
            uow.commit()
        self._release(export)

    def write(self, user: UserId, version_id: VersionId, shape: ExportShape, out: Path, monitor: Monitor) -> int:
        """Exports to a file of this machine, at once; gives the number of rows."""
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        self._engine.check_export(Table.of(version), shape)
        return self._engine.export(Table.of(version), shape, out, monitor)

    def expire(self) -> int:
        """Removes the files whose time has come; gives their number."""
        with self._uow() as uow:
            late = uow.exports.expired(self._clock(), EXPIRED_AT_ONCE)
        for export in late:
            blob = export.file()
            export.expire()
            with suppress(ExportNotFoundError), self._uow() as uow:
                uow.exports.save(export)
                uow.commit()
            self._sweeper.release({blob})
        return len(late)

    # Templates

    def templates(self, user: UserId, project_id: ProjectId) -> Sequence[ExportTemplate]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return uow.exports.templates(project_id)

    def template(self, user: UserId, template_id: TemplateId) -> ExportTemplate:
        with self._uow() as uow:
            return _template_of(uow, user, template_id)

    def create_template(self, user: UserId, project_id: ProjectId, name: str, shape: ExportShape) -> ExportTemplate:
        template = ExportTemplate(
            id=TemplateId(uuid4()),
            project_id=project_id,
            name=name,
            shape=shape,
            created_by=user,
            created_at=self._clock(),
        )
        with self._uow() as uow:
            project = project_of(uow, user, project_id, Role.EDITOR)
            if len(uow.exports.templates(project_id)) >= MOST_TEMPLATES:
                raise ConflictError(f"a project has at most {MOST_TEMPLATES} export templates")
            uow.exports.add_template(template)
            tell(uow, user, "created", project, template.created_at, about=_subject(template))
            uow.commit()
        return template

    def delete_template(self, user: UserId, template_id: TemplateId) -> None:
        with self._uow() as uow:
            template = _template_of(uow, user, template_id, Role.EDITOR)
            uow.exports.delete_template(template_id)
            project = uow.projects.get(template.project_id)
            tell(uow, user, "deleted", project, self._clock(), about=_subject(template))
            uow.commit()

    # The handler of export

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        with self._uow() as uow:
            export = uow.exports.get(ExportId(job.id))
            version = uow.versions.get(export.version_id)
        if export.status is not ExportStatus.READY:
            with self._scratch.folder(_folder(job)) as folder:
                out = folder / "file"
                rows = self._engine.export(Table.of(version), export.shape, out, monitor.part(0, 0.97))
                monitor.report(0.98, "storing", "storing the file")
                blob = self._blobs.add(out)
            export.finish(blob.key, blob.size, rows, self._clock() + self._kept)
            try:
                with self._uow() as uow:
                    uow.exports.save(export)
                    uow.commit()
            except ExportNotFoundError:  # its table was removed meanwhile
                self._release(export)
                raise
        return {
            "export_id": str(export.id),
            "version_id": str(version.id),
            "source_id": str(version.source_id),
            "rows": export.rows,
            "bytes": export.size,
        }

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        try:
            export = uow.exports.get(ExportId(job.id))
        except ExportNotFoundError:
            return  # removed meanwhile, with its version
        if export.status is ExportStatus.RUNNING:
            export.fail(job.error or "the export was cancelled")
            uow.exports.save(export)

    def clean(self, job: Job) -> None:
        self._scratch.remove(_folder(job))

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        export = uow.exports.get(ExportId(job.id))
        export.begin_again()
        uow.exports.save(export)

    def _release(self, export: Export) -> None:
        if export.blob is not None:
            self._sweeper.release([export.blob])


def export_of(uow: UnitOfWork, user: UserId, export_id: ExportId) -> Export:
    """An export is seen by whoever sees its version."""
    export = uow.exports.get(export_id)
    try:
        version_of(uow, user, export.version_id)
    except VersionNotFoundError:
        raise ExportNotFoundError(export_id) from None
    return export


def _template_of(uow: UnitOfWork, user: UserId, template_id: TemplateId, role: Role = Role.VIEWER) -> ExportTemplate:
    template = uow.exports.template(template_id)
    try:
        project_of(uow, user, template.project_id, role)
    except ProjectNotFoundError:
        raise TemplateNotFoundError(template_id) from None
    return template


def _job(uow: UnitOfWork, export: Export) -> Job | None:
    if export.status not in (ExportStatus.RUNNING, ExportStatus.FAILED):
        return None
    try:
        return uow.jobs.get(export.job_id)
    except JobNotFoundError:
        return None


def _subject(thing: Export | ExportTemplate) -> Subject:
    if isinstance(thing, Export):
        return Subject("export", thing.id, thing.filename)
    return Subject("export template", thing.id, thing.name)


def _folder(job: Job) -> str:
    return f"job-{job.id}"
