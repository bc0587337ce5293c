"""Generated tables for the sample project: seeded, so that they are the same everywhere.

Weather is a two-state Markov chain for wet and dry days with gamma-distributed depths, and a seasonal temperature with
an autoregressive departure. Flow comes from a small conceptual model: degree-day snow, a soil store whose runoff share
grows with its filling (as the HBV model, Bergström 1976), and a quick and a slow linear store.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 3_652
START = date(2014, 10, 1)


@dataclass(frozen=True, slots=True)
class Catchment:
    """Depths in mm, temperature in °C, rates in 1/day; `gaps` are (first day, days) in which the gauge was silent."""

    name: str
    area_km2: float
    mean_temperature: float
    wet_depth: float
    soil_capacity: float
    beta: float
    quick: float
    slow: float
    gaps: tuple[tuple[int, int], ...]


CATCHMENTS = (
    Catchment("Alder Brook", 48.0, 9.5, 6.2, 160.0, 2.2, 0.35, 0.03, ((611, 9), (1_480, 41), (2_903, 3))),
    Catchment("Stone Creek", 212.0, 3.2, 8.1, 110.0, 1.6, 0.22, 0.015, ((240, 26), (2_051, 5))),
)


@dataclass(frozen=True, slots=True)
class Day:
    """Precipitation, evaporation and flow in mm per day, temperature in °C, snow and melt in mm; flow can lack."""

    date: date
    precipitation: float
    temperature: float
    evaporation: float
    snow: float
    melt: float
    flow: float | None


def simulate(catchment: Catchment, seed: int, days: int = DAYS) -> Iterator[Day]:
    """The catchment's days from 1 October 2014 on; the first year warms the stores up and is not given."""
    chance = random.Random(seed)  # noqa: S311 - weather, not secrets
    wet, departure = False, 0.0
    snow, soil, quick, slow = 0.0, catchment.soil_capacity / 2, 1.0, 20.0
    for index in range(-365, days):
        today = START + timedelta(days=index)
        season = math.cos(2 * math.pi * (today.timetuple().tm_yday - 200) / 365.25)
        departure = 0.72 * departure + chance.gauss(0, 2.1)
        temperature = catchment.mean_temperature + 8.5 * season + departure
        wet = chance.random() < (0.66 if wet else 0.27 - 0.05 * season)
        precipitation = chance.gammavariate(0.75, catchment.wet_depth / 0.75) if wet else 0.0
        evaporation = max(0.0, 0.19 * (temperature + 5.0) * (1.15 + 0.55 * season)) if temperature > -5 else 0.0

        snowfall = precipitation if temperature < 0.5 else 0.0
        melt = min(snow + snowfall, max(0.0, 3.2 * (temperature - 0.5)))
        snow += snowfall - melt
        water = precipitation - snowfall + melt
        runoff = water * min(1.0, soil / catchment.soil_capacity) ** catchment.beta
        soil += water - runoff
        soil -= min(soil, evaporation * min(1.0, soil / (0.7 * catchment.soil_capacity)))
        surplus = max(0.0, soil - catchment.soil_capacity)
        soil -= surplus
        quick += 0.6 * (runoff + surplus)
        slow += 0.4 * (runoff + surplus)
        out_quick, out_slow = catchment.quick * quick, catchment.slow * slow
        quick, slow = quick - out_quick, slow - out_slow

        measured = (out_quick + out_slow) * math.exp(chance.gauss(0, 0.06))
        silent = any(first <= index < first + length for first, length in catchment.gaps)
        if index >= 0:
            yield Day(today, precipitation, temperature, evaporation, snow, melt, None if silent else measured)


def daily_catchments() -> str:
    """Ten years, two stations, one row a day and station, as CSV; a silent gauge leaves its cell empty."""
    lines = [
        "date,station,precip_mm,temp_c,pet_mm,snow_mm,precip_7d_mm,precip_30d_mm,precip_90d_mm,pet_30d_mm,melt_7d_mm,flow_mm"
    ]
    for seed, catchment in enumerate(CATCHMENTS, start=1):
        past: list[Day] = []
        for day in simulate(catchment, seed):
            past.append(day)
            rain = [sum(d.precipitation for d in past[-window:]) for window in (7, 30, 90)]
            evaporation, melt = sum(d.evaporation for d in past[-30:]), sum(d.melt for d in past[-7:])
            flow = "" if day.flow is None else f"{day.flow:.3f}"
            lines.append(
                f"{day.date},{catchment.name},{day.precipitation:.1f},{day.temperature:.1f},{day.evaporation:.2f},"
                f"{day.snow:.1f},{rain[0]:.1f},{rain[1]:.1f},{rain[2]:.1f},{evaporation:.1f},{melt:.1f},{flow}"
            )
    return "\n".join(lines) + "\n"


def water_samples(rows: int = 1_200) -> str:
    """Water samples with a quality class that follows from nutrients and oxygen, not without error, as CSV."""
    chance = random.Random(7)  # noqa: S311 - samples, not secrets
    lines = ["sample,land_use,nitrate_mg_l,phosphate_mg_l,oxygen_mg_l,turbidity_ntu,temp_c,quality"]
    nutrients = {"forest": 0.6, "pasture": 1.6, "crops": 2.6, "town": 2.1}
    for number in range(1, rows + 1):
        use = chance.choice(tuple(nutrients))
        nitrate = chance.lognormvariate(math.log(1.2 + nutrients[use]), 0.45)
        phosphate = chance.lognormvariate(math.log(0.03 * (1 + nutrients[use])), 0.5)
        temperature = chance.gauss(11, 4.5)
        oxygen = max(1.0, 13.2 - 0.28 * temperature - 0.35 * nitrate + chance.gauss(0, 0.7))
        turbidity = chance.lognormvariate(1.1 + 0.2 * nutrients[use], 0.6)
        score = 0.5 * nitrate + 9 * phosphate + 0.12 * turbidity - 0.45 * oxygen + chance.gauss(0, 0.6)
        quality = "good" if score < -1.4 else "fair" if score < 0.5 else "poor"
        shown = "" if chance.random() < 0.03 else f"{oxygen:.1f}"
        lines.append(
            f"W{number:04d},{use},{nitrate:.2f},{phosphate:.3f},{shown},{turbidity:.1f},{temperature:.1f},{quality}"
        )
    return "\n".join(lines) + "\n"
