"""Where things came from, and what was made of them."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from hydroml.application.imports import Upload
from hydroml.application.lineage import MOST_NODES, Lineage, LineageKind
from hydroml.application.saving import Target
from hydroml.domain.errors import NotFoundError
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.exports import ExportFormat, ExportShape
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import Version, VersionId
from hydroml.domain.studio.steps import Filter
from tests.harness import Harness


@dataclass
class River:
    """A file, a version of it, a step, a model, its prediction, an export of that; and a sibling that has no part."""

    upload: Version
    saved: Version
    run: UUID
    model: UUID
    predicted: Version
    export: UUID
    sibling: Version
    other: Version


@pytest.fixture
def river(app: Harness, me: UserId, project: ProjectId) -> River:
    upload = app.imported(me, project)
    saved = saved_as(app, me, upload, "rain > 1", "Wet")
    sibling = saved_as(app, me, upload, "rain > 2", "Wetter")
    specification = Specification(name="Flow", version_id=saved.id, target="flow", features=("rain",))
    run, _ = app.runs.request(me, app.experiments.create(me, project, specification).experiment.id)
    app.work()
    model = app.models.register(me, run.id, "Flow").model
    other = app.imported(me, project, "day,rain\n1,2\n2,3\n")
    source, _ = app.predictions.request(me, model.id, other.id)
    app.work()
    predicted = app.current(me, source.id)
    export, _ = app.exports.request(me, predicted.id, ExportShape(ExportFormat.CSV))
    app.work()
    return River(upload, saved, run.id, model.id, predicted, export.id, sibling, other)


def saved_as(app: Harness, me: UserId, version: Version, condition: str, name: str) -> Version:
    session = app.studio.open(me, version.id).session.id
    app.studio.add(me, session, Filter(condition))
    source, _ = app.saving.request(me, session, Target(name))
    app.work()
    return app.current(me, source.id)


def ids(lineage: Lineage) -> set[str]:
    return {node.id for node in lineage.nodes}


def arrows(lineage: Lineage) -> set[tuple[str, str, str | None]]:
    return {(edge.start, edge.end, edge.label) for edge in lineage.edges}


def test_the_whole_way_from_the_bytes_to_the_prediction(app: Harness, me: UserId, river: River) -> None:
    found = app.lineage.of(me, LineageKind.VERSION, river.upload.id)
    original = river.upload.origin.originals[0].blob
    prediction_made_of = river.other.origin.originals[0].blob
    assert arrows(found) >= {
        (original, str(river.upload.id), "imported"),
        (str(river.upload.id), str(river.saved.id), "1 step"),
        (str(river.upload.id), str(river.sibling.id), "1 step"),
        (str(river.saved.id), str(river.run), "trained"),
        (str(river.run), str(river.model), "version 1"),
        (str(river.model), str(river.predicted.id), "predicted"),
        (str(river.predicted.id), str(river.export), "exported"),
    }
    assert prediction_made_of not in ids(found)
    assert not found.truncated
    kinds = {node.id: (node.kind, node.href) for node in found.nodes}
    assert kinds[original] == ("original", f"/api/v1/versions/{river.upload.id}/original?file=0")
    assert kinds[str(river.saved.id)] == ("version", f"/sources/{river.saved.source_id}?version={river.saved.id}")
    assert kinds[str(river.run)] == ("run", f"/runs/{river.run}")
    assert kinds[str(river.model)] == ("model", f"/models/{river.model}")
    assert kinds[str(river.export)] == ("export", f"/api/v1/exports/{river.export}/file")


@pytest.mark.parametrize("kind", list(LineageKind))
def test_every_object_leads_back_to_the_bytes(app: Harness, me: UserId, river: River, kind: LineageKind) -> None:
    asked = {
        LineageKind.SOURCE: river.predicted.source_id, LineageKind.VERSION: river.predicted.id,
        LineageKind.RUN: river.run, LineageKind.MODEL: river.model, LineageKind.EXPORT: river.export,
    }  # fmt: skip
    found = app.lineage.of(me, kind, asked[kind])
    assert ids(found) >= {river.upload.origin.originals[0].blob, str(river.upload.id), str(river.saved.id)}
    assert str(river.sibling.id) not in ids(found)
    assert str(river.export) in ids(found)
    ends = {edge.end for edge in found.edges} | {edge.start for edge in found.edges}
    assert ends == ids(found)
    if kind is not LineageKind.RUN and kind is not LineageKind.MODEL:
        assert river.other.origin.originals[0].blob in ids(found)


def test_what_is_not_the_askers_is_left_out(app: Harness, me: UserId, river: River, project: ProjectId) -> None:
    viewer = app.user()
    elsewhere = app.project(me, "Elsewhere")
    app.sources.put_into(me, river.saved.source_id, elsewhere)
    app.projects.set_member(me, elsewhere, viewer, Role.VIEWER)
    found = app.lineage.of(viewer, LineageKind.VERSION, river.saved.id)
    assert ids(found) == {str(river.saved.id)}
    for kind, id_ in (
        (LineageKind.VERSION, river.upload.id), (LineageKind.RUN, river.run), (LineageKind.MODEL, river.model),
        (LineageKind.EXPORT, river.export), (LineageKind.SOURCE, river.upload.source_id), (LineageKind.RUN, uuid4()),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            app.lineage.of(viewer, kind, id_)
    app.sources.delete(me, river.upload.source_id)
    assert str(river.upload.id) not in ids(app.lineage.of(me, LineageKind.VERSION, river.saved.id))


def test_a_long_history_is_cut_and_says_so(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    for _ in range(MOST_NODES):
        version = app.sources.roll_back(me, version.source_id, VersionId(version.id))
    found = app.lineage.of(me, LineageKind.VERSION, version.id)
    assert found.truncated
    assert len(found.nodes) == MOST_NODES // 2
    assert str(version.id) in ids(found)
    whole = app.lineage.of(me, LineageKind.SOURCE, version.source_id)
    assert (whole.truncated, len(whole.nodes)) == (True, MOST_NODES)


def test_several_files_are_several_originals(app: Harness, me: UserId, project: ProjectId) -> None:
    first = app.imported(me, project)
    app.imports.add_version(me, first.source_id, Upload("flows.csv", [b"a\n1\n"]))
    app.work()
    found = app.lineage.of(me, LineageKind.SOURCE, first.source_id)
    assert sorted(node.kind for node in found.nodes) == ["original", "original", "version", "version"]
    assert len(found.edges) == 2
