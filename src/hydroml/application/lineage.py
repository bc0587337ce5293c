"""Lineage: from any object back to the original bytes, and forward to all that was made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from hydroml.application.access import model_of, project_of, run_of, source_of, version_of
from hydroml.application.exports import export_of
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import NotFoundError
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.exports import Export, ExportId, ExportStatus
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import DataSource, OriginKind, SourceId, Version, VersionId

MOST_NODES = 300


class LineageKind(StrEnum):
    """What a lineage can be asked of."""

    SOURCE = "source"
    VERSION = "version"
    RUN = "run"
    MODEL = "model"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is original, version, run, model or export. An original's id is the SHA-256 of its bytes; `href` is the
    page that shows it, or the address of the file."""

    kind: str
    id: str
    label: str
    detail: str
    at: datetime
    href: str | None
    source_id: SourceId | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """From what something was made of to what was made of it, and how."""

    start: str
    end: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Oldest first; `truncated` when there is more than can be shown."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    truncated: bool


class LineageService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def of(self, user: UserId, kind: LineageKind, id_: UUID) -> Lineage:
        """As far as the asker may see it: what is not theirs is left out, with all that is only beyond it. At most 300
        nodes, the nearest first. Raises NotFoundError for what is not there, or not theirs."""
        with self._uow() as uow:
            walk = _Walk(uow, user)
            match kind:
                case LineageKind.SOURCE:
                    source_of(uow, user, SourceId(id_))
                    walk.both_ways(uow.versions.of_source(SourceId(id_)))
                case LineageKind.VERSION:
                    walk.both_ways([version_of(uow, user, VersionId(id_))[0]])
                case LineageKind.EXPORT:
                    export = export_of(uow, user, ExportId(id_))
                    walk.back([uow.versions.get(export.version_id)])
                    walk.add_export(export)
                case LineageKind.RUN:
                    run = run_of(uow, user, RunId(id_))
                    walk.back(walk.behind_runs([run]))
                    walk.ahead_from_models(uow.models.of_run(run.id))
                case LineageKind.MODEL:
                    model = model_of(uow, user, ModelId(id_))
                    walk.back(walk.behind_models([model]))
                    walk.ahead_from_models([model])
            return walk.graph()


