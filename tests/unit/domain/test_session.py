"""A session's history: a tree that only grows."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import settings

from hydroml.domain.errors import ConflictError, InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.judging import StepStatus, judge, made, speaks_of
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.session import Entry, EntryNotFoundError, Session
from hydroml.domain.studio.steps import Derive, DropColumns, Filter, Sort, SortKey
from tests.histories import Histories, line, new_session

Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHistories = Histories.TestCase


def names(session: Session) -> list[str]:
    return [name for name, _ in line(session, session.cursor)]


def with_steps(*steps: str) -> Session:
    session = new_session()
    for step in steps:
        session.add(Filter(step))
    return session


def in_view(session: Session) -> list[list[str]]:
    return [[n for n, _ in line(session, b.tip.id)] for b in session.branches() if not b.mark.aside]


def aside(session: Session) -> list[list[str]]:
    return [[n for n, _ in line(session, b.tip.id)] for b in session.branches() if b.mark.aside]


def test_adding_after_undo_starts_a_branch_and_keeps_the_other() -> None:
    session = with_steps("a", "b")
    session.undo()
    session.add(Filter("c"))
    assert (names(session), in_view(session)) == (["a", "c"], [["a", "b"]])
    session.jump(session.branches()[0].tip.id)
    assert (names(session), in_view(session)) == (["a", "b"], [["a", "c"]])


def test_edits_leave_no_branches_in_view_but_earlier_states_of_the_step() -> None:
    session = with_steps("a", "b", "c")
    for name in ("b1", "b2", "b3"):
        session.change(session.history()[1].id, step=Filter(name))
    assert names(session) == ["a", "b3", "c"]
    assert in_view(session) == []
    assert aside(session) == [["a", "b2", "c"], ["a", "b1", "c"], ["a", "b", "c"]]
    edited = session.history()[1].id
    assert {branch.of for branch in session.branches()} == {edited}
    assert [branch.was.step.condition for branch in session.branches() if branch.was] == ["b2", "b1", "b"]  # type: ignore[union-attr]
    assert len(session.states()[edited]) == 3


def test_what_was_taken_out_can_be_gone_back_to() -> None:
    session = with_steps("a", "b")
    session.remove(session.history()[1].id)
    assert (names(session), aside(session)) == (["a"], [["a", "b"]])
    assert session.branches()[0].was == session.entries[1]
    session.jump(None)
    session.add(Filter("x"))
    assert in_view(session) == [["a"]]  # where the work had come to, though more stands behind it in the tree
    session.jump(session.branches()[-1].tip.id)
    assert names(session) in (["a"], ["a", "b"])


def test_an_earlier_state_that_is_worked_on_is_in_view_again() -> None:
    session = with_steps("a", "b")
    session.change(session.history()[1].id, step=Filter("b1"))
    session.jump(session.branches()[0].tip.id)
    assert in_view(session) == [["a", "b1"]]
    session.add(Filter("c"))
    session.jump(session.branches()[0].tip.id)
    assert (names(session), in_view(session), aside(session)) == (["a", "b1"], [["a", "b", "c"]], [])


def test_a_branch_keeps_its_name_while_it_is_worked_on() -> None:
    session = with_steps("a", "b")
    session.mark(session.history()[-1].id, name=" Dry years ")
    session.add(Filter("c"))
    session.change(session.history()[0].id, step=Filter("a1"))
    session.remove(session.history()[2].id)
    current = session.current_branch()
    assert current is not None
    assert (current.mark.name, names(session)) == ("Dry years", ["a1", "b"])
    session.jump(None)
    session.add(Filter("x"))
    assert [b.mark.name for b in session.branches() if not b.mark.aside] == ["Dry years"]


def test_a_branch_is_laid_aside_and_brought_back_and_a_name_brings_it_too() -> None:
    session = with_steps("a")
    session.undo()
    session.add(Filter("b"))
    tip = session.branches()[0].tip.id
    session.mark(tip, aside=True)
    assert (in_view(session), aside(session)) == ([], [["a"]])
    session.mark(tip, aside=False)
    assert in_view(session) == [["a"]]
    session.mark(tip, aside=True)
    session.mark(tip, name="Wanted")
    assert in_view(session) == [["a"]]
    for refused in (session.history()[-1].id, session.add(Filter("c")).parent):
        assert refused is not None
        with pytest.raises(ConflictError):
            session.mark(refused, aside=True)


def test_a_step_of_another_branch_is_not_changed_from_here() -> None:
    session = with_steps("a")
    lost = session.entries[0].id
    session.undo()
    session.add(Derive("x", "1"))
    for refused in (lambda: session.remove(lost), lambda: session.move(session.history()[0].id, lost)):
        with pytest.raises(ConflictError, match="another branch"):
            refused()
    with pytest.raises(ConflictError, match="after itself"):
        session.move(session.history()[0].id, session.history()[0].id)


def test_an_unknown_step_is_named() -> None:
    session = new_session()
    with pytest.raises(EntryNotFoundError):
        session.jump(uuid4())  # type: ignore[arg-type]


def test_what_a_step_learns_is_asked_at_its_place_and_travels_with_it() -> None:
    session = with_steps("a", "b")
    seen = []

    def settle(entry: Entry) -> Entry:
        seen.append([name for name, _ in line(session, entry.parent)])
        return replace(entry, fitted={"at": len(seen)}, made=("x",))

    session.change(session.history()[0].id, settle, step=Filter("a1"))
    assert seen == [[], ["a1"]]
    steps = session.steps(session.history())
    assert [(step.fitted, step.made) for step in steps.values()] == [({"at": 1}, ("x",)), ({"at": 2}, ("x",))]


# Which steps can run


RAIN = (Column("rain", ColumnType.NUMBER), Column("site", ColumnType.TEXT))


class Engine:
    """Knows of derived and dropped columns, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def schema(self, recipe: Recipe) -> tuple[Column, ...]:
        self.asked += 1
        columns = list(RAIN)
        for entry in recipe:
            known = {column.name for column in columns}
            match entry.step:
                case Derive(column=name, formula=needed):
                    if needed not in known:
                        raise InvalidInputError.at("formula", msg=f"there is no column “{needed}”")
                    columns.append(Column(name, ColumnType.NUMBER))
                case DropColumns(columns=gone):
                    if not known.issuperset(gone):
                        raise InvalidInputError.at("columns", msg=f"there is no column “{gone[0]}”")
                    columns = [column for column in columns if column.name not in gone]
                case _:
                    pass
        return tuple(columns)


