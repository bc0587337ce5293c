"""A session: a person's work on a version, as a tree of steps with a cursor.

Every change moves the cursor or grows the tree; nothing is ever cut off, and what is in the tree never changes. Undo
moves the cursor to the parent, redo to the child it came from. Adding a step after undo starts a branch beside the old
one. Changing an earlier step puts the steps from there on once more beside the old ones, which are laid aside: out of
view, as an earlier state of the step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID, uuid4

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId, clean_name
from hydroml.domain.sources import Table, VersionId
from hydroml.domain.studio.recipes import RecipeStep, with_inputs
from hydroml.domain.studio.steps import Fitted, Step

SessionId = NewType("SessionId", UUID)
EntryId = NewType("EntryId", UUID)
CommentId = NewType("CommentId", UUID)

MAX_ENTRIES = 20_000
COMMENT_LENGTH = 4_000
MOST_COMMENTS = 1_000
KEPT_IN_TRASH = timedelta(days=30)


class SessionNotFoundError(NotFoundError):
    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"session {session_id} does not exist")


class EntryNotFoundError(NotFoundError):
    def __init__(self, entry_id: EntryId) -> None:
        super().__init__(f"step {entry_id} is not in this session's history")


class CommentNotFoundError(NotFoundError):
    def __init__(self, comment_id: CommentId) -> None:
        super().__init__(f"comment {comment_id} does not exist")


class NothingToUndoError(ConflictError):
    def __init__(self) -> None:
        super().__init__("there is no step to undo")


class NothingToRedoError(ConflictError):
    def __init__(self) -> None:
        super().__init__("there is no step to redo")


@dataclass(frozen=True, slots=True)
class Entry:
    """One step in the history, below its parent; the root has parent None."""

    id: EntryId
    parent: EntryId | None
    step: Step
    fitted: Fitted = field(default_factory=dict)
    made: tuple[str, ...] = ()
    """The columns it added, or gave another type, when it last ran."""
    enabled: bool = True
    replaces: EntryId | None = None
    """The entry whose place it took when it, or a step before it, was changed."""


Settle = Callable[[Entry], Entry]
"""What completes an entry with what it learns and makes at its place, before it becomes part of the tree."""


def as_it_is(entry: Entry) -> Entry:
    return entry


@dataclass(frozen=True, slots=True)
class Mark:
    """What is noted of the last step of a branch; that of an inner step makes it the end of a branch of its own."""

    name: str = ""
    aside: bool = False
    """Out of view, until somebody brings it back."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A way through the tree, by its last step. `of` is the step in the history of which it shows an earlier state, and
    `was` the first of its steps that the history has in another way, or no longer."""

    tip: Entry
    steps: int
    mark: Mark
    of: EntryId | None = None
    was: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody says of a step; it stays with the step when that is changed. Raises InvalidInputError for a text
    that is empty or too long."""

    id: CommentId
    session_id: SessionId
    entry_id: EntryId
    author_id: UserId
    text: str
    created_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.strip())
        if not 1 <= len(self.text) <= COMMENT_LENGTH or "\x00" in self.text:
            raise InvalidInputError.at("text", msg=f"a comment has 1 to {COMMENT_LENGTH:,} characters", code="length")


