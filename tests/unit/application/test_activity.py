"""What the services tell of what people do."""

from datetime import timedelta

import pytest

from hydroml.application.imports import Upload
from hydroml.application.ports.repositories import Listing
from hydroml.domain.errors import ForbiddenError, InvalidInputError
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.exports import ExportFormat, ExportShape
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.rules import NotNull
from hydroml.domain.sources import SourceNotFoundError
from tests.harness import Harness

OLDEST_FIRST = Listing(limit=500, sort="created_at")


def told(app: Harness, me: UserId, project: ProjectId) -> list[tuple[str, str, str]]:
    """Verb, kind and text of what was done since, each at a time of its own."""
    found = app.activity.of_project(me, project, OLDEST_FIRST).items
    return [(a.verb, a.subject.kind, a.text) for a in found]


def test_every_change_of_a_source_is_told(app: Harness, me: UserId, project: ProjectId) -> None:
    other = app.project(me, "Lakes")
    version = app.imported(me, project)
    source_id = version.source_id

    def tick() -> None:
        app.clock.advance(timedelta(seconds=1))

    tick()
    app.sources.change(me, source_id, name="Flows")
    tick()
    app.sources.put_into(me, source_id, other)
    tick()
    app.sources.roll_back(me, source_id, version.id)
    tick()
    rule = app.rules.create(me, source_id, "Measured", NotNull(), ["day"])
    tick()
    app.rules.change(me, rule.id, {"name": "There"})
    tick()
    app.rules.delete(me, rule.id)
    tick()
    app.exports.request(me, version.id, ExportShape(ExportFormat.CSV))
    tick()
    app.sources.take_from(me, source_id, other)
    tick()
    app.work()
    app.sources.delete(me, source_id)
    tick()
    app.sources.restore(me, source_id)
    tick()
    app.sources.delete(me, source_id)
    in_trash = app.activity.of_source(me, source_id, Listing()).total
    tick()
    app.sources.purge(me, source_id, "Flows")
    everything = told(app, me, project)
    assert sorted(everything[:3]) == [
        ("added", "version", "60 rows, 3 columns, by upload"), ("created", "project", ""),
        ("created", "source", "from flows.csv"),
    ]  # fmt: skip
    assert [entry for entry in everything[3:] if entry[0] != "purged"] == [
        ("renamed", "source", "it was called “flows.csv”"),
        ("shared", "source", "with “Lakes”"),
        ("rolled back", "source", "version 2 is version 1 once more"),
        ("created", "rule", ""),
        ("changed", "rule", ""),
        ("deleted", "rule", ""),
        ("exported", "export", "version 1"),
        ("withdrew", "source", "from “Lakes”"),
        ("trashed", "source", ""),
        ("restored", "source", ""),
        ("trashed", "source", ""),
    ]
    assert everything[-1][0] == "purged"
    assert in_trash == len(everything) - 2
    assert [verb for verb, _, _ in told(app, me, other)][-1] == "withdrew"
    assert not app.activity.verify().breaks


def test_projects_members_and_learning_are_told(app: Harness, me: UserId, project: ProjectId) -> None:
    friend = app.user()
    app.projects.update(me, project, name="Streams")
    app.projects.set_member(me, project, friend, Role.VIEWER)
    app.projects.remove_member(me, project, friend)
    version = app.imported(me, project)
    specification = Specification(name="Flow", version_id=version.id, target="flow")
    experiment = app.experiments.create(me, project, specification).experiment
    run, _ = app.runs.request(me, experiment.id)
    app.work()
    model = app.models.register(me, run.id, "Flow").model
    app.models.point(me, model.id, "best", 1)
    verbs = {(verb, kind) for verb, kind, _ in told(app, me, project)}
    assert verbs >= {
        ("changed", "project"), ("admitted", "member"), ("removed", "member"), ("created", "experiment"),
        ("started", "run"), ("finished", "run"), ("registered", "model"), ("pointed", "model"),
    }  # fmt: skip


def test_tokens_are_told_without_their_secrets(app: Harness, me: UserId) -> None:
    token, secret = app.tokens.create(me, "script")
    app.tokens.revoke(me, token.id)
    found = app.activity.all(Listing()).items
    assert {(a.verb, a.subject.name, a.actor_id) for a in found} == {
        ("created", "script", me),
        ("revoked", "script", me),
    }
    assert secret not in repr(found)
    assert token.digest not in repr(found)


def test_what_failed_is_told_and_what_was_refused_is_not(app: Harness, me: UserId, project: ProjectId) -> None:
    source, _ = app.imports.create(me, project, Upload("broken.csv", [b"\xff\xfe\x00"]))
    app.clock.advance(timedelta(seconds=1))
    app.work()
    verb, kind, text = told(app, me, project)[-1]
    assert (verb, kind) == ("failed to add a version to", "source")
    assert "not a text file" in text
    before = len(told(app, me, project))
    with pytest.raises(InvalidInputError):
        app.sources.change(me, source.id, name="")
    app.sources.delete(me, source.id)
    with pytest.raises(InvalidInputError):
        app.sources.purge(me, source.id, "another name")
    assert len(told(app, me, project)) == before + 1


def test_strangers_see_nothing(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    stranger, viewer = app.user(), app.user()
    app.projects.set_member(me, project, viewer, Role.VIEWER)
    with pytest.raises(ProjectNotFoundError):
        app.activity.of_project(stranger, project, Listing())
    with pytest.raises(SourceNotFoundError):
        app.activity.of_source(stranger, version.source_id, Listing())
    with pytest.raises(ForbiddenError):
        app.sources.change(viewer, version.source_id, name="mine")
    assert {a.actor_id for a in app.activity.of_source(viewer, version.source_id, Listing()).items} == {me}
