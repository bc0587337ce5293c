"""The sample is the same everywhere, and looks like what it stands for."""

from hydroml.domain.sample import CATCHMENTS, DAYS, daily_catchments, simulate, water_samples


def test_it_is_the_same_each_time() -> None:
    assert daily_catchments() == daily_catchments()
    assert water_samples() == water_samples()


def test_water_is_neither_made_nor_lost_beyond_reason() -> None:
    for seed, catchment in enumerate(CATCHMENTS, start=1):
        days = list(simulate(catchment, seed))
        rain = sum(day.precipitation for day in days)
        flow = sum(day.flow for day in days if day.flow is not None)
        assert len(days) == DAYS
        assert 0.2 * rain < flow < 0.8 * rain


def test_the_silent_gauge_leaves_gaps_and_only_those() -> None:
    days = list(simulate(CATCHMENTS[0], 1))
    assert sum(day.flow is None for day in days) == sum(length for _, length in CATCHMENTS[0].gaps)


def test_the_colder_catchment_keeps_snow() -> None:
    warm, cold = (max(day.snow for day in simulate(c, n)) for n, c in enumerate(CATCHMENTS, start=1))
    assert cold > 2 * warm


def test_every_quality_class_is_there() -> None:
    assert {line.rsplit(",", 1)[1] for line in water_samples().splitlines()[1:]} == {"good", "fair", "poor"}