@dataclass(slots=True, kw_only=True)
class Session:
    id: SessionId
    version_id: VersionId
    project_id: ProjectId
    owner_id: UserId
    name: str = ""
    shared: bool = False
    """Whether the project's members may look at it."""
    entries: tuple[Entry, ...] = ()
    """In the order they were made: a parent always stands before its children."""
    cursor: EntryId | None = None
    """The last applied step; None is the version as it is."""
    ahead: dict[EntryId | None, EntryId] = field(default_factory=dict)
    """For each place in the tree, the child that redo goes to."""
    marks: dict[EntryId, Mark] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    """Since when it has been in the trash."""
    revision: int = 0

    def entry(self, entry_id: EntryId) -> Entry:
        """Raises EntryNotFoundError."""
        for entry in self.entries:
            if entry.id == entry_id:
                return entry
        raise EntryNotFoundError(entry_id)

    def path(self, tip: EntryId | None) -> tuple[Entry, ...]:
        """The steps from the root to `tip`, in order."""
        return self._path(self._by_id(), tip)

    def history(self) -> tuple[Entry, ...]:
        """The branch the cursor is on: the applied steps, then those that redo would bring back."""
        by_id = self._by_id()
        undone = []
        place = self.cursor
        while (following := self.ahead.get(place)) is not None:
            undone.append(by_id[following])
            place = following
        return (*self._path(by_id, self.cursor), *undone)

    def branches(self) -> tuple[Branch, ...]:
        """The other branches, newest first; also those laid aside."""
        by_id = self._by_id()
        shown = self.history()
        current = {entry.id for entry in shown}
        now = {old: entry for entry in shown for old in self._states(by_id, entry)}
        parents = {entry.parent for entry in self.entries}
        tips = [e for e in self.entries if e.id not in current and (e.id not in parents or e.id in self.marks)]
        found = []
        for tip in reversed(tips):
            path = self._path(by_id, tip.id)
            others = [entry for entry in path if entry.id not in current]
            of = next((now[entry.id].id for entry in others if entry.id in now), None)
            was = next((entry for entry in others if not _same(entry, now.get(entry.id))), None)
            found.append(Branch(tip, len(path), self.marks.get(tip.id, Mark()), of, was))
        return tuple(found)

    def current_branch(self) -> Branch | None:
        """That of the history; None while it has no steps."""
        history = self.history()
        return Branch(history[-1], len(history), self.marks.get(history[-1].id, Mark())) if history else None

    def states(self) -> dict[EntryId, tuple[EntryId, ...]]:
        """Those that each step of the history has replaced one after the other, newest first."""
        by_id = self._by_id()
        return {entry.id: tuple(self._states(by_id, entry)) for entry in self.history()}

    def steps(
        self, path: Sequence[Entry], tables: Mapping[VersionId, Table] | None = None
    ) -> dict[EntryId, RecipeStep]:
        """Those of the path that are not switched off, with those of the other tables they read that are there."""
        enabled = [entry for entry in path if entry.enabled]
        recipe = tuple(RecipeStep(entry.step, entry.fitted, made=entry.made) for entry in enabled)
        return {e.id: step for e, step in zip(enabled, with_inputs(recipe, tables or {}), strict=True)}

    @property
    def can_undo(self) -> bool:
        return self.cursor is not None

    @property
    def can_redo(self) -> bool:
        return self.cursor in self.ahead

    def rename(self, name: str) -> None:
        """Without a name, it is told by its data source and time."""
        self.name = clean_name(name) if name.strip() else ""

    def add(self, step: Step, settle: Settle = as_it_is, *, enabled: bool = True) -> Entry:
        """Put a step after the cursor and move there; what redo would have brought back becomes a branch."""
        entry = self._grow(Entry(EntryId(uuid4()), self.cursor, step, enabled=enabled), settle)
        if entry.parent is not None and (mark := self.marks.pop(entry.parent, None)) is not None and mark.name:
            self.marks[entry.id] = Mark(mark.name)  # the branch has grown
        return entry

    def undo(self) -> None:
        if self.cursor is None:
            raise NothingToUndoError
        self.cursor = self.entry(self.cursor).parent

    def redo(self) -> None:
        if not self.can_redo:
            raise NothingToRedoError
        self.cursor = self.ahead[self.cursor]

    def jump(self, to: EntryId | None) -> None:
        """Look at the table as of any step of any branch; redo then follows the way that led there."""
        for entry in self.path(to):
            self.ahead[entry.parent] = entry.id
        self.cursor = to

    def change(
        self, entry_id: EntryId, settle: Settle = as_it_is, *, step: Step | None = None, enabled: bool | None = None
    ) -> None:
        """Edit a step or switch it on or off; it and those after it are put once more."""
        history, index = self._place(entry_id)
        old = history[index]
        changed = replace(
            old, step=old.step if step is None else step, enabled=old.enabled if enabled is None else enabled
        )
        if changed != old:
            self._rewrite(index, (changed, *history[index + 1 :]), len(self.path(self.cursor)), settle)

    def remove(self, entry_id: EntryId, settle: Settle = as_it_is) -> None:
        """Take a step out; those after it are put once more."""
        history, index = self._place(entry_id)
        applied = len(self.path(self.cursor))
        self._rewrite(index, history[index + 1 :], applied - (index < applied), settle)

    def move(self, entry_id: EntryId, after: EntryId | None, settle: Settle = as_it_is) -> None:
        """Put a step after another one of the history, or first; all from the earlier of both places on are put once
        more. Raises ConflictError when it is to follow itself."""
        history, index = self._place(entry_id)
        if after == entry_id:
            raise ConflictError("a step cannot be put after itself")
        at = -1 if after is None else self._place(after)[1]
        to = at + 1 - (index < at)
        if to == index:
            return
        others = (*history[:index], *history[index + 1 :])
        applied = len(self.path(self.cursor))
        was_applied = index < applied
        before = applied - was_applied  # the applied ones among the others
        is_applied = to < before or (to == before and was_applied)
        order = (*others[:to], history[index], *others[to:])
        first = min(index, to)
        self._rewrite(first, order[first:], before + is_applied, settle)

    def mark(self, tip: EntryId, *, name: str | None = None, aside: bool | None = None) -> None:
        """Name a branch, lay it aside or bring it back; one that is named is in view. Raises ConflictError for a step
        that is not the last of a branch."""
        self.entry(tip)
        branches = {branch.tip.id: branch for branch in self.branches()}
        current = self.current_branch()
        if tip not in branches and (current is None or tip != current.tip.id):
            raise ConflictError("this step is not the last one of a branch")
        if aside and tip not in branches:
            raise ConflictError("this is the branch in use; go to another one first")
        old = self.marks.get(tip, Mark())
        new_name = old.name if name is None else clean_name(name) if name.strip() else ""
        new_aside = aside if aside is not None else old.aside and not (name and name.strip())
        self.marks[tip] = Mark(new_name, new_aside)

    def discard(self, at: datetime) -> None:
        """To the trash."""
        self.deleted_at = self.updated_at = at

    def restore(self, at: datetime) -> None:
        """Out of the trash. Raises ConflictError when it is not there."""
        if self.deleted_at is None:
            raise ConflictError("the session is not in the trash")
        self.deleted_at, self.updated_at = None, at

    def _place(self, entry_id: EntryId) -> tuple[tuple[Entry, ...], int]:
        """The history, and where in it the entry stands."""
        self.entry(entry_id)
        history = self.history()
        ids = [entry.id for entry in history]
        if entry_id not in ids:
            raise ConflictError("this step is on another branch; go there first")
        return history, ids.index(entry_id)

    def _rewrite(self, index: int, rest: Sequence[Entry], applied: int, settle: Settle) -> None:
        """The history goes on from `index` with copies of `rest`, and the cursor stands behind the first `applied`."""
        history = self.history()
        tip = history[-1].id
        name = self.marks.get(tip, Mark()).name
        self.cursor = history[index].parent
        self.ahead.pop(self.cursor, None)
        for entry in rest:
            self._grow(replace(entry, id=EntryId(uuid4()), parent=self.cursor, replaces=entry.id), settle)
        self.marks[tip] = Mark(aside=True)
        if self.cursor is not None and (name or not rest):
            self.marks[self.cursor] = Mark(name or self.marks.get(self.cursor, Mark()).name)
        kept = self.history()
        self.cursor = kept[applied - 1].id if applied else None

    def _grow(self, entry: Entry, settle: Settle) -> Entry:
        if len(self.entries) >= MAX_ENTRIES:
            raise InvalidInputError(
                f"a session holds at most {MAX_ENTRIES:,} steps over all branches; save it and go on from there"
            )
        entry = settle(entry)
        self.entries = (*self.entries, entry)
        self.ahead[entry.parent] = entry.id
        self.cursor = entry.id
        return entry

    def _by_id(self) -> dict[EntryId, Entry]:
        return {entry.id: entry for entry in self.entries}

    @staticmethod
    def _path(by_id: Mapping[EntryId, Entry], tip: EntryId | None) -> tuple[Entry, ...]:
        if tip is not None and tip not in by_id:
            raise EntryNotFoundError(tip)
        steps = []
        while tip is not None:
            steps.append(by_id[tip])
            tip = by_id[tip].parent
        return tuple(reversed(steps))

    @staticmethod
    def _states(by_id: Mapping[EntryId, Entry], entry: Entry) -> list[EntryId]:
        found = []
        while (old := entry.replaces) is not None:
            found.append(old)
            entry = by_id[old]
        return found


def _same(entry: Entry, other: Entry | None) -> bool:
    return other is not None and (entry.step, entry.enabled) == (other.step, other.enabled)
