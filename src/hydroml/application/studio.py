"""Sessions in the Data Studio: opened, changed step by step, shared to be looked at, never lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from uuid import uuid4

from hydroml.application.access import project_of, recipe_of, session_of, version_of, workplace
from hydroml.application.inputs import Others, learnt_schema, others_of, recipe_at, tables_of
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import SessionSummary, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine, View
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, TooLargeError
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import Column, DataSource, Table, Version, VersionId
from hydroml.domain.studio.judging import StepStatus, Verdict, judge, made, running
from hydroml.domain.studio.recipes import Recipe, RecipeId, RecipeStep, with_inputs
from hydroml.domain.studio.session import (
    KEPT_IN_TRASH,
    MOST_COMMENTS,
    Comment,
    CommentId,
    CommentNotFoundError,
    Entry,
    EntryId,
    Session,
    SessionId,
    Settle,
)
from hydroml.domain.studio.steps import RowEffect, Step

PURGED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session with what it stands on, the columns at its cursor, a verdict on each step of its history, and what is
    said of any step."""

    session: Session
    version: Version
    source: DataSource
    columns: tuple[Column, ...]
    verdicts: dict[EntryId, Verdict[EntryId]]
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedSession:
    summary: SessionSummary
    version: Version
    source: DataSource


@dataclass(frozen=True, slots=True)
class Start:
    """What a new session begins with: the steps of another session up to its cursor, or a recipe. What its steps have
    learnt stays, or they `relearn`."""

    session_id: SessionId | None = None
    recipe_id: RecipeId | None = None
    relearn: bool = False


@dataclass(frozen=True, slots=True)
class SessionComparison:
    """The table at the cursor beside that at the end of another branch: the steps both have, in pairs, and those that
    only one has; the columns, and how many rows where that is quickly told."""

    common: tuple[tuple[Entry, Entry], ...]
    here: tuple[Entry, ...]
    there: tuple[Entry, ...]
    columns_here: tuple[Column, ...]
    columns_there: tuple[Column, ...]
    rows_here: int | None
    rows_there: int | None


