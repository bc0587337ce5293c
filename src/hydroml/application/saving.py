"""Save as: a session's table, or what a recipe makes of a version, becomes the next version of a data source or a new
one; and sources that follow another are made anew when that gets a new version."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.access import project_of, recipe_of, session_of, source_of, version_of, workplace
from hydroml.application.activity import tell
from hydroml.application.documents import read_recipe, write_recipe
from hydroml.application.following import check_no_loop
from hydroml.application.inputs import others_of, recipe_at, tables_of
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine, WrittenTable
from hydroml.application.versions import VersionWriter
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.jobs import Job, JobId, JobKind, Subject
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import (
    Column,
    ColumnType,
    DataSource,
    Following,
    Origin,
    OriginKind,
    SourceId,
    Table,
    Version,
    VersionId,
)
from hydroml.domain.studio.judging import StepStatus, Verdict, judge, running, speaks_of
from hydroml.domain.studio.recipes import Recipe, RecipeId, RecipeStep, SavedRecipe, with_inputs
from hydroml.domain.studio.session import SessionId


@dataclass(frozen=True, slots=True)
class Target:
    """Where a table is to go: to a new source called `name`, else to `source_id` as its next version, else to the
    source that it was made from. One that shall `follow` is made anew whenever that source gets a new version."""

    name: str | None = None
    source_id: SourceId | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """A recipe to be run on a version: with what its steps have learnt, or they `relearn`; only the part that can run
    when `partial` is allowed."""

    recipe_id: RecipeId
    partial: bool = False
    relearn: bool = False
    project_id: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """A step of a recipe on another table: whether it can run, and which of the columns it names, of the table the
    recipe was made on, are missing or of another type (name, the type it had, the type it has)."""

    entry: RecipeStep
    verdict: Verdict[int]
    missing: tuple[str, ...]
    changed: tuple[tuple[str, ColumnType, ColumnType], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What a recipe would do to a version; `columns` are those after the steps that can run."""

    steps: tuple[CheckedStep, ...]
    columns: tuple[Column, ...]

    @property
    def runs(self) -> int:
        """How many of the steps can run."""
        return sum(step.verdict.status is StepStatus.OK for step in self.steps)


