"""What was found out about versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.domain.sources import Version, VersionId, VersionNotFoundError


class InMemoryReportRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[tuple[VersionId, str], dict[str, Any]] = transaction.rows("report")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")

    def put(self, version_id: VersionId, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        if not self._versions.has(version_id):
            raise VersionNotFoundError(version_id)
        self._rows.put((version_id, kind), dict(document))

    def get(self, version_id: VersionId, kind: str) -> Mapping[str, Any] | None:
        return self._rows.get((version_id, kind)) if self._versions.has(version_id) else None

    def delete(self, version_id: VersionId, kind: str) -> None:
        self._rows.remove((version_id, kind))