class StudioService:
    """Every change takes the revision the asker last saw; None does not check it."""

    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine, clock: Clock) -> None:
        self._uow, self._engine, self._clock = uow, engine, clock

    def open(
        self,
        user: UserId,
        version_id: VersionId,
        project_id: ProjectId | None = None,
        *,
        name: str = "",
        start: Start | None = None,
    ) -> SessionDetail:
        """A new session on the version, in the given project or the first one of the source that the asker may edit.
        Steps to begin with that cannot run there are marked."""
        now = self._clock()
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id, Role.EDITOR)
            steps, preferred = _steps_to_begin_with(uow, user, start)
            session = Session(
                id=SessionId(uuid4()),
                version_id=version_id,
                project_id=workplace(uow, user, source, project_id, preferred=preferred),
                owner_id=user,
                created_at=now,
                updated_at=now,
            )
            session.rename(name)
            others = tables_of(uow, session.project_id, (entry.step for entry, _ in steps))
        settle = self._settle(session, Table.of(version), others, relearn=start is not None and start.relearn)
        for entry, enabled in steps:
            _put(session, entry, settle, enabled=enabled)
        with self._uow() as uow:
            uow.sessions.add(session)
            uow.commit()
        return self._detail(session, version, source, others)

    def get(self, user: UserId, session_id: SessionId) -> SessionDetail:
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, source = version_of(uow, user, session.version_id)
            others, comments = others_of(uow, session), uow.sessions.comments(session_id)
        return self._detail(session, version, source, others, comments)

    def list(
        self,
        user: UserId,
        *,
        version_id: VersionId | None = None,
        project_id: ProjectId | None = None,
        shared: bool = False,
        trashed: bool = False,
    ) -> Sequence[ListedSession]:
        """The asker's sessions, or those that others share with them; last changed first."""
        with self._uow() as uow:
            if version_id is not None:
                version_of(uow, user, version_id)
            if project_id is not None:
                project_of(uow, user, project_id)
            found = uow.sessions.seen_by(
                user, version_id=version_id, project_id=project_id, shared=shared, trashed=trashed and not shared
            )
            listed = []
            bases: dict[VersionId, tuple[Version, DataSource] | None] = {}
            for summary in found:
                if summary.version_id not in bases:
                    bases[summary.version_id] = _base(uow, user, summary.version_id)
                if (base := bases[summary.version_id]) is not None:
                    listed.append(ListedSession(summary, *base))
        return tuple(listed)

    def describe(
        self,
        user: UserId,
        session_id: SessionId,
        *,
        name: str | None = None,
        shared: bool | None = None,
        revision: int | None = None,
    ) -> SessionDetail:
        """Names the session, and shares it with the project's members or withdraws it."""

        def change(session: Session, *_: object) -> None:
            if name is not None:
                session.rename(name)
            if shared is not None:
                session.shared = shared

        return self._change(user, session_id, revision, change)

    def discard(self, user: UserId, session_id: SessionId) -> None:
        """To the trash, where it is kept for thirty days."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id, to_change=True)
            session.discard(self._clock())
            uow.sessions.save(session)
            uow.commit()

    def restore(self, user: UserId, session_id: SessionId) -> SessionDetail:
        with self._uow() as uow:
            session = session_of(uow, user, session_id, to_change=True, trashed=True)
            session.restore(self._clock())
            uow.sessions.save(session)
            uow.commit()
        return self.get(user, session_id)

    def purge(self) -> int:
        """Removes what has been in the trash for thirty days; gives how many that were."""
        with self._uow() as uow:
            old = uow.sessions.discarded_before(self._clock() - KEPT_IN_TRASH, PURGED_AT_ONCE)
            for session_id in old:
                uow.sessions.delete(session_id)
            uow.commit()
        return len(old)

    def add(self, user: UserId, session_id: SessionId, step: Step, revision: int | None = None) -> SessionDetail:
        """Puts a step after the cursor. Raises InvalidInputError when it cannot run there, and changes nothing then."""

        def change(session: Session, table: Table, others: Others) -> None:
            entry = session.add(step, self._settle(session, table, others, strict=1))
            if step.effect is RowEffect.RELATES:
                # Its first page needs all rows anyway, and what only they tell is told now: a key that is there twice.
                recipe = recipe_at(self._engine, table, session, entry.id, others)
                self._engine.page(View(table, recipe), 0, 0, total=False)

        return self._change(user, session_id, revision, change, (step,))

    def copy(
        self,
        user: UserId,
        session_id: SessionId,
        from_id: SessionId,
        steps: Sequence[EntryId],
        revision: int | None = None,
    ) -> SessionDetail:
        """Puts steps of another session, or of this one, after the cursor, in the given order; they learn anew. Raises
        InvalidInputError that names the first that cannot run, and changes nothing then."""
        with self._uow() as uow:
            other = session_of(uow, user, from_id)
        entries = [other.entry(entry_id) for entry_id in steps]

        def change(session: Session, table: Table, others: Others) -> None:
            settle = self._settle(session, table, others, strict=len(entries))
            for at, entry in enumerate(entries):
                try:
                    session.add(entry.step, settle, enabled=entry.enabled)
                except InvalidInputError as error:
                    faults = tuple(replace(fault, loc=("steps", at, *fault.loc)) for fault in error.faults)
                    title = entry.step.info.title.lower()
                    raise InvalidInputError(f"the {title} step cannot run here: {error}", faults) from None

        return self._change(user, session_id, revision, change, [entry.step for entry in entries])

    def undo(self, user: UserId, session_id: SessionId, revision: int | None = None) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, *_: session.undo())

    def redo(self, user: UserId, session_id: SessionId, revision: int | None = None) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, *_: session.redo())

    def jump(
        self, user: UserId, session_id: SessionId, to: EntryId | None, revision: int | None = None
    ) -> SessionDetail:
        return self._change(user, session_id, revision, lambda session, *_: session.jump(to))

    def change(
        self,
        user: UserId,
        session_id: SessionId,
        entry_id: EntryId,
        *,
        step: Step | None = None,
        enabled: bool | None = None,
        revision: int | None = None,
    ) -> SessionDetail:
        """Edits a step or switches it on or off; the steps after it are replayed. Raises InvalidInputError when the
        edited step cannot run, and changes nothing then."""

        def change(session: Session, table: Table, others: Others) -> None:
            settle = self._settle(session, table, others, strict=0 if step is None else 1)
            session.change(entry_id, settle, step=step, enabled=enabled)

        return self._change(user, session_id, revision, change, () if step is None else (step,))

    def remove(
        self, user: UserId, session_id: SessionId, entry_id: EntryId, revision: int | None = None
    ) -> SessionDetail:
        """Takes a step out; the steps after it are replayed."""

        def change(session: Session, table: Table, others: Others) -> None:
            session.remove(entry_id, self._settle(session, table, others))

        return self._change(user, session_id, revision, change)

    def move(
        self,
        user: UserId,
        session_id: SessionId,
        entry_id: EntryId,
        after: EntryId | None,
        revision: int | None = None,
    ) -> SessionDetail:
        """Puts a step after another one of the history, or first; it and the steps after it are replayed."""

        def change(session: Session, table: Table, others: Others) -> None:
            session.move(entry_id, after, self._settle(session, table, others))

        return self._change(user, session_id, revision, change)

    def mark(
        self,
        user: UserId,
        session_id: SessionId,
        tip: EntryId,
        *,
        name: str | None = None,
        aside: bool | None = None,
        revision: int | None = None,
    ) -> SessionDetail:
        """Names a branch, lays it aside or brings it back."""
        return self._change(user, session_id, revision, lambda session, *_: session.mark(tip, name=name, aside=aside))

    def comment(self, user: UserId, session_id: SessionId, entry_id: EntryId, text: str) -> Comment:
        """By whoever sees the session."""
        with self._uow() as uow:
            session_of(uow, user, session_id).entry(entry_id)
            if len(uow.sessions.comments(session_id)) >= MOST_COMMENTS:
                raise ConflictError(f"a session has at most {MOST_COMMENTS:,} comments")
            comment = Comment(
                id=CommentId(uuid4()),
                session_id=session_id,
                entry_id=entry_id,
                author_id=user,
                text=text,
                created_at=self._clock(),
            )
            uow.sessions.add_comment(comment)
            uow.commit()
        return comment

    def remove_comment(self, user: UserId, session_id: SessionId, comment_id: CommentId) -> None:
        """By its author, or the session's owner."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            found = next((c for c in uow.sessions.comments(session_id) if c.id == comment_id), None)
            if found is None:
                raise CommentNotFoundError(comment_id)
            if user not in (found.author_id, session.owner_id):
                raise ForbiddenError("only its author or the session's owner removes a comment")
            uow.sessions.delete_comment(session_id, comment_id)
            uow.commit()

    def compare(self, user: UserId, session_id: SessionId, tip: EntryId) -> SessionComparison:
        """The table at the cursor with that as of another step."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, _ = version_of(uow, user, session.version_id)
            others = others_of(uow, session)
        here, there = session.path(session.cursor), session.path(tip)
        matcher = SequenceMatcher(None, _words(here), _words(there), autojunk=False)
        pairs = tuple(
            (here[block.a + at], there[block.b + at])
            for block in matcher.get_matching_blocks()
            for at in range(block.size)
        )
        table = Table.of(version)
        mine = recipe_at(self._engine, table, session, session.cursor, others)
        theirs = recipe_at(self._engine, table, session, tip, others)
        return SessionComparison(
            common=pairs,
            here=_but(here, [pair[0] for pair in pairs]),
            there=_but(there, [pair[1] for pair in pairs]),
            columns_here=self._engine.schema(table, mine),
            columns_there=self._engine.schema(table, theirs),
            rows_here=self._rows(table, mine),
            rows_there=self._rows(table, theirs),
        )

    def code(self, user: UserId, session_id: SessionId) -> str:
        """The applied steps that can run as a Python program that needs DuckDB alone."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, _ = version_of(uow, user, session.version_id)
            others = others_of(uow, session)
        recipe = recipe_at(self._engine, Table.of(version), session, session.cursor, others)
        return self._engine.python(recipe, version.columns, f"{version.fingerprint[:12]}.parquet")

    def _change(
        self,
        user: UserId,
        session_id: SessionId,
        revision: int | None,
        change: Callable[[Session, Table, Others], object],
        new: Sequence[Step] = (),
    ) -> SessionDetail:
        with self._uow() as uow:
            session = session_of(uow, user, session_id, to_change=True)
            version, source = version_of(uow, user, session.version_id)
            others, comments = others_of(uow, session, new), uow.sessions.comments(session_id)
        check_revision(session.revision, revision)
        change(session, Table.of(version), others)  # may ask the engine: no transaction is open meanwhile
        session.updated_at = self._clock()
        with self._uow() as uow:
            uow.sessions.save(session)
            uow.commit()
        return self._detail(session, version, source, others, comments)

    def _settle(
        self, session: Session, table: Table, others: Others, *, strict: int = 0, relearn: bool = True
    ) -> Settle:
        """Completes entries with what they learn from the table at their place, unless they know that and shall not
        `relearn`, and with the columns they make. One that cannot run forgets what it had learnt elsewhere; but among
        the first `strict` ones it raises InvalidInputError."""
        count = 0

        def complete(entry: Entry) -> Entry:
            nonlocal count
            count += 1
            if not entry.enabled:
                return entry
            try:
                recipe = recipe_at(self._engine, table, session, entry.parent, others)
                fitted = entry.fitted
                if relearn or not fitted:
                    fitted = self._engine.fit(table, recipe, entry.step)
                ready = with_inputs((RecipeStep(entry.step, fitted),), others)
                before, after = self._engine.schema(table, recipe), self._engine.schema(table, (*recipe, *ready))
            except InvalidInputError:
                if count <= strict:
                    raise
                return replace(entry, fitted={}) if relearn else entry
            return replace(entry, fitted=fitted, made=made(before, after))

        return complete

    def _detail(
        self,
        session: Session,
        version: Version,
        source: DataSource,
        others: Others,
        comments: Sequence[Comment] = (),
    ) -> SessionDetail:
        schema = learnt_schema(self._engine, Table.of(version))
        history = session.history()
        steps = session.steps(history, others)
        found = judge(steps, schema)
        applied = {entry.id for entry in session.path(session.cursor)}
        columns = schema(running({id_: step for id_, step in steps.items() if id_ in applied}, found))
        off: Verdict[EntryId] = Verdict(StepStatus.DISABLED)
        verdicts = {entry.id: found.get(entry.id, off) for entry in history}
        return SessionDetail(session, version, source, columns, verdicts, tuple(comments))

    def _rows(self, table: Table, recipe: Recipe) -> int | None:
        try:
            return self._engine.page(View(table, recipe), 0, 0).total
        except TooLargeError:
            return None


