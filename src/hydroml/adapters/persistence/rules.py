"""Rules and their results."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Row,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import slice_of
from hydroml.application.documents import read_check, write_check
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConcurrentUpdateError
from hydroml.domain.projects import UserId
from hydroml.domain.rules import Rule, RuleId, RuleNotFoundError, RuleResult, RuleSeverity
from hydroml.domain.sources import SourceId, SourceNotFoundError, VersionId

rule = Table(
    "rule",
    metadata,
    key(),
    reference("source_id", "source", "CASCADE"),
    text("name"),
    document("check"),
    document("columns"),
    text("severity"),
    Column("enabled", Boolean, nullable=False),
    uuid("created_by"),
    moment("created_at"),
    number("revision"),
    Index(None, "source_id", "created_at", "id"),
)

rule_result = Table(
    "rule_result",
    metadata,
    key(),
    reference("rule_id", "rule", "CASCADE"),
    text("rule_name"),
    text("severity"),
    reference("source_id", "source", "CASCADE"),
    reference("version_id", "version", "CASCADE"),
    number("version_number"),
    Column("passed", Boolean),
    number("failing_rows"),
    text("filter", nullable=True),
    document("row_numbers"),
    text("error", nullable=True),
    moment("checked_at"),
    UniqueConstraint("rule_id", "version_id"),
    Index(None, "source_id", "checked_at", "id"),
    Index(None, "version_id"),
)


def _to_row(entity: Rule) -> dict[str, Any]:
    return {
        "id": entity.id,
        "source_id": entity.source_id,
        "name": entity.name,
        "check": write_check(entity.check),
        "columns": list(entity.columns),
        "severity": entity.severity,
        "enabled": entity.enabled,
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> Rule:
    return Rule(
        id=RuleId(row.id),
        source_id=SourceId(row.source_id),
        name=row.name,
        check=read_check(row.check),
        columns=tuple(row.columns),
        severity=RuleSeverity(row.severity),
        enabled=row.enabled,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        revision=row.revision,
    )


def _result_to_row(result: RuleResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "rule_id": result.rule_id,
        "rule_name": result.rule_name,
        "severity": result.severity,
        "source_id": result.source_id,
        "version_id": result.version_id,
        "version_number": result.version_number,
        "passed": result.passed,
        "failing_rows": result.failing_rows,
        "filter": result.filter,
        "row_numbers": list(result.row_numbers),
        "error": result.error,
        "checked_at": result.checked_at,
    }


def _result_from_row(row: Row[Any]) -> RuleResult:
    return RuleResult(
        id=row.id,
        rule_id=RuleId(row.rule_id),
        rule_name=row.rule_name,
        severity=RuleSeverity(row.severity),
        source_id=SourceId(row.source_id),
        version_id=VersionId(row.version_id),
        version_number=row.version_number,
        passed=row.passed,
        failing_rows=row.failing_rows,
        filter=row.filter,
        row_numbers=tuple(row.row_numbers),
        error=row.error,
        checked_at=row.checked_at,
    )


class SqlAlchemyRuleRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Rule) -> None:
        try:
            self._connection.execute(insert(rule).values(_to_row(entity)))
        except IntegrityError as error:
            raise SourceNotFoundError(entity.source_id) from error

    def get(self, rule_id: RuleId) -> Rule:
        row = self._connection.execute(select(rule).where(rule.c.id == rule_id)).one_or_none()
        if row is None:
            raise RuleNotFoundError(rule_id)
        return _from_row(row)

    def save(self, entity: Rule) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(rule).where(rule.c.id == entity.id, rule.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"rule {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, rule_id: RuleId) -> None:
        if self._connection.execute(delete(rule).where(rule.c.id == rule_id)).rowcount != 1:
            raise RuleNotFoundError(rule_id)

    def of_source(self, source_id: SourceId) -> Sequence[Rule]:
        query = select(rule).where(rule.c.source_id == source_id).order_by(rule.c.created_at, rule.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]

    def put_results(self, results: Sequence[RuleResult]) -> None:
        for result in results:
            values = _result_to_row(result)
            changed = {name: value for name, value in values.items() if name not in ("rule_id", "version_id")}
            there = select(rule.c.id).where(rule.c.id == result.rule_id).with_for_update(key_share=True)
            if self._connection.execute(there).one_or_none() is None:
                continue  # removed while it was checked
            statement = upsert(rule_result).values(values)
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["rule_id", "version_id"], set_=changed)
            )

    def results(self, source_id: SourceId, listing: Listing, version_id: VersionId | None = None) -> Slice[RuleResult]:
        query = select(rule_result).where(rule_result.c.source_id == source_id)
        if version_id is not None:
            query = query.where(rule_result.c.version_id == version_id)
        keys = {"checked_at": rule_result.c.checked_at}
        name = rule_result.c.rule_name
        return slice_of(self._connection, query, rule_result, keys, listing, _result_from_row, name=name)

    def results_of_version(self, version_id: VersionId) -> Sequence[RuleResult]:
        query = select(rule_result).where(rule_result.c.version_id == version_id)
        return [_result_from_row(row) for row in self._connection.execute(query)]
