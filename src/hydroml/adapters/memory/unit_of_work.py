"""One transaction in memory."""

from types import TracebackType
from typing import Self

from hydroml.adapters.memory.experiments import InMemoryExperimentRepository, InMemoryRunRepository
from hydroml.adapters.memory.idempotency import InMemoryIdempotencyRepository
from hydroml.adapters.memory.jobs import InMemoryJobRepository
from hydroml.adapters.memory.models import InMemoryModelRepository
from hydroml.adapters.memory.projects import InMemoryProjectRepository
from hydroml.adapters.memory.search import InMemorySearchIndex
from hydroml.adapters.memory.sources import InMemorySourceRepository, InMemoryVersionRepository
from hydroml.adapters.memory.store import InMemoryStore, Transaction
from hydroml.adapters.memory.studio import InMemorySessionRepository
from hydroml.adapters.memory.tokens import InMemoryTokenRepository


class InMemoryUnitOfWork:
    """Belongs to one thread; leaving the block without `commit` rolls back."""

    projects: InMemoryProjectRepository
    sources: InMemorySourceRepository
    versions: InMemoryVersionRepository
    sessions: InMemorySessionRepository
    experiments: InMemoryExperimentRepository
    runs: InMemoryRunRepository
    models: InMemoryModelRepository
    jobs: InMemoryJobRepository
    tokens: InMemoryTokenRepository
    idempotency: InMemoryIdempotencyRepository
    search: InMemorySearchIndex

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def __enter__(self) -> Self:
        transaction = Transaction(self._store)
        self._transaction = transaction
        self.projects = InMemoryProjectRepository(transaction)
        self.sources = InMemorySourceRepository(transaction)
        self.versions = InMemoryVersionRepository(transaction)
        self.sessions = InMemorySessionRepository(transaction)
        self.experiments = InMemoryExperimentRepository(transaction)
        self.runs = InMemoryRunRepository(transaction)
        self.models = InMemoryModelRepository(transaction)
        self.jobs = InMemoryJobRepository(transaction)
        self.tokens = InMemoryTokenRepository(transaction)
        self.idempotency = InMemoryIdempotencyRepository(transaction)
        self.search = InMemorySearchIndex(transaction)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.rollback()

    def commit(self) -> None:
        with self._store.mutex:
            self.jobs.number_changes()
            self._transaction.commit()
