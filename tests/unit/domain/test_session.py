"""A session's history, held against a plain model: a tree of lists."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import (
    EntryNotFoundError,
    NothingToRedoError,
    NothingToUndoError,
    Session,
    SessionId,
)
from hydroml.domain.studio.steps import Derive, Filter

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def new_session() -> Session:
    return Session(
        id=SessionId(uuid4()),
        version_id=VersionId(uuid4()),
        project_id=ProjectId(uuid4()),
        owner_id=UserId(uuid4()),
        created_at=NOW,
        updated_at=NOW,
    )


def named(name: str) -> Filter:
    return Filter(name)


def names(session: Session) -> list[str]:
    """The applied steps that are switched on, as the engine would run them."""
    return [entry.step.condition for entry in session.recipe(session.cursor) if isinstance(entry.step, Filter)]


class Histories(RuleBasedStateMachine):
    """The model: the applied steps and, beyond the cursor, those that redo brings back, as (name, enabled) pairs."""

    branches = Bundle("branches")

    @initialize()
    def start(self) -> None:
        self.session = new_session()
        self.applied: list[tuple[str, bool]] = []
        self.undone: list[tuple[str, bool]] = []
        self.count = 0
        self.seen = 0

    def fresh(self) -> str:
        self.count += 1
        return f"step_{self.count}"

    @rule()
    def add(self) -> None:
        name = self.fresh()
        self.session.add(named(name), {})
        self.applied.append((name, True))
        self.undone.clear()

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

    @precondition(lambda self: self.applied or self.undone)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        steps = self.applied + self.undone
        index = data.draw(st.integers(0, len(steps) - 1))
        name = self.fresh()
        self.session.change(self.session.history()[index].id, step=named(name))
        self._replace(index, [(name, steps[index][1])])

    @precondition(lambda self: self.applied or self.undone)
    @rule(data=st.data(), enabled=st.booleans())
    def switch(self, data: st.DataObject, enabled: bool) -> None:
        steps = self.applied + self.undone
        index = data.draw(st.integers(0, len(steps) - 1))
        self.session.change(self.session.history()[index].id, enabled=enabled)
        self._replace(index, [(steps[index][0], enabled)])

    @precondition(lambda self: self.applied or self.undone)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.applied + self.undone) - 1))
        self.session.remove(self.session.history()[index].id)
        self._replace(index, [])

    @rule(target=branches)
    def remember(self) -> tuple[object, list[tuple[str, bool]]]:
        return self.session.cursor, list(self.applied)

    @rule(place=consumes(branches))
    def jump_back(self, place: tuple[object, list[tuple[str, bool]]]) -> None:
        """Whatever was done since, the table as of an earlier place is still there."""
        cursor, applied = place
        self.session.jump(cursor)  # type: ignore[arg-type]
        self.applied = list(applied)
        self.undone = [
            (entry.step.condition, entry.enabled)  # type: ignore[union-attr]
            for entry in self.session.history()[len(applied) :]
        ]

    def _replace(self, index: int, instead: list[tuple[str, bool]]) -> None:
        here = len(self.applied)
        steps = self.applied + self.undone
        steps[index : index + 1] = instead
        if not instead and index < here:
            here -= 1
        self.applied, self.undone = steps[:here], steps[here:]

    @invariant()
    def same_as_the_model(self) -> None:
        assert names(self.session) == [name for name, enabled in self.applied if enabled]
        history = [(entry.step.condition, entry.enabled) for entry in self.session.history()]  # type: ignore[union-attr]
        assert history == self.applied + self.undone
        assert self.session.can_undo == bool(self.applied)
        assert self.session.can_redo == bool(self.undone)

    @invariant()
    def nothing_is_ever_lost(self) -> None:
        assert len(self.session.entries) >= self.seen
        self.seen = len(self.session.entries)
        assert len({entry.id for entry in self.session.entries}) == self.seen


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHistories = Histories.TestCase


def test_adding_after_undo_starts_a_branch_and_keeps_the_other() -> None:
    session = new_session()
    session.add(named("a"), {})
    other = session.add(named("b"), {})
    session.undo()
    session.add(named("c"), {})
    assert names(session) == ["a", "c"]
    assert session.branches() == (other,)
    session.jump(other.id)
    assert names(session) == ["a", "b"]


def test_a_step_of_another_branch_is_not_changed_from_here() -> None:
    session = new_session()
    lost = session.add(named("a"), {})
    session.undo()
    session.add(Derive("x", "1"), {})
    with pytest.raises(ConflictError, match="another branch"):
        session.remove(lost.id)


def test_an_unknown_step_is_named() -> None:
    session = new_session()
    with pytest.raises(EntryNotFoundError):
        session.jump(uuid4())  # type: ignore[arg-type]


def test_what_a_step_learnt_travels_with_the_recipe() -> None:
    session = new_session()
    entry = session.add(named("a"), {"values": {"x": 1.5}})
    assert session.recipe(session.cursor)[0].fitted == {"values": {"x": 1.5}}
    session.learn(entry.id, {"values": {"x": 2.0}})
    assert session.recipe(session.cursor)[0].fitted == {"values": {"x": 2.0}}
