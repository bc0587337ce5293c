"""A session: a person's work on a version, as a tree of steps with a cursor.

Every change moves the cursor or grows the tree; nothing is ever cut off. Undo moves the cursor to the parent, redo to
the child it came from. Adding a step after undo, or changing an earlier step, starts a branch beside the old one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NewType
from uuid import UUID, uuid4

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import Fitted, Step

SessionId = NewType("SessionId", UUID)
EntryId = NewType("EntryId", UUID)

MAX_ENTRIES = 2_000


class SessionNotFoundError(NotFoundError):
    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"session {session_id} does not exist")


class EntryNotFoundError(NotFoundError):
    def __init__(self, entry_id: EntryId) -> None:
        super().__init__(f"step {entry_id} is not in this session's history")


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
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class Session:
    id: SessionId
    version_id: VersionId
    project_id: ProjectId
    owner_id: UserId
    entries: tuple[Entry, ...] = ()
    """In the order they were made: a parent always stands before its children."""
    cursor: EntryId | None = None
    """The last applied step; None is the version as it is."""
    ahead: dict[EntryId | None, EntryId] = field(default_factory=dict)
    """For each place in the tree, the child that redo goes to."""
    created_at: datetime
    updated_at: datetime
    revision: int = 0

    def entry(self, entry_id: EntryId) -> Entry:
        """Raises EntryNotFoundError."""
        for entry in self.entries:
            if entry.id == entry_id:
                return entry
        raise EntryNotFoundError(entry_id)

    def path(self, tip: EntryId | None) -> tuple[Entry, ...]:
        """The steps from the root to `tip`, in order."""
        by_id = {entry.id: entry for entry in self.entries}
        if tip is not None and tip not in by_id:
            raise EntryNotFoundError(tip)
        steps = []
        while tip is not None:
            steps.append(by_id[tip])
            tip = by_id[tip].parent
        return tuple(reversed(steps))

    def history(self) -> tuple[Entry, ...]:
        """The branch the cursor is on: the applied steps, then those that redo would bring back."""
        return (*self.path(self.cursor), *self._ahead_of(self.cursor))

    def branches(self) -> tuple[Entry, ...]:
        """The last steps of the other branches, newest first."""
        parents = {entry.parent for entry in self.entries}
        shown = {entry.id for entry in self.history()}
        return tuple(e for e in reversed(self.entries) if e.id not in parents and e.id not in shown)

    def recipe(self, at: EntryId | None) -> Recipe:
        """What turns the version into the table as of `at`: the steps on the way that are not switched off."""
        return tuple(RecipeStep(entry.step, entry.fitted) for entry in self.path(at) if entry.enabled)

    @property
    def can_undo(self) -> bool:
        return self.cursor is not None

    @property
    def can_redo(self) -> bool:
        return self.cursor in self.ahead

    def add(self, step: Step, fitted: Fitted) -> Entry:
        """Put a step after the cursor and move there; what redo would have brought back becomes a branch."""
        entry = Entry(EntryId(uuid4()), self.cursor, step, fitted)
        self._grow(entry)
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

    def change(self, entry_id: EntryId, *, step: Step | None = None, enabled: bool | None = None) -> None:
        """Edit a step or switch it on or off; it and those after it go on as a new branch, the old one stays.

        What the steps of the new branch learnt still stems from the old one, until `learn` replaces it.
        """
        old = self.entry(entry_id)
        changed = replace(
            old, step=old.step if step is None else step, enabled=old.enabled if enabled is None else enabled
        )
        self._rebuild(entry_id, (changed,))

    def learn(self, entry_id: EntryId, fitted: Fitted) -> None:
        """Note what a step has learnt from the table before it."""
        self.entries = tuple(replace(e, fitted=fitted) if e.id == entry_id else e for e in self.entries)

    def remove(self, entry_id: EntryId) -> None:
        """Take a step out; those after it go on as a new branch, the old one stays."""
        self._rebuild(entry_id, ())

    def _rebuild(self, entry_id: EntryId, instead: tuple[Entry, ...]) -> None:
        history = self.history()
        ids = [entry.id for entry in history]
        if entry_id not in ids:
            raise ConflictError("this step is on another branch; go there first")
        index = ids.index(entry_id)
        applied = len(self.path(self.cursor))
        self.cursor = history[index].parent
        if self.cursor in self.ahead and not instead and index == len(history) - 1:
            del self.ahead[self.cursor]
        for entry in (*instead, *history[index + 1 :]):
            self._grow(replace(entry, id=EntryId(uuid4()), parent=self.cursor))
        wanted = applied - (index < applied and not instead)
        self.cursor = self.history()[wanted - 1].id if wanted else None

    def _grow(self, entry: Entry) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise InvalidInputError(f"a session holds at most {MAX_ENTRIES} steps over all branches; save it and go on")
        self.entries = (*self.entries, entry)
        self.ahead[entry.parent] = entry.id
        self.cursor = entry.id

    def _ahead_of(self, cursor: EntryId | None) -> Iterator[Entry]:
        while (following := self.ahead.get(cursor)) is not None:
            yield self.entry(following)
            cursor = following
