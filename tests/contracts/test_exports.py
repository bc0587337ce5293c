"""Exports and their templates."""

from datetime import timedelta
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.exports import (
    Export,
    ExportFormat,
    ExportId,
    ExportNotFoundError,
    ExportOptions,
    ExportShape,
    ExportStatus,
    ExportTemplate,
    TemplateId,
    TemplateNotFoundError,
)
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, UserId
from hydroml.domain.sources import VersionId, VersionNotFoundError
from hydroml.domain.studio.steps import SortKey
from tests.contracts.examples import AWKWARD, NOON, World, source, version

SHAPE = ExportShape(
    ExportFormat.CSV,
    ("flow", AWKWARD),
    "flow > 3",
    (SortKey("flow", descending=True), SortKey(AWKWARD)),
    10_000_000_000,
    ExportOptions(delimiter=";", decimal=",", header=False, missing="NA", bom=True, neutralise=False),
)


def export(of: VersionId, minutes: int = 0, blob: str | None = None) -> Export:
    at = NOON + timedelta(minutes=minutes)
    made = Export(
        id=ExportId(uuid4()),
        version_id=of,
        shape=SHAPE,
        filename="räume.csv",
        created_by=UserId(uuid4()),
        created_at=at,
        error="it broke once",
    )
    if blob is not None:
        made.finish(blob, 2**40, 10_000_000_000, at + timedelta(days=1))
    return made


def test_exports_come_back_as_they_were(uow: UnitOfWorkFactory) -> None:
    table = World(uow).version.id
    first, second = export(table), export(table, 1, "a" * 64)
    with uow() as work:
        work.exports.add(first)
        work.exports.add(second)
        work.commit()
    with uow() as work:
        assert (work.exports.get(first.id), work.exports.get(second.id)) == (first, second)
        assert work.exports.of_version(table, Listing()).items == (second, first)
        assert work.exports.of_version(table, Listing(limit=1)).total == 2
        assert list(work.exports.of_versions([table, VersionId(uuid4())])) == [first, second]
        assert list(work.exports.of_versions([table], 1)) == [first]
        first.fail("no")
        work.exports.save(first)
        work.exports.delete(second.id)
        work.commit()
    with uow() as work:
        assert work.exports.get(first.id).status is ExportStatus.FAILED
        for missing in (work.exports.get, work.exports.delete):
            with pytest.raises(ExportNotFoundError):
                missing(second.id)
        with pytest.raises(ExportNotFoundError):
            work.exports.save(second)


def test_ready_files_expire_and_are_counted(uow: UnitOfWorkFactory) -> None:
    table = World(uow).version.id
    late, later, waiting = export(table, 0, "a" * 64), export(table, 5, "a" * 64), export(table)
    with uow() as work:
        for one in (later, waiting, late):
            work.exports.add(one)
        work.commit()
    with uow() as work:
        assert list(work.exports.expired(NOON + timedelta(days=1), 10)) == [late]
        assert list(work.exports.expired(NOON + timedelta(days=2), 10)) == [late, later]
        assert list(work.exports.expired(NOON + timedelta(days=2), 1)) == [late]
        assert set(work.exports.blobs_in_use(["a" * 64, "b" * 64])) == {"a" * 64}
        assert not work.exports.blobs_in_use(["a" * 64], but=[table])
        late.expire()
        work.exports.save(late)
        assert list(work.exports.expired(NOON + timedelta(days=2), 10)) == [later]


def test_exports_belong_to_a_version_and_go_with_it(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    owned = source(world.project)
    made = export((table := version(owned)).id)
    with uow() as work:
        work.sources.add(owned)
        work.versions.add(table)
        work.commit()
    with uow() as work, pytest.raises(VersionNotFoundError):
        work.exports.add(export(VersionId(uuid4())))
    with uow() as work:
        work.exports.add(made)
        work.commit()
    with uow() as work:
        work.sources.delete(owned.id)
        work.commit()
    with uow() as work, pytest.raises(ExportNotFoundError):
        work.exports.get(made.id)


def test_templates_belong_to_a_project_and_go_with_it(uow: UnitOfWorkFactory) -> None:
    world = World(uow)

    def template(name: str, project: ProjectId) -> ExportTemplate:
        return ExportTemplate(
            id=TemplateId(uuid4()), project_id=project, name=name, shape=SHAPE, created_by=world.owner, created_at=NOON
        )

    first, second, third = (template(name, world.project.id) for name in ("b", AWKWARD, "a"))
    with uow() as work, pytest.raises(ProjectNotFoundError):
        work.exports.add_template(template("x", ProjectId(uuid4())))
    with uow() as work:
        for one in (first, second, third):
            work.exports.add_template(one)
        work.commit()
    with uow() as work:
        assert list(work.exports.templates(world.project.id)) == [third, first, second]
        assert work.exports.template(second.id) == second
        work.exports.delete_template(second.id)
        for missing in (work.exports.template, work.exports.delete_template):
            with pytest.raises(TemplateNotFoundError):
                missing(second.id)
        work.projects.delete(world.project.id)
        assert not work.exports.templates(world.project.id)
