"""The whole application on memory adapters: the services as the doors see them, without Django or any server."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

from hydroml.adapters.memory.clock import InMemoryClock
from hydroml.adapters.memory.comparison import InMemoryTableComparer
from hydroml.adapters.memory.jobs import InMemoryBell, InMemoryJobQueue
from hydroml.adapters.memory.learning import BaselineLearner
from hydroml.adapters.memory.quality import InMemoryTableInspector
from hydroml.adapters.memory.storage import InMemoryBlobStore, InMemoryScratch
from hydroml.adapters.memory.store import InMemoryStore
from hydroml.adapters.memory.suites import RandomSearcher
from hydroml.adapters.memory.tables import InMemoryTableEngine
from hydroml.adapters.memory.tracking import InMemoryTracker
from hydroml.adapters.memory.unit_of_work import InMemoryUnitOfWork
from hydroml.adapters.security.tokens import digest, new_secret
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
from hydroml.application.garbage import GarbageCollector
from hydroml.application.imports import ImportService, Upload
from hydroml.application.jobs import JobHandler, JobRunner, JobSender, JobService
from hydroml.application.lineage import LineageService
from hydroml.application.models import ModelService
from hydroml.application.notifications import NotificationService
from hydroml.application.predictions import PredictionService
from hydroml.application.preflight import PreflightService
from hydroml.application.profiles import ProfileAnalysis, ProfileService
from hydroml.application.projects import ProjectService
from hydroml.application.quality import QualityAnalysis, QualityService
from hydroml.application.queries import QueryService
from hydroml.application.recipes import RecipeService
from hydroml.application.reproduction import ReproductionService
from hydroml.application.rules import RuleAnalysis, RuleHandler, RuleService
from hydroml.application.runs import RunService, TrackingService, TrainingHandler
from hydroml.application.saving import SavingService
from hydroml.application.sources import SourceService
from hydroml.application.studio import StudioService
from hydroml.application.suites import SuiteHandler, SuiteService
from hydroml.application.tables import TableService
from hydroml.application.tokens import TokenService
from hydroml.application.uploads import UploadService
from hydroml.application.versions import VersionWriter
from hydroml.domain.jobs import Job, JobId, JobKind
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import DataSource, SourceId, Version

MAX_UPLOAD = 1_000_000
LEASE = timedelta(seconds=30)
KEPT = timedelta(days=7)
"""How long an export's file is."""

MEMORY_LIMIT = 2**30
FLOWS = "day,rain,flow\n" + "".join(
    f"{day},{day % 7},{'' if day % 10 == 0 else day % 7 * 2 + 1}\n" for day in range(1, 61)
)
"""Sixty rows; flow is missing in six of them and 2 · rain + 1 elsewhere."""


class Aborted(BaseException):
    """What a test's worker raises instead of killing itself."""