class SavingService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        versions: VersionWriter,
        sender: JobSender,
        clock: Clock,
    ) -> None:
        self._uow, self._engine, self._versions = uow, engine, versions
        self._sender, self._clock = sender, clock

    def request(self, user: UserId, session_id: SessionId, target: Target | None = None) -> tuple[DataSource, Job]:
        """Saves the table at the cursor. Raises SourceBusyError."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id, to_change=True)
            project_of(uow, user, session.project_id, Role.EDITOR)
            version, base = version_of(uow, user, session.version_id)
            others = others_of(uow, session)
        recipe = recipe_at(self._engine, Table.of(version), session, session.cursor, others)
        job = self._job(JobKind.SAVE_SESSION, user, version, session.project_id, recipe)
        return self._start(user, job, base, target or Target(), f"from “{base.name}”, version {version.number}")

    def check(self, user: UserId, version_id: VersionId, what: Apply) -> Check:
        """What the recipe would do to the version; nothing is stored."""
        _, version, _, recipe, steps = self._fitting(user, version_id, what, Role.VIEWER)
        verdicts = judge(steps, partial(self._engine.schema, Table.of(version)))
        known = {column.name: column.type for column in version.columns}
        checked = []
        for at, entry in steps.items():
            named = [column for column in recipe.columns if speaks_of(entry.step, column.name)]
            checked.append(
                CheckedStep(
                    entry,
                    verdicts[at],
                    tuple(c.name for c in named if c.name not in known),
                    tuple((c.name, c.type, known[c.name]) for c in named if known.get(c.name, c.type) != c.type),
                )
            )
        return Check(tuple(checked), self._engine.schema(Table.of(version), running(steps, verdicts)))

    def apply(
        self, user: UserId, version_id: VersionId, what: Apply, target: Target | None = None
    ) -> tuple[DataSource, Job]:
        """Runs a recipe on a version. Raises InvalidInputError that names every step that cannot run, unless a part is
        allowed and there is one; SourceBusyError."""
        project_id, version, base, recipe, steps = self._fitting(user, version_id, what, Role.EDITOR)
        verdicts = judge(steps, partial(self._engine.schema, Table.of(version)))
        able = running(steps, verdicts)
        if len(able) < len(steps) and not (what.partial and able):
            raise _cannot_run(steps, verdicts)
        job = self._job(JobKind.APPLY_RECIPE, user, version, project_id, able)
        job.payload |= {"relearn": what.relearn, "recipe_name": recipe.name, "recipe_id": str(recipe.id)}
        by = f"by the recipe “{recipe.name}” from “{base.name}”, version {version.number}"
        return self._start(user, job, base, target or Target(), by)

    def _fitting(
        self, user: UserId, version_id: VersionId, what: Apply, role: Role
    ) -> tuple[ProjectId, Version, DataSource, SavedRecipe, dict[int, RecipeStep]]:
        with self._uow() as uow:
            version, base = version_of(uow, user, version_id)
            recipe = recipe_of(uow, user, what.recipe_id)
            project_id = workplace(uow, user, base, what.project_id, preferred=recipe.project_id, role=role)
            tables = tables_of(uow, project_id, (entry.step for entry in recipe.steps))
        return project_id, version, base, recipe, dict(enumerate(with_inputs(recipe.steps, tables)))

    def _job(self, kind: JobKind, user: UserId, version: Version, project_id: ProjectId, recipe: Recipe) -> Job:
        return Job(
            id=JobId(uuid4()),
            kind=kind,
            payload={
                "version_id": str(version.id),
                "project_id": str(project_id),
                "recipe": list(write_recipe(recipe)),
            },
            requested_by=user,
            project_id=project_id,
            created_at=self._clock(),
        )

    def _start(self, user: UserId, job: Job, base: DataSource, target: Target, text: str) -> tuple[DataSource, Job]:
        now = job.created_at
        project_id = ProjectId(UUID(job.payload["project_id"]))
        with self._uow() as uow:
            if target.name is not None:
                source = DataSource(
                    id=SourceId(uuid4()),
                    name=target.name,
                    owner_id=user,
                    project_ids=frozenset({project_id}),
                    created_at=now,
                    updated_at=now,
                )
            else:
                source = source_of(uow, user, target.source_id or base.id, Role.EDITOR)
            source.begin_version(job.id, now)
            if target.follow:
                check_no_loop(uow, source, base)
                payload = job.payload
                source.following = Following(
                    base.id,
                    project_id,
                    tuple(payload["recipe"]),
                    relearn=payload.get("relearn", False),
                    recipe_name=payload.get("recipe_name", ""),
                    recipe_id=_recipe_id(payload),
                )
            job.subject = Subject("source", source.id, source.name)
            if target.name is not None:
                uow.sources.add(source)
                tell(uow, user, "created", source, now, text)
            else:
                uow.sources.save(source)
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job.id)
        return source, job

    # The handler of save_session and apply_recipe

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        parent_id = VersionId(UUID(job.payload["version_id"]))
        recipe = read_recipe(job.payload["recipe"])
        project_id = ProjectId(UUID(job.payload["project_id"]))
        others = tuple(dict.fromkeys(other for entry in recipe for other in entry.step.others))

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            with self._uow() as uow:
                table = Table.of(uow.versions.get(parent_id))
                tables = tables_of(uow, project_id, (entry.step for entry in recipe))
            ready = with_inputs(recipe, tables)
            learnt = self._learnt(table, ready, monitor, anew=bool(job.payload.get("relearn")))
            written = self._engine.materialise(table, learnt, out, monitor.part(0.1, 0.95))
            return written, Origin(
                OriginKind.RECIPE,
                parents=(parent_id, *others),
                recipe=write_recipe(learnt),
                recipe_name=job.payload.get("recipe_name", ""),
                recipe_id=_recipe_id(job.payload),
            )

        return self._versions.write(job, SourceId(job.subject_id), make, monitor)

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.begin_again(uow, job)

    def _learnt(self, table: Table, recipe: Recipe, monitor: Monitor, *, anew: bool) -> Recipe:
        """The recipe with what each step has to know: what it has learnt before, unless it shall learn `anew`."""
        done: Recipe = ()
        for at, entry in enumerate(recipe):
            fitted = entry.fitted
            if entry.step.learns and (anew or not fitted):
                monitor.report(0.1 * at / len(recipe), "learning", f"Learning: {entry.step.summary()}"[:500])
                part = monitor.part(0.1 * at / len(recipe), 0.1 * (at + 1) / len(recipe))
                fitted = self._engine.fit(table, done, entry.step, part)
            done = (*done, replace(entry, fitted=fitted))
        return done


def _recipe_id(payload: dict[str, Any]) -> UUID | None:
    """The recipe that a job runs, if it was kept under a name."""
    return UUID(payload["recipe_id"]) if payload.get("recipe_id") else None


def _cannot_run(steps: dict[int, RecipeStep], verdicts: dict[int, Verdict[int]]) -> InvalidInputError:
    stopped = {at: verdict for at, verdict in verdicts.items() if verdict.status is not StepStatus.OK}
    faults = tuple(
        Fault(("recipe", at), f"{steps[at].step.info.title}: {verdict.reason}", verdict.status)
        for at, verdict in stopped.items()
    )
    first = min(stopped)
    return InvalidInputError(
        f"{len(stopped)} of {len(steps)} steps cannot run on this table; the first is step {first + 1}: "
        f"{stopped[first].reason}",
        faults,
    )
