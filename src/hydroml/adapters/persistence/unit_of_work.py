"""One transaction on PostgreSQL."""

from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hydroml.adapters.persistence.activity import SqlAlchemyActivityRepository
from hydroml.adapters.persistence.charts import SqlAlchemyChartRepository
from hydroml.adapters.persistence.experiments import SqlAlchemyExperimentRepository, SqlAlchemyRunRepository
from hydroml.adapters.persistence.exports import SqlAlchemyExportRepository
from hydroml.adapters.persistence.gallery import SqlAlchemyGalleryRepository
from hydroml.adapters.persistence.idempotency import SqlAlchemyIdempotencyRepository
from hydroml.adapters.persistence.jobs import SqlAlchemyJobRepository
from hydroml.adapters.persistence.logged_runs import SqlAlchemyLoggedRunRepository
from hydroml.adapters.persistence.models import SqlAlchemyModelRepository
from hydroml.adapters.persistence.notifications import SqlAlchemyNotificationRepository
from hydroml.adapters.persistence.presets import SqlAlchemyPresetRepository
from hydroml.adapters.persistence.projects import SqlAlchemyProjectRepository
from hydroml.adapters.persistence.queries import SqlAlchemyQueryRepository
from hydroml.adapters.persistence.recipes import SqlAlchemyRecipeRepository
from hydroml.adapters.persistence.reports import SqlAlchemyReportRepository
from hydroml.adapters.persistence.rules import SqlAlchemyRuleRepository
from hydroml.adapters.persistence.run_table import SqlAlchemyRunTable
from hydroml.adapters.persistence.search import SqlAlchemySearchIndex
from hydroml.adapters.persistence.sources import SqlAlchemySourceRepository, SqlAlchemyVersionRepository
from hydroml.adapters.persistence.studio import SqlAlchemySessionRepository
from hydroml.adapters.persistence.suites import SqlAlchemySuiteRepository
from hydroml.adapters.persistence.tokens import SqlAlchemyTokenRepository
from hydroml.adapters.persistence.uploads import SqlAlchemyUploadRepository
from hydroml.adapters.persistence.views import SqlAlchemySavedViewRepository
from hydroml.domain.errors import UnavailableError


class SqlAlchemyUnitOfWork:
    """Belongs to one thread; leaving the block without `commit` rolls back."""

    projects: SqlAlchemyProjectRepository
    sources: SqlAlchemySourceRepository
    versions: SqlAlchemyVersionRepository
    reports: SqlAlchemyReportRepository
    rules: SqlAlchemyRuleRepository
    charts: SqlAlchemyChartRepository
    notifications: SqlAlchemyNotificationRepository
    activity: SqlAlchemyActivityRepository
    exports: SqlAlchemyExportRepository
    uploads: SqlAlchemyUploadRepository
    views: SqlAlchemySavedViewRepository
    sessions: SqlAlchemySessionRepository
    recipes: SqlAlchemyRecipeRepository
    queries: SqlAlchemyQueryRepository
    experiments: SqlAlchemyExperimentRepository
    runs: SqlAlchemyRunRepository
    suites: SqlAlchemySuiteRepository
    logged_runs: SqlAlchemyLoggedRunRepository
    run_table: SqlAlchemyRunTable
    presets: SqlAlchemyPresetRepository
    gallery: SqlAlchemyGalleryRepository
    models: SqlAlchemyModelRepository
    jobs: SqlAlchemyJobRepository
    tokens: SqlAlchemyTokenRepository
    idempotency: SqlAlchemyIdempotencyRepository
    search: SqlAlchemySearchIndex

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        try:
            connection = self._engine.connect()
        except PoolTimeoutError as error:
            raise UnavailableError("too many requests at once; try again later") from error
        self._connection = connection
        self.projects = SqlAlchemyProjectRepository(connection)
        self.sources = SqlAlchemySourceRepository(connection)
        self.versions = SqlAlchemyVersionRepository(connection)
        self.reports = SqlAlchemyReportRepository(connection)
        self.rules = SqlAlchemyRuleRepository(connection)
        self.charts = SqlAlchemyChartRepository(connection)
        self.notifications = SqlAlchemyNotificationRepository(connection)
        self.activity = SqlAlchemyActivityRepository(connection)
        self.exports = SqlAlchemyExportRepository(connection)
        self.uploads = SqlAlchemyUploadRepository(connection)
        self.views = SqlAlchemySavedViewRepository(connection)
        self.sessions = SqlAlchemySessionRepository(connection)
        self.recipes = SqlAlchemyRecipeRepository(connection)
        self.queries = SqlAlchemyQueryRepository(connection)
        self.experiments = SqlAlchemyExperimentRepository(connection)
        self.runs = SqlAlchemyRunRepository(connection)
        self.suites = SqlAlchemySuiteRepository(connection)
        self.logged_runs = SqlAlchemyLoggedRunRepository(connection)
        self.run_table = SqlAlchemyRunTable(connection)
        self.presets = SqlAlchemyPresetRepository(connection)
        self.gallery = SqlAlchemyGalleryRepository(connection)
        self.models = SqlAlchemyModelRepository(connection)
        self.jobs = SqlAlchemyJobRepository(connection)
        self.tokens = SqlAlchemyTokenRepository(connection)
        self.idempotency = SqlAlchemyIdempotencyRepository(connection)
        self.search = SqlAlchemySearchIndex(connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()  # rolls back what was not committed

    def commit(self) -> None:
        self.jobs.number_changes()
        self.notifications.number_added()
        self.activity.chain_added()
        self._connection.commit()
