"""What a preview shows beside its counts: rows that leave, cells that change with what they held, cells that fail."""

from uuid import UUID

from hydroml.application.ports.tables import Differences
from hydroml.domain.sources import VersionId
from hydroml.domain.studio import steps
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import FillMethod, JoinKey, Sort, SortKey, Step
from hydroml.domain.studio.steps.columns import Renaming
from tests.tables import Workshop

ROWS = [{"n": n, "site": "ab"[n % 2], "flow": None if n % 50 == 49 else n / 4, "code": "x" if n == 700 else str(n)}
        for n in range(1_000)]  # fmt: skip
OTHER = VersionId(UUID(int=1))


def shown(workshop: Workshop, step: Step, before: tuple[Step, ...] = ()) -> Differences:
    found = asked(workshop, step, before)
    assert found is not None
    return found


def asked(workshop: Workshop, step: Step, before: tuple[Step, ...] = ()) -> Differences | None:
    table = workshop.table(ROWS)
    other = workshop.table([{"n": 3, "name": "three"}])
    recipe = tuple(RecipeStep(one) for one in before)
    return workshop.engine.preview(table, recipe, RecipeStep(step, {}, (other,) if step.others else ())).differences


def test_rows_that_leave_stand_in_their_places(workshop: Workshop) -> None:
    found = shown(workshop, steps.Filter("n >= 500"))
    assert found.fates[:60] == ("removed",) * 60
    assert (found.fates[60], found.numbers[60]) == ("kept", 501)  # some of those that stay are there too
    assert found.rows[0] == (0, "a", 0.0, "0")
    found = shown(workshop, steps.DropDuplicates(("site",)), (steps.Filter("n > 10"),))
    assert [(n, f) for n, f in zip(found.numbers, found.fates, strict=True) if f == "kept"] == [
        (1, "kept"),
        (2, "kept"),
    ]


def test_cells_that_change_tell_what_they_held(workshop: Workshop) -> None:
    found = shown(workshop, steps.FillMissing(("flow",), FillMethod.LINEAR))
    changed = {n: was for n, was in zip(found.numbers, found.was, strict=True) if was}
    assert changed[50] == {"flow": None}
    assert len(changed) == 19  # not the last: nothing is behind it
    assert dict(zip(found.numbers, found.rows, strict=True))[50][2] == 12.25
    found = shown(workshop, steps.Derive("flow", "n * 2.0"), (Sort((SortKey("n", descending=True),)),))
    assert (found.numbers[0], found.rows[0][2], found.was[0]) == (1, 1998.0, {"flow": None})


def test_columns_that_leave_stand_in_their_places(workshop: Workshop) -> None:
    found = shown(workshop, steps.RenameColumns((Renaming("site", "place"),)))
    assert [column.name for column in found.columns] == ["n", "site", "place", "flow", "code"]
    assert found.rows[1][:3] == (1, "b", "b")


def test_cells_that_get_no_value_are_told_with_the_reason(workshop: Workshop) -> None:
    found = shown(workshop, steps.ChangeType(("code",), "integer"))
    (cell,) = found.failing
    assert (cell.row, cell.column, cell.value, cell.reason) == (701, "code", "x", "does not fit integer")
    assert found.failing_cells == 1
    found = shown(workshop, steps.Derive("ratio", "flow / n"))
    assert [(cell.row, cell.value) for cell in found.failing] == [(1, "n = 0, flow = 0.0")]


def test_rows_that_come_are_shown_below_the_last(workshop: Workshop) -> None:
    found = shown(workshop, steps.Append(OTHER))
    assert (found.fates[-2:], found.numbers[-1]) == (("kept", "added"), 1_001)
    assert asked(workshop, steps.Join(OTHER, (JoinKey("n", "n"),))) is None
    assert asked(workshop, Sort((SortKey("n", descending=True),))) is None
