"""The only place where ports meet adapters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from dependency_injector import containers, providers

from hydroml.adapters.jobs.bell import RedisBell
from hydroml.adapters.jobs.queue import CeleryJobQueue
from hydroml.adapters.learning.learner import ScikitLearner
from hydroml.adapters.persistence.engine import create_engine
from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.adapters.security.tokens import digest, new_secret
from hydroml.adapters.storage import FolderScratch, blob_store_for
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tracking.tracker import MlflowTracker
from hydroml.application.access import AccessService
from hydroml.application.demo import DemoService
from hydroml.application.experiments import ExperimentService
from hydroml.application.imports import ImportService
from hydroml.application.jobs import JobRunner, JobSender, JobService
from hydroml.application.models import ModelService
from hydroml.application.predictions import PredictionService
from hydroml.application.projects import ProjectService
from hydroml.application.runs import RunService, TrackingService, TrainingHandler
from hydroml.application.saving import SavingService
from hydroml.application.search import SearchService
from hydroml.application.sources import SourceService
from hydroml.application.studio import StudioService
from hydroml.application.tables import TableService
from hydroml.application.tokens import TokenService
from hydroml.application.versions import BlobSweeper, VersionWriter
from hydroml.domain.jobs import JobKind
from hydroml.entrypoints.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def artifact_root(settings: Settings) -> str:
    """Where MLflow keeps its copies: beside the blobs, in the folder or the bucket."""
    if urlsplit(settings.storage_url).scheme == "s3":
        folder, mark, query = settings.storage_url.partition("?")
        return f"{folder.rstrip('/')}/mlflow{mark}{query}"
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
    )
    learner = providers.ThreadSafeSingleton(
        ScikitLearner, memory_limit=settings.provided.memory_limit, threads=settings.provided.threads
    )
    tracker = providers.ThreadSafeSingleton(
        MlflowTracker,
        tracking_uri=settings.provided.mlflow_tracking_uri,
        artifact_root=providers.Callable(artifact_root, settings),
    )

    sender = providers.Factory(JobSender, uow=uow.provider, queue=queue, bell=bell, clock=clock)
    versions = providers.Factory(VersionWriter, uow=uow.provider, blobs=blobs, scratch=scratch, clock=clock)
    sweeper = providers.Factory(BlobSweeper, uow=uow.provider, blobs=blobs)

    access = providers.Factory(AccessService, uow=uow.provider)
    projects = providers.Factory(ProjectService, uow=uow.provider, clock=clock)
    sources = providers.Factory(SourceService, uow=uow.provider, blobs=blobs, sweeper=sweeper, clock=clock)
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
    studio = providers.Factory(StudioService, uow=uow.provider, engine=tables_engine, clock=clock)
    tables = providers.Factory(TableService, uow=uow.provider, engine=tables_engine)
    saving = providers.Factory(
        SavingService, uow=uow.provider, engine=tables_engine, versions=versions, sender=sender, clock=clock
    )
    experiments = providers.Factory(ExperimentService, uow=uow.provider, engine=tables_engine, clock=clock)
    runs = providers.Factory(
        RunService, uow=uow.provider, experiments=experiments, blobs=blobs, sender=sender, clock=clock
    )
    tracking = providers.Factory(TrackingService, uow=uow.provider, tracker=tracker, blobs=blobs)
    training = providers.Factory(
        TrainingHandler,
        uow=uow.provider,
        experiments=experiments,
        learner=learner,
        tracking=tracking,
        blobs=blobs,
        scratch=scratch,
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
    tokens = providers.Factory(
        TokenService,
        uow=uow.provider,
        clock=clock,
        new_secret=providers.Object(new_secret),
        digest=providers.Object(digest),
    )
    search = providers.Factory(SearchService, uow=uow.provider)
    demo = providers.Factory(DemoService, uow=uow.provider, projects=projects, imports=imports)

    handlers = providers.Dict(
        {
            JobKind.IMPORT_FILE: imports,
            JobKind.SAVE_SESSION: saving,
            JobKind.TRAIN: training,
            JobKind.PREDICT: predictions,
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