class Harness:
    def __init__(self) -> None:
        self.clock = InMemoryClock()
        self.uow = partial(InMemoryUnitOfWork, InMemoryStore())
        self.blobs = InMemoryBlobStore(self.clock)
        self.scratch = InMemoryScratch()
        self.queue, self.bell = InMemoryJobQueue(), InMemoryBell()
        self.engine = InMemoryTableEngine(self.blobs)
        self.tracker = InMemoryTracker()
        uow, clock, blobs, scratch, engine = self.uow, self.clock, self.blobs, self.scratch, self.engine

        self.sender = JobSender(uow=uow, queue=self.queue, bell=self.bell, clock=clock)
        self.analyses = AnalysisService(uow=uow, sender=self.sender, clock=clock)
        followers = Followers(sender=self.sender, clock=clock)
        writer = VersionWriter(
            uow=uow, blobs=blobs, scratch=scratch, analyses=self.analyses, followers=followers, clock=clock
        )
        self.access = AccessService(uow=uow)
        self.activity = ActivityService(uow=uow)
        self.lineage = LineageService(uow=uow)
        self.projects = ProjectService(uow=uow, clock=clock)
        sweeper = BlobSweeper(uow=uow, blobs=blobs, clock=clock)
        self.sources = SourceService(
            uow=uow, blobs=blobs, sweeper=sweeper, analyses=self.analyses, followers=followers, clock=clock
        )
        self.exports = ExportService(
            uow=uow, engine=engine, blobs=blobs, scratch=scratch, sweeper=sweeper, sender=self.sender, clock=clock,
            kept=KEPT,
        )  # fmt: skip
        self.imports = ImportService(
            uow=uow, blobs=blobs, scratch=scratch, engine=engine, versions=writer, sender=self.sender, clock=clock,
            max_upload_bytes=MAX_UPLOAD,
        )  # fmt: skip
        self.uploads = UploadService(uow=uow, blobs=blobs, clock=clock, max_upload_bytes=MAX_UPLOAD)
        self.garbage = GarbageCollector(
            uow=uow, blobs=blobs, scratch=scratch, uploads=self.uploads, exports=self.exports, engine=engine,
            clock=clock,
        )  # fmt: skip
        self.studio = StudioService(uow=uow, engine=engine, clock=clock)
        self.tables = TableService(uow=uow, engine=engine)
        self.charts = ChartService(uow=uow, clock=clock)
        self.saving = SavingService(uow=uow, engine=engine, versions=writer, sender=self.sender, clock=clock)
        self.recipes = RecipeService(uow=uow, engine=engine, clock=clock)
        self.queries = QueryService(uow=uow, engine=engine, versions=writer, sender=self.sender, clock=clock)
        self.experiments = ExperimentService(uow=uow, clock=clock)
        self.inspector = InMemoryTableInspector(engine)
        self.quality_analysis = QualityAnalysis(uow=uow, inspector=self.inspector, clock=clock)
        self.lacking: set[str] = set()
        self.preflight = PreflightService(
            uow=uow, engine=engine, quality=self.quality_analysis, memory_limit=MEMORY_LIMIT, threads=2,
            lacking=self.lacking,
        )  # fmt: skip
        self.runs = RunService(uow=uow, preflight=self.preflight, blobs=blobs, sender=self.sender, clock=clock)
        self.searcher = RandomSearcher()
        self.suites = SuiteService(
            uow=uow, preflight=self.preflight, searcher=self.searcher, sender=self.sender, clock=clock
        )
        self.suite_jobs = SuiteHandler(uow=uow, searcher=self.searcher, blobs=blobs, sender=self.sender, clock=clock)
        self.tracking = TrackingService(uow=uow, tracker=self.tracker, blobs=blobs)
        self.training = TrainingHandler(
            uow=uow, preflight=self.preflight, learner=BaselineLearner(), tracking=self.tracking, blobs=blobs,
            scratch=scratch, suites=self.suite_jobs, clock=clock,
        )  # fmt: skip
        self.models = ModelService(uow=uow, clock=clock)
        self.reproductions = ReproductionService(
            uow=uow, learner=BaselineLearner(), engine=engine, blobs=blobs, scratch=scratch
        )
        self.predictions = PredictionService(
            uow=uow, engine=engine, learner=BaselineLearner(), blobs=blobs, scratch=scratch, versions=writer,
            sender=self.sender, clock=clock,
        )  # fmt: skip
        self.tokens = TokenService(uow=uow, clock=clock, new_secret=new_secret, digest=digest)
        self.demo = DemoService(uow=uow, projects=self.projects, imports=self.imports)
        self.notifications = NotificationService(uow=uow)
        self.profile_analysis = ProfileAnalysis(uow=uow, engine=engine, clock=clock)
        self.profiles = ProfileService(uow=uow, engine=engine, analyses=self.analyses)
        self.quality = QualityService(
            uow=uow, inspector=self.inspector, analysis=self.quality_analysis, analyses=self.analyses
        )
        self.rule_analysis = RuleAnalysis(uow=uow, inspector=self.inspector, bell=self.bell, clock=clock)
        self.rules = RuleService(uow=uow, inspector=self.inspector, sender=self.sender, clock=clock)
        self.comparisons = ComparisonService(
            uow=uow, comparer=InMemoryTableComparer(engine), sender=self.sender, clock=clock
        )
        handlers: dict[JobKind, JobHandler] = {
            JobKind.IMPORT_FILE: self.imports,
            JobKind.SAVE_SESSION: self.saving,
            JobKind.APPLY_RECIPE: self.saving,
            JobKind.SAVE_QUERY: self.queries,
            JobKind.TRAIN: self.training,
            JobKind.PREDICT: self.predictions,
            JobKind.ANALYSE: AnalysisHandler(
                uow=uow, analyses=[self.profile_analysis, self.quality_analysis, self.rule_analysis]
            ),
            JobKind.CHECK_RULES: RuleHandler(uow=uow, analysis=self.rule_analysis),
            JobKind.COMPARE: self.comparisons,
            JobKind.EXPORT: self.exports,
            JobKind.SUITE: self.suite_jobs,
        }
        self.handlers = handlers
        self.jobs = JobService(uow=uow, sender=self.sender, bell=self.bell, clock=clock, handlers=handlers)
        self.runner = JobRunner(
            uow=uow, sender=self.sender, bell=self.bell, clock=clock, handlers=handlers, lease=LEASE
        )

    def work(self, most: int | None = None) -> list[Job]:
        """A worker does what was sent, all of it or the first so many; gives the jobs as they are then."""
        done: list[Job] = []
        while self.queue.sent and (most is None or len(done) < most):
            job_id = self.queue.sent.pop(0)
            self.runner.execute(job_id, f"worker-{uuid4()}", _abort)
            done.append(self.job(job_id))
        return done

    def job(self, job_id: JobId) -> Job:
        with self.uow() as uow:
            return uow.jobs.get(job_id)

    def keeps_nothing(self) -> bool:
        """Whether no blob and no upload is left."""
        return not self.blobs.held and not self.blobs.waiting

    def user(self) -> UserId:
        return UserId(uuid4())

    def project(self, user: UserId, name: str = "Rivers") -> ProjectId:
        return self.projects.create(user, name).project.id

    def imported(self, user: UserId, project: ProjectId, text: str = FLOWS) -> Version:
        """A version made from CSV text."""
        source, _ = self.imports.create(user, project, Upload("flows.csv", [text.encode()]))
        self.work()
        return self.current(user, source.id)

    def current(self, user: UserId, source_id: SourceId) -> Version:
        version = self.sources.get(user, source_id).current
        assert version is not None
        return version

    def source(self, user: UserId, source_id: SourceId) -> DataSource:
        return self.sources.get(user, source_id).source


def _abort() -> None:
    raise Aborted
