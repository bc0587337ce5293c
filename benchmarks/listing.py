"""`python -m benchmarks.listing [--sources N]`: the list of a project's data sources, in the service.

A private installation is started in a temporary folder, and a project is filled with sources of one version each.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.startup import serving

_ROUNDS = 11


def fill(count: int) -> tuple[Any, Any]:
    """The user and the project."""
    from hydroml.domain.projects import UserId
    from hydroml.domain.sources import Column, ColumnType, DataSource, Origin, OriginKind, SourceId, Version, VersionId
    from hydroml.entrypoints.bootstrap import container

    user = UserId(uuid4())
    project = container().projects().create(user, "Many").project.id
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    columns = tuple(Column(f"column {at}", ColumnType.NUMBER) for at in range(20))
    with container().uow() as uow:
        for at in range(count):
            moment = begun + timedelta(seconds=at)
            source = DataSource(
                id=SourceId(uuid4()), name=f"source {at * 7919 % count:05}", owner_id=user,
                project_ids=frozenset({project}), created_at=moment, updated_at=moment,
            )  # fmt: skip
            version = Version(
                id=VersionId(uuid4()), source_id=source.id, number=1, columns=columns, rows=1000, size=1,
                fingerprint=f"{at:064}", origin=Origin(OriginKind.UPLOAD), created_by=user, created_at=moment,
            )  # fmt: skip
            uow.sources.add(source)
            uow.versions.add(version)
            source.begin_version(uuid4(), moment)
            source.add_version(version)
            uow.sources.save(source)
        uow.commit()
    return user, project


def timed(name: str, ask: Callable[[], Any]) -> None:
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - started)
    print(f"{name:<44}{seconds[0] * 1000:>10.1f}{statistics.median(seconds) * 1000:>10.1f}", flush=True)


def deep(ask: Callable[[str | None], Any], pages: int) -> str | None:
    """The cursor behind so many pages."""
    cursor = None
    for _ in range(pages):
        cursor = ask(cursor).next_cursor
    return cursor


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=10_000)
    count = parser.parse_args(arguments).sources
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as root:
        Path(root).chmod(0o711)
        measure(Path(root) / "data", count)


def measure(folder: Path, count: int) -> None:
    with serving(folder):
        os.environ["HYDROML_DATA_DIR"] = str(folder)
        from hydroml.application.ports.repositories import Listing
        from hydroml.entrypoints.bootstrap import container

        user, project = fill(count)
        sources = container().sources()
        print(f"{f'{count:,} data sources, a page of 50':<44}{'first ms':>10}{'median ms':>10}")
        timed("newest first", lambda: sources.list(user, project, Listing(sort="-created_at")))
        timed("by name", lambda: sources.list(user, project, Listing(sort="name")))
        timed("searched", lambda: sources.list(user, project, Listing(search="0042")))
        behind = deep(lambda cursor: sources.list(user, project, Listing(cursor=cursor, limit=500)), count // 1000)
        timed("a page in the middle", lambda: sources.list(user, project, Listing(cursor=behind)))


if __name__ == "__main__":
    main()
