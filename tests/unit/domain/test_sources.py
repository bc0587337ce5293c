from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import (
    Column,
    ColumnType,
    DataSource,
    ImportOptions,
    Origin,
    OriginKind,
    SourceBusyError,
    SourceId,
    SourceStatus,
    Version,
    VersionId,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def new_source() -> DataSource:
    return DataSource(
        id=SourceId(uuid4()),
        name="flows",
        owner_id=UserId(uuid4()),
        project_ids=frozenset({ProjectId(uuid4())}),
        created_at=NOW,
        updated_at=NOW,
    )


def version_of(source: DataSource, number: int = 1) -> Version:
    return Version(
        id=VersionId(uuid4()),
        source_id=source.id,
        number=number,
        columns=(Column("flow", ColumnType.NUMBER),),
        rows=3,
        size=100,
        fingerprint="ab" * 32,
        origin=Origin(OriginKind.UPLOAD),
        created_by=source.owner_id,
        created_at=NOW,
    )


def test_a_first_import_that_fails_leaves_a_failed_source() -> None:
    source = new_source()
    source.begin_version(uuid4(), NOW)
    source.fail_version("not a table", NOW)
    assert (source.status, source.error) == (SourceStatus.FAILED, "not a table")


def test_a_later_import_that_fails_leaves_the_version_before_it_usable() -> None:
    source = new_source()
    source.begin_version(uuid4(), NOW)
    first = version_of(source)
    source.add_version(first)
    source.begin_version(uuid4(), NOW)
    source.fail_version("not a table", NOW)
    assert (source.status, source.current_version_id) == (SourceStatus.READY, first.id)


def test_two_imports_at_once_are_refused() -> None:
    source = new_source()
    source.begin_version(uuid4(), NOW)
    with pytest.raises(SourceBusyError, match="flows"):
        source.begin_version(uuid4(), NOW)


def test_versions_follow_one_another() -> None:
    source = new_source()
    source.add_version(version_of(source))
    with pytest.raises(ConflictError):
        source.add_version(replace(version_of(source), number=3))


@pytest.mark.parametrize(
    "options", [{"delimiter": ";;"}, {"decimal": ",", "delimiter": ","}, {"missing": ("x" * 51,)}, {"quote": ""}]
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        ImportOptions(**options)  # type: ignore[arg-type]
