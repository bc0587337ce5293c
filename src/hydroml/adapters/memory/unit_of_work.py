"""One transaction in memory."""

from types import TracebackType
from typing import Self

from hydroml.adapters.memory.activity import InMemoryActivityRepository
from hydroml.adapters.memory.charts import InMemoryChartRepository
from hydroml.adapters.memory.experiments import InMemoryExperimentRepository, InMemoryRunRepository
from hydroml.adapters.memory.exports import InMemoryExportRepository
from hydroml.adapters.memory.gallery import InMemoryGalleryRepository
from hydroml.adapters.memory.idempotency import InMemoryIdempotencyRepository
from hydroml.adapters.memory.jobs import InMemoryJobRepository
from hydroml.adapters.memory.logged_runs import InMemoryLoggedRunRepository
from hydroml.adapters.memory.models import InMemoryModelRepository
from hydroml.adapters.memory.notifications import InMemoryNotificationRepository
from hydroml.adapters.memory.presets import InMemoryPresetRepository
from hydroml.adapters.memory.projects import InMemoryProjectRepository
from hydroml.adapters.memory.queries import InMemoryQueryRepository
from hydroml.adapters.memory.recipes import InMemoryRecipeRepository
from hydroml.adapters.memory.reports import InMemoryReportRepository
from hydroml.adapters.memory.rules import InMemoryRuleRepository
from hydroml.adapters.memory.run_table import InMemoryRunTable
from hydroml.adapters.memory.search import InMemorySearchIndex
from hydroml.adapters.memory.sources import InMemorySourceRepository, InMemoryVersionRepository
from hydroml.adapters.memory.store import InMemoryStore, Transaction
from hydroml.adapters.memory.studio import InMemorySessionRepository
from hydroml.adapters.memory.suites import InMemorySuiteRepository
from hydroml.adapters.memory.tokens import InMemoryTokenRepository
from hydroml.adapters.memory.uploads import InMemoryUploadRepository
from hydroml.adapters.memory.views import InMemorySavedViewRepository


class InMemoryUnitOfWork:
    """Belongs to one thread; leaving the block without `commit` rolls back."""

    projects: InMemoryProjectRepository
    sources: InMemorySourceRepository
    versions: InMemoryVersionRepository
    reports: InMemoryReportRepository
    rules: InMemoryRuleRepository
    charts: InMemoryChartRepository
    notifications: InMemoryNotificationRepository
    activity: InMemoryActivityRepository
    exports: InMemoryExportRepository
    uploads: InMemoryUploadRepository
    views: InMemorySavedViewRepository
    sessions: InMemorySessionRepository
    recipes: InMemoryRecipeRepository
    queries: InMemoryQueryRepository
    experiments: InMemoryExperimentRepository
    runs: InMemoryRunRepository
    suites: InMemorySuiteRepository
    logged_runs: InMemoryLoggedRunRepository
    run_table: InMemoryRunTable
    presets: InMemoryPresetRepository
    gallery: InMemoryGalleryRepository
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
        self.reports = InMemoryReportRepository(transaction)
        self.rules = InMemoryRuleRepository(transaction)
        self.charts = InMemoryChartRepository(transaction)
        self.notifications = InMemoryNotificationRepository(transaction)
        self.activity = InMemoryActivityRepository(transaction)
        self.exports = InMemoryExportRepository(transaction)
        self.uploads = InMemoryUploadRepository(transaction)
        self.views = InMemorySavedViewRepository(transaction)
        self.sessions = InMemorySessionRepository(transaction)
        self.recipes = InMemoryRecipeRepository(transaction)
        self.queries = InMemoryQueryRepository(transaction)
        self.experiments = InMemoryExperimentRepository(transaction)
        self.runs = InMemoryRunRepository(transaction)
        self.suites = InMemorySuiteRepository(transaction)
        self.logged_runs = InMemoryLoggedRunRepository(transaction)
        self.run_table = InMemoryRunTable(transaction)
        self.presets = InMemoryPresetRepository(transaction)
        self.gallery = InMemoryGalleryRepository(transaction)
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
            self.notifications.number_added()
            self.activity.chain_added()
            self._transaction.commit()
