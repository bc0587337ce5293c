"""The profile of a version: exact in the background, and until then of as many rows as can be read at once."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hydroml.application.access import version_of
from hydroml.application.analysis import AnalysisService
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import ColumnProfile, Profile, TableEngine, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.jobs import Job
from hydroml.domain.projects import UserId
from hydroml.domain.sources import Table, Version, VersionId

SMALL = 2_000_000
"""Up to so many cells are read while somebody waits."""
MOST_COLUMNS = 500
_CHUNK = 250
"""So many columns are kept in one document: a page of a wide table's profile must not read all of it."""
_FORMAT = 1
"""Grows when profiles hold something else: an older one is made again."""


@dataclass(frozen=True, slots=True)
class VersionProfile:
    """Of the asked columns; `total_columns` is how many there are to ask for, and `job` makes the exact one."""

    profile: Profile
    total_columns: int
    job: Job | None


class ProfileAnalysis:
    """Makes and keeps the profile; part of the analysis of every new version."""

    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine, clock: Clock) -> None:
        self._uow, self._engine, self._clock = uow, engine, clock

    def run(self, version: Version, monitor: Monitor) -> dict[str, Any]:
        found = self._engine.profile(View(Table.of(version)), monitor)
        with self._uow() as uow:
            for at in range(0, len(found.columns), _CHUNK):
                columns = [asdict(column) for column in found.columns[at : at + _CHUNK]]
                document = {"format": _FORMAT, "columns": columns, "elapsed_ms": found.elapsed_ms}
                uow.reports.put(version.id, _kind(at), document, self._clock())
            uow.commit()
        return {"profiled_columns": len(found.columns)}


class ProfileService:
    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine, analyses: AnalysisService) -> None:
        self._uow, self._engine, self._analyses = uow, engine, analyses

    def get(
        self,
        user: UserId,
        version_id: VersionId,
        *,
        filter: str | None = None,  # noqa: A002 - the API's word
        search: str = "",
        offset: int = 0,
        limit: int = MOST_COLUMNS,
    ) -> VersionProfile:
        """Of `limit` columns from `offset` on, of those whose name has `search` in it. With a filter, of the rows it
        leaves. Raises InvalidInputError when they are out of bounds."""
        if offset < 0:
            raise InvalidInputError.at("offset", msg="counts from 0", code="range")
        if not 1 <= limit <= MOST_COLUMNS:
            raise InvalidInputError.at("limit", msg=f"between 1 and {MOST_COLUMNS}", code="range")
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
            found = [at for at, c in enumerate(version.columns) if search.casefold() in c.name.casefold()]
            asked = found[offset : offset + limit]
            kept = None if filter is not None else _kept(uow, version, asked)
        if kept is not None:
            return VersionProfile(kept, len(found), None)
        view = View(Table.of(version), filter=filter, columns=tuple(version.columns[at].name for at in asked))
        if filter is not None or version.rows * len(asked) <= SMALL:
            return VersionProfile(self._engine.profile(view), len(found), None)
        return VersionProfile(self._engine.sample_profile(view), len(found), self._analyses.current(user, version_id))


def at_hand(uow: UnitOfWork, version: Version, names: Collection[str]) -> Mapping[str, ColumnProfile]:
    """The profile of these columns as it is kept; empty before it is made."""
    asked = [at for at, column in enumerate(version.columns) if column.name in names]
    kept = _kept(uow, version, asked)
    return {} if kept is None else {column.name: column for column in kept.columns}


def _kind(column: int) -> str:
    return f"profile {column // _CHUNK}"


def _kept(uow: UnitOfWork, version: Version, asked: list[int]) -> Profile | None:
    documents = {kind: uow.reports.get(version.id, kind) for kind in dict.fromkeys(map(_kind, asked))}
    columns = []
    elapsed = 0.0
    for at in asked:
        document = documents[_kind(at)]
        if document is None or document["format"] != _FORMAT:
            return None
        columns.append(_column(document["columns"][at % _CHUNK]))
        elapsed = document["elapsed_ms"]
    return Profile(version.rows, tuple(columns), version.rows, elapsed)


def _column(document: dict[str, Any]) -> ColumnProfile:
    histogram, top = document["histogram"], document["top"]
    return ColumnProfile(
        **document
        | {
            "quantiles": _tuple(document["quantiles"]),
            "lengths": _tuple(document["lengths"]),
            "histogram": None if histogram is None else (tuple(histogram[0]), tuple(histogram[1])),
            "top": None if top is None else tuple((value, count) for value, count in top),
        }
    )


def _tuple(values: list[Any] | None) -> Any:
    return None if values is None else tuple(values)