def _steps_to_begin_with(
    uow: UnitOfWork, user: UserId, start: Start | None
) -> tuple[Sequence[tuple[RecipeStep, bool]], ProjectId | None]:
    """Each with whether it is switched on; and the project they come from."""
    if start is not None and start.session_id is not None:
        other = session_of(uow, user, start.session_id)
        path = other.path(other.cursor)
        return [(RecipeStep(e.step, e.fitted, made=e.made), e.enabled) for e in path], other.project_id
    if start is not None and start.recipe_id is not None:
        recipe = recipe_of(uow, user, start.recipe_id)
        return [(step, True) for step in recipe.steps], recipe.project_id
    return (), None


def _put(session: Session, step: RecipeStep, settle: Settle, *, enabled: bool) -> None:
    session.add(step.step, lambda entry: settle(replace(entry, fitted=step.fitted, made=step.made)), enabled=enabled)


def _base(uow: UnitOfWork, user: UserId, version_id: VersionId) -> tuple[Version, DataSource] | None:
    try:
        return version_of(uow, user, version_id)
    except NotFoundError:
        return None


def _words(path: Sequence[Entry]) -> list[str]:
    """What makes two steps the same."""
    return [f"{entry.step!r} {entry.enabled}" for entry in path]


def _but(path: Sequence[Entry], common: Sequence[Entry]) -> tuple[Entry, ...]:
    left_out = {entry.id for entry in common}
    return tuple(entry for entry in path if entry.id not in left_out)
