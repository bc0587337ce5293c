"""Views that people keep, in every unit of work."""

from typing import Any
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError, InvalidInputError
from hydroml.domain.projects import UserId
from hydroml.domain.sources import DataSource, SourceId
from hydroml.domain.studio.steps import SortKey
from hydroml.domain.views import Layout, SavedView, SavedViewId, SavedViewNotFoundError
from tests.contracts import examples

LAYOUT = Layout(("b", 'with "quotes"', "a"), ("c",), ("b",), {"b": 200})


@pytest.fixture
def source(uow: UnitOfWorkFactory) -> DataSource:
    project = examples.project()
    source = examples.source(project)
    with uow() as work:
        work.projects.add(project)
        work.sources.add(source)
        work.commit()
    return source


def saved(source: DataSource, **given: Any) -> SavedView:
    fields = {
        "id": SavedViewId(uuid4()),
        "owner_id": UserId(uuid4()),
        "source_id": source.id,
        "name": "Floods",
        "filter": "flow > 3",
        "sort": (SortKey("flow", descending=True), SortKey("date")),
        "layout": LAYOUT,
        "created_at": source.created_at,
    }
    return SavedView(**fields | given)


def added(uow: UnitOfWorkFactory, *views: SavedView) -> None:
    with uow() as work:
        for view in views:
            work.views.add(view)
        work.commit()


def test_views_come_back_as_they_were_by_name_and_owner(uow: UnitOfWorkFactory, source: DataSource) -> None:
    mine = saved(source)
    plain = saved(source, owner_id=mine.owner_id, name="all", filter=None, sort=(), layout=Layout())
    added(uow, mine, plain, saved(source))
    with uow() as work:
        assert work.views.get(mine.id) == mine
        assert list(work.views.of_owner(mine.owner_id, source.id)) == [plain, mine]
        assert list(work.views.of_owner(mine.owner_id, SourceId(uuid4()))) == []
        work.views.delete(plain.id)
        work.commit()
    with uow() as work, pytest.raises(SavedViewNotFoundError):
        work.views.get(plain.id)


def test_the_second_writer_of_a_view_loses(uow: UnitOfWorkFactory, source: DataSource) -> None:
    view = saved(source)
    added(uow, view)
    with uow() as work:
        mine, theirs = work.views.get(view.id), work.views.get(view.id)
        mine.change(name="mine", filter="", sort=(), layout=Layout(hidden=("a",)))
        work.views.save(mine)
        work.commit()
    with uow() as work:
        assert (work.views.get(view.id), mine.filter) == (mine, None)
        with pytest.raises(ConcurrentUpdateError):
            work.views.save(theirs)


def test_views_need_their_source_and_go_with_it(uow: UnitOfWorkFactory, source: DataSource) -> None:
    view = saved(source)
    added(uow, view)
    with uow() as work, pytest.raises(ConflictError):
        work.views.add(saved(source, source_id=SourceId(uuid4())))
    with uow() as work:
        work.sources.delete(source.id)
        work.commit()
    with uow() as work:
        for call in (work.views.get, work.views.delete):
            with pytest.raises(SavedViewNotFoundError):
                call(view.id)


@pytest.mark.parametrize(
    ("layout", "place"),
    [
        ({"order": ("a", "b", "a")}, "order"),
        ({"hidden": tuple(map(str, range(10_001)))}, "hidden"),
        ({"widths": {"a": 1}}, "widths"),
    ],
)
def test_a_layout_that_cannot_be_names_its_place(layout: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Layout(**layout)
    assert refused.value.faults[0].loc == ("layout", place)
