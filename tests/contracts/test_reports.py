"""Reports of versions: replaced, forgotten, and gone with their version."""

from collections.abc import Callable

import pytest

from hydroml.application.ports.repositories import UnitOfWork
from hydroml.domain.sources import VersionId, VersionNotFoundError
from tests.contracts import examples


@pytest.fixture
def version_id(uow: Callable[[], UnitOfWork]) -> VersionId:
    source = examples.source()
    version = examples.version(source)
    with uow() as work:
        work.sources.add(source)
        work.versions.add(version)
        work.commit()
    return version.id


def test_a_report_is_what_was_put_last(uow: Callable[[], UnitOfWork], version_id: VersionId) -> None:
    for rows in (1, 2):
        with uow() as work:
            work.reports.put(version_id, "profile", {"rows": rows, "top": [["ä", None]]}, examples.NOON)
            work.commit()
    with uow() as work:
        assert work.reports.get(version_id, "profile") == {"rows": 2, "top": [["ä", None]]}
        assert work.reports.get(version_id, "quality") is None
        work.reports.delete(version_id, "profile")
        work.reports.delete(version_id, "quality")
        assert work.reports.get(version_id, "profile") is None


def test_a_report_goes_with_its_version(uow: Callable[[], UnitOfWork], version_id: VersionId) -> None:
    with uow() as work:
        work.reports.put(version_id, "profile", {}, examples.NOON)
        source_id = work.versions.get(version_id).source_id
        work.sources.delete(source_id)
        assert work.reports.get(version_id, "profile") is None
        with pytest.raises(VersionNotFoundError):
            work.reports.put(version_id, "profile", {}, examples.NOON)