def test_the_first_that_cannot_run_is_told_and_what_needs_it_waits_and_the_rest_runs() -> None:
    steps = {
        1: RecipeStep(Derive("double", "snow"), made=("double",)),
        2: RecipeStep(Derive("more", "rain"), made=("more",)),
        3: RecipeStep(Derive("twice", "double"), made=("twice",)),
        4: RecipeStep(DropColumns(("twice",))),
        5: RecipeStep(DropColumns(("fog",))),
        6: RecipeStep(Filter("more > 1")),
    }
    verdicts = judge(steps, Engine().schema)
    assert {at: (verdict.status, verdict.waits_for) for at, verdict in verdicts.items()} == {
        1: (StepStatus.FAILED, None),
        2: (StepStatus.OK, None),
        3: (StepStatus.WAITING, 1),
        4: (StepStatus.WAITING, 3),
        5: (StepStatus.FAILED, None),
        6: (StepStatus.OK, None),
    }
    assert verdicts[1].reason == "there is no column “snow”"
    assert verdicts[1].faults[0].loc == ("formula",)


def test_a_history_that_runs_is_judged_by_one_question() -> None:
    engine = Engine()
    judge({at: RecipeStep(Derive(f"c{at}", "rain")) for at in range(30)}, engine.schema)
    assert engine.asked == 1


@pytest.mark.parametrize(
    ("step", "column", "speaks"),
    [
        (Filter("flow > 3"), "flow", True),
        (Filter("flow_2 > 3"), "flow", False),
        (Filter('"Größe (m)" > 3'), "Größe (m)", True),
        (Derive("a", "b + c"), "c", True),
        (DropColumns(("a", "b")), "b", True),
        (Sort((SortKey("x"), SortKey("y"))), "y", True),
        (Sort((SortKey("x"),)), "sort", False),
    ],
)
def test_which_columns_a_step_speaks_of(step: object, column: str, speaks: bool) -> None:
    assert speaks_of(step, column) is speaks  # type: ignore[arg-type]


def test_what_a_step_makes_are_new_columns_and_those_of_another_type() -> None:
    after = (Column("rain", ColumnType.TEXT), Column("site", ColumnType.TEXT), Column("day", ColumnType.DATE))
    assert made(RAIN, after) == ("rain", "day")
