"""The gallery: runs published, looked at by everybody, forked into a project of one's own, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from hydroml.application.access import project_of, run_of
from hydroml.application.activity import tell
from hydroml.application.experiments import ExperimentDetail, ExperimentService
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from hydroml.domain.experiments.runs import ArtifactNotFoundError, Run, RunId
from hydroml.domain.gallery import Publication, PublicationId
from hydroml.domain.projects import Project, ProjectId, Role, UserId
from hydroml.domain.sources import DataSource, Origin, OriginKind, SourceId, Version, VersionId

HARMLESS = frozenset({"importance", "folds", "confusion", "roc"})
"""Artifacts that hold figures of the model, and no values of the table."""


@dataclass(frozen=True, slots=True)
class Published:
    """A publication with its run; `data` names the table it was trained on, and `mine` says that the asker may
    withdraw it."""

    publication: Publication
    run: Run
    data: str
    mine: bool

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Those that may be seen."""
        return tuple(sorted(n for n in self.run.artifacts if self.publication.shares_data or n in HARMLESS))


class GalleryService:
    def __init__(
        self, *, uow: UnitOfWorkFactory, experiments: ExperimentService, blobs: BlobStore, clock: Clock
    ) -> None:
        self._uow, self._experiments, self._blobs, self._clock = uow, experiments, blobs, clock

    def publish(
        self, user: UserId, run_id: RunId, *, title: str | None = None, summary: str = "", shares_data: bool = False
    ) -> Published:
        """Raises RunStateError before the run has succeeded, ConflictError when it is published already."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id, Role.EDITOR)
            run.result()
            publication = Publication(
                id=PublicationId(uuid4()),
                run_id=run_id,
                project_id=run.project_id,
                title=title or run.specification.name,
                summary=summary,
                shares_data=shares_data,
                author_id=user,
                published_at=self._clock(),
            )
            uow.gallery.add(publication)
            tell(uow, user, "published", run, publication.published_at, "with its data" if shares_data else "")
            uow.commit()
            return _published(uow, user, [publication])[0]

    def list(self, listing: Listing, user: UserId) -> Slice[Published]:
        """All there are: sortable by published_at and title."""
        with self._uow() as uow:
            found = uow.gallery.all(listing)
            return Slice(_published(uow, user, found.items), found.next_cursor, found.total)

    def get(self, user: UserId, publication_id: PublicationId) -> Published:
        with self._uow() as uow:
            return _published(uow, user, [uow.gallery.get(publication_id)])[0]

    def artifact(self, user: UserId, publication_id: PublicationId, name: str) -> bytes:
        """A JSON document of the published run. Raises ArtifactNotFoundError, also for one that holds values of data
        that is not shared."""
        published = self.get(user, publication_id)
        if name not in published.artifacts:
            raise ArtifactNotFoundError(published.run.id, name)
        with self._blobs.open(published.run.artifacts[name]) as blob:
            return blob.read()

    def withdraw(self, user: UserId, publication_id: PublicationId) -> None:
        """By its author, or an editor of its project. Forks stay."""
        with self._uow() as uow:
            publication = uow.gallery.get(publication_id)
            if not _is_mine(user, publication, uow.projects.get(publication.project_id)):
                raise ForbiddenError("only its author and the editors of its project withdraw a publication")
            run = uow.runs.get(publication.run_id)
            uow.gallery.delete(publication_id)
            tell(uow, user, "withdrawn", run, self._clock())
            uow.commit()

    def fork(
        self, user: UserId, publication_id: PublicationId, project_id: ProjectId, version_id: VersionId | None = None
    ) -> ExperimentDetail:
        """An experiment in a project of the user's that remembers where it came from: on `version_id`, or on a copy of
        the published table where it is shared. Raises InvalidInputError when neither is there or does not fit."""
        with self._uow() as uow:
            publication = uow.gallery.get(publication_id)
            project_of(uow, user, project_id, Role.EDITOR)
            run = uow.runs.get(publication.run_id)
            if version_id is None:
                if not publication.shares_data:
                    words = "its data is not shared: name a version of your own with the same columns"
                    raise InvalidInputError.at("version_id", msg=words, code="required")
                version_id = self._copy(uow, user, run, project_id)
                uow.commit()
        specification = replace(run.specification, version_id=version_id, name=publication.title)
        return self._experiments.create(user, project_id, specification, parent_id=run.experiment_id)

    def _copy(self, uow: UnitOfWork, user: UserId, run: Run, project_id: ProjectId) -> VersionId:
        """The table as a data source of the project's; one that stems from the same table is used again."""
        version = uow.versions.get(run.specification.version_id)
        source = uow.sources.get(version.source_id)
        if source.deleted_at is not None:
            raise ConflictError("its data is in the trash; its author can restore it")
        if project_id in source.project_ids:
            return version.id
        for child in uow.versions.children([version.id], 500):
            if child.fingerprint == version.fingerprint and project_id in uow.sources.get(child.source_id).project_ids:
                return child.id
        now = self._clock()
        copy = DataSource(
            id=SourceId(uuid4()),
            name=source.name,
            owner_id=user,
            project_ids=frozenset({project_id}),
            created_at=now,
            updated_at=now,
        )
        made = Version(
            id=VersionId(uuid4()),
            source_id=copy.id,
            number=1,
            columns=version.columns,
            rows=version.rows,
            size=version.size,
            fingerprint=version.fingerprint,
            origin=Origin(OriginKind.FORK, parents=(version.id,)),
            created_by=user,
            created_at=now,
        )
        copy.begin_version(uuid4(), now)
        copy.add_version(made)
        uow.sources.add(copy)
        uow.versions.add(made)
        tell(uow, user, "forked", copy, now)
        return made.id


def _is_mine(user: UserId, publication: Publication, project: Project) -> bool:
    role = project.members.get(user)
    return publication.author_id == user or (role is not None and role.includes(Role.EDITOR))


def _published(uow: UnitOfWork, user: UserId, publications: Sequence[Publication]) -> tuple[Published, ...]:
    runs = uow.runs.get_many({publication.run_id for publication in publications})
    versions = uow.versions.get_many({run.specification.version_id for run in runs.values()})
    sources = {id_: uow.sources.get(id_) for id_ in {version.source_id for version in versions.values()}}
    projects = {id_: uow.projects.get(id_) for id_ in {publication.project_id for publication in publications}}
    shown = []
    for publication in publications:
        run = runs[publication.run_id]
        version = versions[run.specification.version_id]
        data = f"{sources[version.source_id].name}, version {version.number}"
        mine = _is_mine(user, publication, projects[publication.project_id])
        shown.append(Published(publication, run, data, mine))
    return tuple(shown)