@dataclass(slots=True)
class _Walk:
    """What has been found. Edges are drawn in the end, between what is there."""

    uow: UnitOfWork
    user: UserId
    versions: dict[VersionId, Version] = field(default_factory=dict)
    runs: dict[RunId, Run] = field(default_factory=dict)
    models: dict[ModelId, Model] = field(default_factory=dict)
    exports: dict[ExportId, Export] = field(default_factory=dict)
    truncated: bool = False
    room: int = MOST_NODES
    _sources: dict[SourceId, DataSource | None] = field(default_factory=dict)
    _projects: dict[ProjectId, bool] = field(default_factory=dict)
    _been: set[tuple[str, VersionId]] = field(default_factory=set)

    def both_ways(self, versions: Sequence[Version]) -> None:
        self.room = MOST_NODES // 2  # what lies behind must not hide what lies ahead
        self.back(versions)
        self.room = MOST_NODES
        self.ahead(versions)

    def back(self, versions: Iterable[Version]) -> None:
        """The versions, and all they were made of."""
        level = list(versions)
        while level := self._added("back", level):
            parents = {parent for version in level for parent in version.origin.parents}
            models = {ModelId(version.origin.model) for version in level if version.origin.model is not None}
            level = list(self.uow.versions.get_many(parents).values())
            level += self.behind_models([model for id_ in models if (model := self._model(id_)) is not None])

    def behind_models(self, models: Iterable[Model]) -> list[Version]:
        """Adds the models with their runs, and gives the versions they have learnt from."""
        return self.behind_runs([run for model in models if self._add_model(model) for run in self._runs_of(model)])

    def behind_runs(self, runs: Iterable[Run]) -> list[Version]:
        """Adds the runs, and gives the versions they have learnt from."""
        ids = {run.specification.version_id for run in runs if self._add_run(run)}
        return list(self.uow.versions.get_many(ids).values())

    def ahead(self, versions: Iterable[Version]) -> None:
        """The versions, and all that was made of them."""
        level = list(versions)
        while level := self._added("ahead", level):
            ids = [version.id for version in level]
            for run in self.uow.runs.of_versions(ids, MOST_NODES):
                if self._add_run(run):
                    for model in self.uow.models.of_run(run.id):
                        self._add_model(model)
            for export in self.uow.exports.of_versions(ids, MOST_NODES):
                self.add_export(export)
            level = list(self.uow.versions.children(ids, MOST_NODES))

    def ahead_from_models(self, models: Iterable[Model]) -> None:
        """The models, and what they have predicted, with all that was made of that."""
        for model in models:
            if self._add_model(model):
                # A prediction names the version that its model has learnt from among its parents.
                learnt_from = {run.specification.version_id for run in self._runs_of(model)}
                children = self.uow.versions.children(list(learnt_from), MOST_NODES)
                self.ahead([child for child in children if child.origin.model == model.id])

    def add_export(self, export: Export) -> None:
        if export.id in self.exports or self._is_full():
            return
        self.exports[export.id] = export

    def graph(self) -> Lineage:
        nodes: dict[str, Node] = {}
        edges: list[Edge] = []
        for version in sorted(self.versions.values(), key=lambda v: (v.created_at, v.number)):
            for number, original in enumerate(version.origin.originals):
                nodes.setdefault(original.blob, _original_node(version, number))
                edges.append(Edge(original.blob, str(version.id), "imported"))
            nodes[str(version.id)] = self._version_node(version)
            edges.extend(self._edges_to(version))
        for run in self.runs.values():
            nodes[str(run.id)] = Node(
                "run", str(run.id), run.specification.name, run.status, run.created_at, f"/runs/{run.id}"
            )
            if run.specification.version_id in self.versions:
                edges.append(Edge(str(run.specification.version_id), str(run.id), "trained"))
        for model in self.models.values():
            count = len(model.versions)
            detail = f"{count} {'version' if count == 1 else 'versions'}"
            nodes[str(model.id)] = Node(
                "model", str(model.id), model.name, detail, model.created_at, f"/models/{model.id}"
            )
            edges.extend(
                Edge(str(version.run_id), str(model.id), f"version {version.number}")
                for version in model.versions
                if version.run_id in self.runs
            )
        for export in self.exports.values():
            nodes[str(export.id)] = _export_node(export)
            edges.append(Edge(str(export.version_id), str(export.id), "exported"))
        return Lineage(tuple(nodes.values()), tuple(edges), self.truncated)

    def _version_node(self, version: Version) -> Node:
        source = self._sources[version.source_id]
        name = source.name if source else ""
        return Node(
            "version",
            str(version.id),
            f"{name}, version {version.number}",
            f"{version.rows:,} × {len(version.columns)}",
            version.created_at,
            f"/sources/{version.source_id}?version={version.id}",
            version.source_id,
        )

    def _edges_to(self, version: Version) -> Iterable[Edge]:
        origin, key = version.origin, str(version.id)
        parents = origin.parents
        if origin.model is not None and ModelId(origin.model) in self.models:
            yield Edge(str(origin.model), key, "predicted")
            parents = parents[:1]  # the model stands between the version it has learnt from and the prediction
        for parent in parents:
            if parent in self.versions:
                yield Edge(str(parent), key, _made(version))

    def _added(self, way: str, versions: Iterable[Version]) -> list[Version]:
        """Those that can be seen and were not come to this way before."""
        found = []
        for version in versions:
            if (way, version.id) in self._been or self._source(version.source_id) is None:
                continue
            if version.id not in self.versions and self._is_full(1 + len(version.origin.originals)):
                continue
            self._been.add((way, version.id))
            self.versions[version.id] = version
            found.append(version)
        return found

    def _add_run(self, run: Run) -> bool:
        if run.id in self.runs:
            return True
        if not self._is_member(run.project_id) or self._is_full():
            return False
        self.runs[run.id] = run
        return True

    def _add_model(self, model: Model) -> bool:
        if model.id in self.models:
            return True
        if not self._is_member(model.project_id) or self._is_full():
            return False
        self.models[model.id] = model
        return True

    def _is_full(self, more: int = 1) -> bool:
        originals = sum(len(version.origin.originals) for version in self.versions.values())
        count = len(self.versions) + originals + len(self.runs) + len(self.models) + len(self.exports)
        full = count + more > self.room and count > 0
        self.truncated = self.truncated or full
        return full

    def _source(self, source_id: SourceId) -> DataSource | None:
        if source_id not in self._sources:
            try:
                self._sources[source_id] = source_of(self.uow, self.user, source_id)
            except NotFoundError:
                self._sources[source_id] = None
        return self._sources[source_id]

    def _is_member(self, project_id: ProjectId) -> bool:
        if project_id not in self._projects:
            try:
                project_of(self.uow, self.user, project_id)
                self._projects[project_id] = True
            except NotFoundError:
                self._projects[project_id] = False
        return self._projects[project_id]

    def _runs_of(self, model: Model) -> list[Run]:
        """The newest of those that its versions were made from."""
        newest = model.versions[-MOST_NODES:]
        self.truncated = self.truncated or len(newest) < len(model.versions)
        return [self.uow.runs.get(RunId(version.run_id)) for version in newest]

    def _model(self, model_id: ModelId) -> Model | None:
        try:
            return self.models.get(model_id) or self.uow.models.get(model_id)
        except NotFoundError:
            return None


def _original_node(version: Version, number: int) -> Node:
    original = version.origin.originals[number]
    return Node(
        "original",
        original.blob,
        original.filename,
        f"{original.size:,} bytes",
        version.created_at,
        f"/api/v1/versions/{version.id}/original?file={number}",
        version.source_id,
    )


def _export_node(export: Export) -> Node:
    href = f"/api/v1/exports/{export.id}/file" if export.status is ExportStatus.READY else None
    detail = f"{export.rows:,} rows" if export.rows is not None else str(export.status)
    return Node("export", str(export.id), export.filename, detail, export.created_at, href)


def _made(version: Version) -> str:
    """How a version was made of its parents."""
    origin = version.origin
    if origin.kind is OriginKind.RECIPE:
        count = len(origin.recipe)
        steps = f"{count} {'step' if count == 1 else 'steps'}"
        return f"“{origin.recipe_name}”, {steps}" if origin.recipe_name else steps
    words = {
        OriginKind.UPLOAD: "appended",
        OriginKind.ROLLBACK: "rolled back",
        OriginKind.PREDICTION: "predicted",
        OriginKind.FORK: "forked",
    }
    return words.get(origin.kind, str(origin.kind))
