"""Charts of projects in every unit of work."""

from typing import Any
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.charts import (
    Aggregate,
    Bar,
    Box,
    Calendar,
    Chart,
    ChartId,
    ChartNotFoundError,
    Correlation,
    CorrelationMethod,
    DoubleMass,
    FlowDuration,
    Gaps,
    HeatMap,
    Histogram,
    Hydrograph,
    Line,
    SavedChart,
    Scatter,
    Seasons,
    SiteMap,
    TimeSeries,
)
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.sources import Version
from tests.contracts import examples

CHARTS: list[Chart] = [
    TimeSeries(time="t", columns=("a",), by="s"),
    Histogram("a", 7),
    Box("a", "s"),
    Scatter("a", "b", "s"),
    Line(x="a", columns=("b", 'with "quotes"')),
    Bar("s", "a", Aggregate.MEDIAN),
    HeatMap("a", "b", "c", Aggregate.MAXIMUM, 9),
    Calendar("t", "a", Aggregate.SUM),
    Correlation(("a", "b"), CorrelationMethod.SPEARMAN),
    SiteMap("lon", "lat", "a", Aggregate.MEAN),
    Hydrograph("t", "a", "b"),
    FlowDuration(("a", "b")),
    Seasons("t", "a"),
    DoubleMass("t", "a", "b"),
    Gaps("t", ("a", "s")),
]


@pytest.fixture
def version(uow: UnitOfWorkFactory) -> Version:
    project = examples.project()
    source = examples.source(project)
    version = examples.version(source)
    with uow() as work:
        work.projects.add(project)
        work.sources.add(source)
        work.versions.add(version)
        work.commit()
    return version


def saved(uow: UnitOfWorkFactory, version: Version, **changes: Any) -> SavedChart:
    with uow() as work:
        project_id = next(iter(work.sources.get(version.source_id).project_ids))
    values: dict[str, Any] = {
        "id": ChartId(uuid4()),
        "project_id": project_id,
        "name": examples.AWKWARD,
        "version_id": version.id,
        "chart": Histogram("a"),
        "filter": "a > 1",
        "created_by": examples.user(),
        "created_at": examples.NOON,
    }
    return SavedChart(**(values | changes))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.kind)
def test_every_kind_of_chart_comes_back_as_it_was(uow: UnitOfWorkFactory, version: Version, chart: Chart) -> None:
    kept = saved(uow, version, chart=chart)
    with uow() as work:
        work.charts.add(kept)
        work.commit()
    with uow() as work:
        assert work.charts.get(kept.id) == kept
        assert list(work.charts.of_project(kept.project_id)) == [kept]


def test_the_second_writer_of_a_chart_loses(uow: UnitOfWorkFactory, version: Version) -> None:
    kept = saved(uow, version)
    with uow() as work:
        work.charts.add(kept)
        work.commit()
    with uow() as work:
        mine, theirs = work.charts.get(kept.id), work.charts.get(kept.id)
        mine.change(name="mine", chart=Box("a"), filter="")
        work.charts.save(mine)
        work.commit()
    with uow() as work:
        assert (work.charts.get(kept.id), mine.filter) == (mine, None)
        with pytest.raises(ConcurrentUpdateError):
            work.charts.save(theirs)


def test_what_is_not_there_is_said(uow: UnitOfWorkFactory, version: Version) -> None:
    kept = saved(uow, version)
    with uow() as work:
        for call in (work.charts.get, work.charts.delete):
            with pytest.raises(ChartNotFoundError):
                call(kept.id)
    with uow() as work, pytest.raises(ConflictError):
        work.charts.add(saved(uow, version, version_id=uuid4()))


def test_charts_go_with_their_project(uow: UnitOfWorkFactory, version: Version) -> None:
    kept, other = saved(uow, version, name="b"), saved(uow, version, name="a")
    with uow() as work:
        work.charts.add(kept)
        work.charts.add(other)
        work.commit()
    with uow() as work:
        assert [chart.name for chart in work.charts.of_project(kept.project_id)] == ["a", "b"]
        work.charts.delete(other.id)
        work.commit()
    with uow() as work:
        work.projects.delete(kept.project_id)
        work.commit()
    with uow() as work, pytest.raises(ChartNotFoundError):
        work.charts.get(kept.id)
