"""The only place where ports meet adapters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from dependency_injector import containers, providers

from hydroml.adapters.jobs.bell import RedisBell
from hydroml.adapters.jobs.queue import CeleryJobQueue
from hydroml.adapters.learning.learner import ScikitLearner, lacking
from hydroml.adapters.persistence.engine import create_engine
from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.adapters.reporting import HtmlWriter, MarkdownWriter, TypstPdfWriter
from hydroml.adapters.searching import OptunaSearcher
from hydroml.adapters.security.tokens import digest, new_secret
from hydroml.adapters.storage import FolderScratch, blob_store_for
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.comparing import DuckDbTableComparer
from hydroml.adapters.tables.quality import DuckDbTableInspector
from hydroml.adapters.tracking.server import tracking_server
from hydroml.adapters.tracking.tracker import MlflowTracker
from hydroml.application.access import AccessService
from hydroml.application.activity import ActivityService
from hydroml.application.analysis import AnalysisHandler, AnalysisService
from hydroml.application.blobs import BlobSweeper
from hydroml.application.charts import ChartService
from hydroml.application.comparison import ComparisonService
from hydroml.application.demo import DemoService
from hydroml.application.experiments import ExperimentService
from hydroml.application.exports import ExportService
from hydroml.application.following import Followers
from hydroml.application.gallery import GalleryService
from hydroml.application.garbage import GarbageCollector
from hydroml.application.imports import ImportService
from hydroml.application.jobs import JobRunner, JobSender, JobService
from hydroml.application.lineage import LineageService
from hydroml.application.logged_runs import LoggedRunService
from hydroml.application.mlflow_access import MlflowAccess
from hydroml.application.models import ModelService
from hydroml.application.notifications import NotificationService
from hydroml.application.predictions import PredictionService
from hydroml.application.preflight import PreflightService
from hydroml.application.presets import PresetService
from hydroml.application.profiles import ProfileAnalysis, ProfileService
from hydroml.application.projects import ProjectService
from hydroml.application.quality import QualityAnalysis, QualityService
from hydroml.application.queries import QueryService
from hydroml.application.recipes import RecipeService
from hydroml.application.reporting import Format, ReportService
from hydroml.application.reproduction import ReproductionService
from hydroml.application.rules import RuleAnalysis, RuleHandler, RuleService
from hydroml.application.run_comparison import RunComparisonService
from hydroml.application.run_table import RunTableService
from hydroml.application.runs import RunService, TrackingService, TrainingHandler
from hydroml.application.saving import SavingService
from hydroml.application.search import SearchService
from hydroml.application.sources import SourceService
from hydroml.application.studio import StudioService
from hydroml.application.suites import SuiteHandler, SuiteService
from hydroml.application.tables import TableService
from hydroml.application.tokens import TokenService
from hydroml.application.uploads import UploadService
from hydroml.application.versions import VersionWriter
from hydroml.application.views import SavedViewService
from hydroml.domain.jobs import JobKind
from hydroml.entrypoints.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def artifact_root(settings: Settings) -> str | None:
    """Where MLflow keeps its copies: beside the blobs, in the folder or the bucket. A tracking server that may stand on
    another machine chooses a folder itself."""
    if urlsplit(settings.storage_url).scheme == "s3":
        folder, mark, query = settings.storage_url.partition("?")
        return f"{folder.rstrip('/')}/mlflow{mark}{query}"
    if settings.mlflow_is_elsewhere:
        return None
    return str(settings.data_dir / "mlflow")


class Container(containers.DeclarativeContainer):
    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Object(now)

    engine = providers.ThreadSafeSingleton(create_engine, settings.provided.database_url)
    uow = providers.Factory(SqlAlchemyUnitOfWork, engine)
    blobs = providers.ThreadSafeSingleton(blob_store_for, settings.provided.storage_url, settings.provided.data_dir)
    scratch = providers.ThreadSafeSingleton(FolderScratch, settings.provided.tmp_dir)
    queue = providers.ThreadSafeSingleton(CeleryJobQueue, settings.provided.broker_url)
    bell = providers.ThreadSafeSingleton(RedisBell, settings.provided.cache_url)
    tables_engine = providers.ThreadSafeSingleton(
        DuckDbTableEngine,
        blobs=blobs,
        temp_folder=providers.Callable(lambda folder: Path(folder) / "tables", settings.provided.tmp_dir),
        memory_limit=settings.provided.memory_limit,
        threads=settings.provided.threads,
        cache_limit=settings.provided.cache_limit,
    )
    inspector = providers.ThreadSafeSingleton(
        DuckDbTableInspector,
        blobs=blobs,
        temp_folder=providers.Callable(lambda folder: Path(folder) / "inspector", settings.provided.tmp_dir),
        memory_limit=settings.provided.memory_limit,
        threads=settings.provided.threads,
    )
    learner = providers.ThreadSafeSingleton(
        ScikitLearner, memory_limit=settings.provided.memory_limit, threads=settings.provided.threads
    )
    tracker = providers.ThreadSafeSingleton(
        MlflowTracker,
        tracking_uri=settings.provided.mlflow_tracking_uri,
        artifact_root=providers.Callable(artifact_root, settings),
    )

    searcher = providers.ThreadSafeSingleton(OptunaSearcher, settings.provided.database_url)

    sender = providers.Factory(JobSender, uow=uow.provider, queue=queue, bell=bell, clock=clock)
    analyses = providers.Factory(AnalysisService, uow=uow.provider, sender=sender, clock=clock)
    followers = providers.Factory(Followers, sender=sender, clock=clock)
    versions = providers.Factory(
        VersionWriter,
        uow=uow.provider,
        blobs=blobs,
        scratch=scratch,
        analyses=analyses,
        followers=followers,
        clock=clock,
    )
    sweeper = providers.Factory(BlobSweeper, uow=uow.provider, blobs=blobs, clock=clock)

    access = providers.Factory(AccessService, uow=uow.provider)
    activity = providers.Factory(ActivityService, uow=uow.provider)
    lineage = providers.Factory(LineageService, uow=uow.provider)
    projects = providers.Factory(ProjectService, uow=uow.provider, clock=clock)
    sources = providers.Factory(
        SourceService,
        uow=uow.provider,
        blobs=blobs,
        sweeper=sweeper,
        analyses=analyses,
        followers=followers,
        clock=clock,
    )
    imports = providers.Factory(
        ImportService,
        uow=uow.provider,
        blobs=blobs,
        scratch=scratch,
        engine=tables_engine,
        versions=versions,
        sender=sender,
        clock=clock,
        max_upload_bytes=settings.provided.max_upload_bytes,
    )
    uploads = providers.Factory(
        UploadService,
        uow=uow.provider,
        blobs=blobs,
        clock=clock,
        max_upload_bytes=settings.provided.max_upload_bytes,
    )
    exports = providers.Factory(
        ExportService,
        uow=uow.provider,
        engine=tables_engine,
        blobs=blobs,
        scratch=scratch,
        sweeper=sweeper,
        sender=sender,
        clock=clock,
        kept=providers.Callable(lambda days: timedelta(days=days), settings.provided.export_days),
    )
    garbage = providers.Factory(
        GarbageCollector,
        uow=uow.provider,
        blobs=blobs,
        scratch=scratch,
        uploads=uploads,
        exports=exports,
        engine=tables_engine,
        clock=clock,
    )
    studio = providers.Factory(StudioService, uow=uow.provider, engine=tables_engine, clock=clock)
    tables = providers.Factory(TableService, uow=uow.provider, engine=tables_engine)
    charts = providers.Factory(ChartService, uow=uow.provider, clock=clock)
    views = providers.Factory(SavedViewService, uow=uow.provider, clock=clock)
    saving = providers.Factory(
        SavingService, uow=uow.provider, engine=tables_engine, versions=versions, sender=sender, clock=clock
    )
    recipes = providers.Factory(RecipeService, uow=uow.provider, engine=tables_engine, clock=clock)
    queries = providers.Factory(
        QueryService, uow=uow.provider, engine=tables_engine, versions=versions, sender=sender, clock=clock
    )
    experiments = providers.Factory(ExperimentService, uow=uow.provider, clock=clock)
    quality_analysis = providers.Factory(QualityAnalysis, uow=uow.provider, inspector=inspector, clock=clock)
    preflight = providers.Factory(
        PreflightService,
        uow=uow.provider,
        engine=tables_engine,
        quality=quality_analysis,
        memory_limit=settings.provided.memory_limit,
        threads=settings.provided.threads,
        lacking=providers.ThreadSafeSingleton(lacking),
    )
    runs = providers.Factory(RunService, uow=uow.provider, preflight=preflight, blobs=blobs, sender=sender, clock=clock)
    suites = providers.Factory(
        SuiteService, uow=uow.provider, preflight=preflight, searcher=searcher, sender=sender, clock=clock
    )
    suite_jobs = providers.Factory(
        SuiteHandler, uow=uow.provider, searcher=searcher, blobs=blobs, sender=sender, clock=clock
    )
    presets = providers.Factory(PresetService, uow=uow.provider, clock=clock)
    gallery = providers.Factory(GalleryService, uow=uow.provider, experiments=experiments, blobs=blobs, clock=clock)
    run_table = providers.Factory(RunTableService, uow=uow.provider)
    run_comparisons = providers.Factory(RunComparisonService, uow=uow.provider)
    tracking = providers.Factory(TrackingService, uow=uow.provider, tracker=tracker, blobs=blobs)
    logged_runs = providers.Factory(LoggedRunService, uow=uow.provider, tracker=tracker)
    mlflow_access = providers.ThreadSafeSingleton(
        MlflowAccess,
        uow=uow.provider,
        tracker=tracker,
        server=providers.Singleton(
            tracking_server,
            settings.provided.mlflow_tracking_uri,
            providers.Callable(artifact_root, settings),
        ),
    )
    training = providers.Factory(
        TrainingHandler,
        uow=uow.provider,
        preflight=preflight,
        learner=learner,
        tracking=tracking,
        blobs=blobs,
        scratch=scratch,
        suites=suite_jobs,
        clock=clock,
    )
    models = providers.Factory(ModelService, uow=uow.provider, clock=clock)
    predictions = providers.Factory(
        PredictionService,
        uow=uow.provider,
        engine=tables_engine,
        learner=learner,
        blobs=blobs,
        scratch=scratch,
        versions=versions,
        sender=sender,
        clock=clock,
    )
    reports = providers.Factory(
        ReportService,
        uow=uow.provider,
        engine=tables_engine,
        preflight=preflight,
        comparisons=run_comparisons,
        blobs=blobs,
        writers=providers.Dict(
            {
                Format.HTML: providers.Factory(HtmlWriter),
                Format.PDF: providers.Factory(TypstPdfWriter),
                Format.MARKDOWN: providers.Factory(MarkdownWriter),
            }
        ),
        clock=clock,
    )
    reproductions = providers.Factory(
        ReproductionService, uow=uow.provider, learner=learner, engine=tables_engine, blobs=blobs, scratch=scratch
    )
    tokens = providers.Factory(
        TokenService,
        uow=uow.provider,
        clock=clock,
        new_secret=providers.Object(new_secret),
        digest=providers.Object(digest),
    )
    search = providers.Factory(SearchService, uow=uow.provider)
    demo = providers.Factory(DemoService, uow=uow.provider, projects=projects, imports=imports)

    notifications = providers.Factory(NotificationService, uow=uow.provider)
    quality = providers.Factory(
        QualityService, uow=uow.provider, inspector=inspector, analysis=quality_analysis, analyses=analyses
    )
    rule_analysis = providers.Factory(RuleAnalysis, uow=uow.provider, inspector=inspector, bell=bell, clock=clock)
    rules = providers.Factory(RuleService, uow=uow.provider, inspector=inspector, sender=sender, clock=clock)
    profile_analysis = providers.Factory(ProfileAnalysis, uow=uow.provider, engine=tables_engine, clock=clock)
    profiles = providers.Factory(ProfileService, uow=uow.provider, engine=tables_engine, analyses=analyses)
    analysis_jobs = providers.Factory(
        AnalysisHandler,
        uow=uow.provider,
        analyses=providers.List(profile_analysis, quality_analysis, rule_analysis),
    )
    rule_jobs = providers.Factory(RuleHandler, uow=uow.provider, analysis=rule_analysis)

    comparer = providers.ThreadSafeSingleton(
        DuckDbTableComparer,
        blobs=blobs,
        temp_folder=providers.Callable(lambda folder: Path(folder) / "comparer", settings.provided.tmp_dir),
        memory_limit=settings.provided.memory_limit,
        threads=settings.provided.threads,
    )
    comparisons = providers.Factory(ComparisonService, uow=uow.provider, comparer=comparer, sender=sender, clock=clock)

    handlers = providers.Dict(
        {
            JobKind.IMPORT_FILE: imports,
            JobKind.SAVE_SESSION: saving,
            JobKind.APPLY_RECIPE: saving,
            JobKind.SAVE_QUERY: queries,
            JobKind.TRAIN: training,
            JobKind.PREDICT: predictions,
            JobKind.ANALYSE: analysis_jobs,
            JobKind.CHECK_RULES: rule_jobs,
            JobKind.COMPARE: comparisons,
            JobKind.EXPORT: exports,
            JobKind.SUITE: suite_jobs,
        }
    )
    jobs = providers.Factory(JobService, uow=uow.provider, sender=sender, bell=bell, clock=clock, handlers=handlers)
    runner = providers.Factory(
        JobRunner,
        uow=uow.provider,
        sender=sender,
        bell=bell,
        clock=clock,
        handlers=handlers,
        lease=providers.Callable(lambda seconds: timedelta(seconds=seconds), settings.provided.lease_seconds),
    )
