"""The table of a project's runs, from the narrow columns of the runs and the values beside them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Row,
    Select,
    Text,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    null,
    select,
    true,
)

from hydroml.adapters.persistence.experiments import experiment, run, run_value
from hydroml.adapters.persistence.paging import by_name, like_literal
from hydroml.adapters.persistence.sources import source, version
from hydroml.adapters.persistence.suites import suite
from hydroml.application.ports.run_table import FIELDS, MAX_NAMES, RunGroup, RunQuery, RunRow, RunSlice
from hydroml.domain.experiments.runs import ExperimentId, RunId, RunStatus, SuiteId
from hydroml.domain.experiments.summary import ColumnValue, Score
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId, VersionId

NOTE_START = 200
"""So many characters of the notes stand in the table."""

_LOGGED = run.c.logged.is_not(None)
_ORIGIN = case((_LOGGED, literal("mlflow")), else_=literal("hydroml"))
_SOURCE = func.coalesce(source.c.name, run.c.logged["source"].astext, "")

_LINE: tuple[ColumnElement[Any], ...] = (
    run.c.id, run.c.experiment_id, run.c.suite_id, run.c.project_id, run.c.version_id, run.c.job_id, run.c.name,
    run.c.status, run.c.error, run.c.problem, run.c.split, run.c.target, run.c.algorithm, run.c.seed, run.c.seconds,
    run.c.score_metric, run.c.score, run.c.score_baseline, run.c.baseline_score, run.c.tags, run.c.created_by,
    run.c.created_at, run.c.started_at, run.c.finished_at, func.left(run.c.notes, NOTE_START).label("notes"),
    source.c.id.label("source_id"), _SOURCE.label("source"), version.c.number.label("version"),
    _LOGGED.label("logged"),
)  # fmt: skip
_DATA = run.outerjoin(version, version.c.id == run.c.version_id).outerjoin(source, source.c.id == version.c.source_id)


@dataclass(frozen=True, slots=True)
class _Sorting:
    """What is joined for the order, and by what it goes: numbers before words."""

    joined: FromClause
    keys: tuple[ColumnElement[Any], ...]
    number: ColumnElement[Any] | None
    """Where the column is one of numbers."""


@dataclass(frozen=True, slots=True)
class _Grouping:
    joined: FromClause
    key: ColumnElement[str]
    title: ColumnElement[str]


class SqlAlchemyRunTable:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, which: RunQuery) -> RunSlice:
        joined, conditions = _chosen(which)
        total = self._connection.execute(select(func.count()).select_from(joined).where(*conditions)).scalar_one()
        by_metric = which.sort_field.startswith("metrics.")
        ids = self._by_metric(which) if by_metric else self._in_order(which, joined, conditions)
        lines = select(*_LINE).select_from(_DATA).where(run.c.id.in_(ids))
        rows = {row.id: row for row in self._connection.execute(lines)}
        values = self._values(ids, which.columns)
        return RunSlice(tuple(_from_row(rows[id_], values[id_]) for id_ in ids), total)

    def _in_order(
        self, which: RunQuery, joined: FromClause, conditions: Sequence[ColumnElement[bool]]
    ) -> Sequence[UUID]:
        sorting = _sorting(which, joined)
        order = [_directed(key, which) for key in sorting.keys]
        query = select(run.c.id).select_from(sorting.joined).where(*conditions)
        return self._page(query.order_by(*order, _directed(run.c.id, which)), which.limit, which.offset)

    def _by_metric(self, which: RunQuery) -> Sequence[UUID]:
        """Those that have the metric, in the order of the index that holds it, then those that lack it."""
        has_it = (run_value.c.project_id == which.project_id) & (run_value.c.name == which.sort_field)
        valued: FromClause = run_value
        conditions: list[ColumnElement[bool]] = [has_it]
        if which.is_narrowed:
            chosen, narrowed = _chosen(which)
            valued = chosen.join(run_value, run_value.c.run_id == run.c.id)
            conditions += narrowed
        having = select(run_value.c.run_id).select_from(valued).where(*conditions)
        ordered = having.order_by(_directed(run_value.c.number, which), _directed(run_value.c.run_id, which))
        ids = self._page(ordered, which.limit, which.offset)
        if len(ids) == which.limit:
            return ids
        known = self._connection.execute(select(func.count()).select_from(having.subquery())).scalar_one()
        joined, chosen_conditions = _chosen(which)
        lacks_it = ~exists().where(has_it, run_value.c.run_id == run.c.id)
        rest = select(run.c.id).select_from(joined).where(*chosen_conditions, lacks_it)
        behind = max(0, which.offset - known)
        return [*ids, *self._page(rest.order_by(_directed(run.c.id, which)), which.limit - len(ids), behind)]

    def _page(self, query: Select[Any], limit: int, offset: int) -> Sequence[UUID]:
        return list(self._connection.execute(query.limit(limit).offset(offset)).scalars())

    def groups(self, which: RunQuery, limit: int) -> Sequence[RunGroup]:
        grouping = _grouping(which, _DATA)
        sorting = _sorting(which, grouping.joined)
        of = null() if sorting.number is None else sorting.number
        figures = (func.min(of), func.avg(of), func.max(of)) if sorting.number is not None else (of, of, of)
        size, key, title = func.count(), grouping.key.label("key"), func.min(grouping.title.collate("C"))
        query = (
            select(key, title.label("title"), size.label("runs"), *figures)
            .select_from(sorting.joined)
            .where(*_conditions(which))
            .group_by(key)
            .order_by(size.desc(), title, func.min(grouping.key.collate("C")))
            .limit(limit)
        )
        return [RunGroup(*row) for row in self._connection.execute(query)]

    def names(self, project_id: ProjectId) -> Sequence[str]:
        # One look into the index for each name, however many runs have it.
        mine = run_value.c.project_id == project_id
        first = select(func.min(run_value.c.name).label("name")).where(mine)
        found = first.cte("names", recursive=True)
        after = select(func.min(run_value.c.name)).where(mine, run_value.c.name > found.c.name).scalar_subquery()
        found = found.union_all(select(after).where(found.c.name.is_not(None)))
        query = select(found.c.name).where(found.c.name.is_not(None)).limit(MAX_NAMES)
        return list(self._connection.execute(query).scalars())

    def _values(self, run_ids: Collection[UUID], names: Sequence[str]) -> Mapping[UUID, dict[str, ColumnValue]]:
        found: dict[UUID, dict[str, ColumnValue]] = defaultdict(dict)
        if not run_ids or not names:
            return found
        wanted = (run_value.c.run_id.in_(run_ids), run_value.c.name.in_(names))
        query = select(run_value.c.run_id, run_value.c.name, run_value.c.number, run_value.c.text).where(*wanted)
        for row in self._connection.execute(query):
            found[row.run_id][row.name] = row.text if row.number is None else row.number
        return found


def _conditions(which: RunQuery) -> list[ColumnElement[bool]]:
    conditions = [run.c.project_id == which.project_id]
    if which.statuses:
        conditions.append(run.c.status.in_(which.statuses))
    if which.experiment_id is not None:
        conditions.append(run.c.experiment_id == which.experiment_id)
    if which.suite_id is not None:
        conditions.append(run.c.suite_id == which.suite_id)
    for word in which.words.lower().split():
        pattern = f"%{like_literal(word)}%"
        in_source = func.lower(source.c.name).like(pattern, escape="\\")
        conditions.append(run.c.words.like(pattern, escape="\\") | in_source)
    return conditions


def _chosen(which: RunQuery) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """The runs a query narrows to: joined with no more than what it asks about."""
    conditions = _conditions(which)
    data: FromClause = _DATA if which.words.strip() or "source" in (which.group_by, which.sort_field) else run
    if which.group_by == "version":
        data = _DATA
    if which.group is None:
        return data, conditions
    grouping = _grouping(which, data)
    return grouping.joined, [*conditions, grouping.key == which.group]


def _directed(key: ColumnElement[Any], which: RunQuery) -> ColumnElement[Any]:
    """Missing ones last either way; what is never missing says nothing of them, so that an index serves."""
    directed = key.desc() if which.descending else key.asc()
    never = (isinstance(key, Column) and not key.nullable) or key is run_value.c.number
    return directed if never else directed.nulls_last()


def _value(which: RunQuery, name: str, base: FromClause, alias: str) -> tuple[FromClause, Any]:
    value = run_value.alias(alias)
    mine = (value.c.run_id == run.c.id) & (value.c.project_id == which.project_id) & (value.c.name == name)
    return base.outerjoin(value, mine), value


def _sorting(which: RunQuery, base: FromClause) -> _Sorting:
    name = which.sort_field
    if name in ("name", "source"):
        return _Sorting(base, (by_name(run) if name == "name" else func.lower(_SOURCE).collate("C"),), None)
    if name in FIELDS:
        plain = run.c[name]
        is_number = isinstance(plain.type, Float | BigInteger)
        return _Sorting(
            base, (plain.collate("C") if isinstance(plain.type, Text) else plain,), plain if is_number else None
        )
    joined, value = _value(which, name, base, "sorted_by")
    if name.startswith("metrics."):  # numbers only: the index holds all there is to know
        return _Sorting(joined, (value.c.number,), value.c.number)
    return _Sorting(joined, (value.c.number, value.c.text.collate("C")), value.c.number)


def _grouping(which: RunQuery, base: FromClause) -> _Grouping:
    joined = base
    match which.group_by:
        case "source":
            return _Grouping(base, func.coalesce(cast(source.c.id, Text), _SOURCE), _SOURCE)
        case "version":
            title = source.c.name + literal(", version ") + cast(version.c.number, Text)
            return _Grouping(base, func.coalesce(cast(run.c.version_id, Text), ""), func.coalesce(title, ""))
        case "origin":
            return _Grouping(base, _ORIGIN, _ORIGIN)
        case "experiment" | "suite":
            owner = experiment if which.group_by == "experiment" else suite
            joined = base.outerjoin(owner, owner.c.id == run.c[f"{which.group_by}_id"])
            return _Grouping(joined, func.coalesce(cast(owner.c.id, Text), ""), func.coalesce(owner.c.name, ""))
        case "tag":
            tag = func.unnest(run.c.tags).table_valued(column("tag", Text), name="tags").render_derived()
            joined = base.outerjoin(tag, true())
            key = func.coalesce(tag.c.tag, "")
        case "algorithm" | "problem" | "target" | "split" | "status":
            key = func.coalesce(run.c[which.group_by], "")
        case _:
            joined, value = _value(which, which.group_by or "", base, "grouped_by")
            key = func.coalesce(value.c.text, cast(value.c.number, Text), "")
    return _Grouping(joined, key, key)


def _from_row(row: Row[Any], values: Mapping[str, ColumnValue]) -> RunRow:
    score = None
    if row.score_metric is not None:
        score = Score(row.score_metric, row.score, row.score_baseline, row.baseline_score)
    return RunRow(
        id=RunId(row.id),
        experiment_id=None if row.experiment_id is None else ExperimentId(row.experiment_id),
        suite_id=None if row.suite_id is None else SuiteId(row.suite_id),
        project_id=ProjectId(row.project_id),
        version_id=None if row.version_id is None else VersionId(row.version_id),
        source_id=None if row.source_id is None else SourceId(row.source_id),
        source=row.source,
        version=row.version,
        job_id=row.job_id,
        name=row.name,
        status=RunStatus(row.status),
        error=row.error,
        problem=row.problem,
        split=row.split,
        target=row.target,
        algorithm=row.algorithm,
        seed=row.seed,
        seconds=row.seconds,
        score=score,
        tags=tuple(row.tags),
        notes=row.notes,
        created_by=None if row.created_by is None else UserId(row.created_by),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        logged=row.logged,
        values=values,
    )
