"""Rules and their results."""

from collections.abc import Sequence

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.rules import Rule, RuleId, RuleNotFoundError, RuleResult
from hydroml.domain.sources import DataSource, SourceId, SourceNotFoundError, Version, VersionId


class InMemoryRuleRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[RuleId, Rule] = transaction.rows("rule")
        self._results: Rows[tuple[RuleId, VersionId], RuleResult] = transaction.rows("rule result")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")

    def add(self, entity: Rule) -> None:
        if not self._sources.has(entity.source_id):
            raise SourceNotFoundError(entity.source_id)
        self._rows.put(entity.id, entity)

    def get(self, rule_id: RuleId) -> Rule:
        found = self._rows.get(rule_id)
        if found is None or not self._sources.has(found.source_id):
            raise RuleNotFoundError(rule_id)
        return found

    def save(self, entity: Rule) -> None:
        save_revised(self._rows, entity)

    def delete(self, rule_id: RuleId) -> None:
        self.get(rule_id)
        self._rows.remove(rule_id)
        for key in self._results.keys_where(lambda r: r.rule_id == rule_id):
            self._results.remove(key)

    def of_source(self, source_id: SourceId) -> Sequence[Rule]:
        found = self._rows.where(lambda r: r.source_id == source_id and self._sources.has(source_id))
        return sorted(found, key=lambda r: (r.created_at, r.id))

    def put_results(self, results: Sequence[RuleResult]) -> None:
        for result in results:
            if self._rows.has(result.rule_id) and self._versions.has(result.version_id):
                self._results.put((result.rule_id, result.version_id), result)

    def results(self, source_id: SourceId, listing: Listing, version_id: VersionId | None = None) -> Slice[RuleResult]:
        found = self._results.where(
            lambda r: r.source_id == source_id and version_id in (None, r.version_id) and self._kept(r)
        )
        return slice_of(found, listing, {"checked_at": lambda r: r.checked_at}, lambda r: r.rule_name)

    def results_of_version(self, version_id: VersionId) -> Sequence[RuleResult]:
        return self._results.where(lambda r: r.version_id == version_id and self._kept(r))

    def _kept(self, result: RuleResult) -> bool:
        return self._versions.has(result.version_id)
