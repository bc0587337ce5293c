"""A session's history held against a plain model: what is applied and what redo brings back, as lists."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import EntryId, NothingToRedoError, NothingToUndoError, Session, SessionId
from hydroml.domain.studio.steps import Filter

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Line = list[tuple[str, bool]]
"""Steps as (name, enabled) pairs."""


def new_session() -> Session:
    return Session(
        id=SessionId(uuid4()),
        version_id=VersionId(uuid4()),
        project_id=ProjectId(uuid4()),
        owner_id=UserId(uuid4()),
        created_at=NOW,
        updated_at=NOW,
    )


def line(session: Session, tip: EntryId | None) -> Line:
    return [(entry.step.condition, entry.enabled) for entry in session.path(tip)]  # type: ignore[union-attr]


class Histories(RuleBasedStateMachine):
    """`fresh` gives a session to start with, and `keep` stores a session after each change and gives it back."""

    def __init__(
        self, fresh: Callable[[], Session] = new_session, keep: Callable[[Session], Session] = lambda session: session
    ) -> None:
        super().__init__()
        self.fresh, self.keep = fresh, keep

    @initialize()
    def start(self) -> None:
        self.session = self.fresh()
        self.applied: Line = []
        self.undone: Line = []
        self.been: dict[EntryId | None, tuple[Line, Line]] = {}
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"step_{self.count}"

    @property
    def steps(self) -> Line:
        return self.applied + self.undone

    def any_step(self, data: st.DataObject) -> tuple[int, EntryId]:
        index = data.draw(st.integers(0, len(self.steps) - 1))
        return index, self.session.history()[index].id

    @rule(enabled=st.booleans())
    def add(self, enabled: bool) -> None:
        name = self.name()
        self.session.add(Filter(name), enabled=enabled)
        self.applied.append((name, enabled))
        self.undone = []

    @rule()
    def undo(self) -> None:
        if not self.applied:
            with pytest.raises(NothingToUndoError):
                self.session.undo()
            return
        self.session.undo()
        self.undone.insert(0, self.applied.pop())

    @rule()
    def redo(self) -> None:
        if not self.undone:
            with pytest.raises(NothingToRedoError):
                self.session.redo()
            return
        self.session.redo()
        self.applied.append(self.undone.pop(0))

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        index, entry = self.any_step(data)
        name = self.name()
        self.session.change(entry, step=Filter(name))
        self._now([*self.steps[:index], (name, self.steps[index][1]), *self.steps[index + 1 :]], len(self.applied))

    @precondition(lambda self: self.steps)
    @rule(data=st.data(), enabled=st.booleans())
    def switch(self, data: st.DataObject, enabled: bool) -> None:
        index, entry = self.any_step(data)
        self.session.change(entry, enabled=enabled)
        self._now([*self.steps[:index], (self.steps[index][0], enabled), *self.steps[index + 1 :]], len(self.applied))

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        index, entry = self.any_step(data)
        self.session.remove(entry)
        self._now([*self.steps[:index], *self.steps[index + 1 :]], len(self.applied) - (index < len(self.applied)))

    @precondition(lambda self: len(self.steps) > 1)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """A step carried over the cursor changes sides; one that is put down at the cursor stays on its own."""
        index, entry = self.any_step(data)
        rest = [*self.steps[:index], *self.steps[index + 1 :]]
        places = [*self.session.history()[:index], *self.session.history()[index + 1 :]]
        to = data.draw(st.integers(0, len(rest)))
        self.session.move(entry, places[to - 1].id if to else None)
        was_applied = index < len(self.applied)
        others = len(self.applied) - was_applied
        now_applied = was_applied if to == others else to < others
        self._now([*rest[:to], self.steps[index], *rest[to:]], others + now_applied)

    @precondition(lambda self: self.been)
    @rule(data=st.data())
    def jump(self, data: st.DataObject) -> None:
        """Whatever was done since, the table as of an earlier place is still there."""
        place = data.draw(st.sampled_from(list(self.been)))
        self.session.jump(place)
        self.applied = list(self.been[place][0])
        self.undone = [(e.step.condition, e.enabled) for e in self.session.history()[len(self.applied) :]]  # type: ignore[union-attr]

    @precondition(lambda self: self.session.branches())
    @rule(data=st.data(), aside=st.booleans())
    def lay_aside(self, data: st.DataObject, aside: bool) -> None:
        branch = data.draw(st.sampled_from(self.session.branches()))
        self.session.mark(branch.tip.id, aside=aside)
        assert self.session.marks[branch.tip.id].aside is aside

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def name_a_branch(self, data: st.DataObject) -> None:
        """The one in use too; a name says nothing of the steps, brings the branch into view, and can be taken away."""
        current = self.session.current_branch()
        branches = [*self.session.branches(), *([current] if current else [])]
        tip = data.draw(st.sampled_from(branches)).tip.id
        name = data.draw(st.sampled_from(["", "Dry", " Wet years "]))
        self.session.mark(tip, name=name)
        now = [branch for branch in (*self.session.branches(), self.session.current_branch()) if branch]
        assert next(branch.mark.name for branch in now if branch.tip.id == tip) == name.strip()
        assert not (name and self.session.marks[tip].aside)

    def _now(self, steps: Line, applied: int) -> None:
        self.applied, self.undone = steps[:applied], steps[applied:]

    @invariant()
    def same_as_the_model(self) -> None:
        kept = self.keep(self.session)
        assert kept == self.session
        self.session = kept
        history = [(entry.step.condition, entry.enabled) for entry in self.session.history()]  # type: ignore[union-attr]
        assert (line(self.session, self.session.cursor), history) == (self.applied, self.steps)
        assert (self.session.can_undo, self.session.can_redo) == (bool(self.applied), bool(self.undone))
        self.been[self.session.cursor] = (list(self.applied), list(self.undone))

    @invariant()
    def nothing_is_ever_lost(self) -> None:
        for place, (applied, _) in self.been.items():
            assert line(self.session, place) == applied
        shown = {entry.id for entry in self.session.history()}
        for branch in self.session.branches():
            shown |= {entry.id for entry in self.session.path(branch.tip.id)}
        assert shown == {entry.id for entry in self.session.entries}
