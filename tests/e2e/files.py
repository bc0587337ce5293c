"""Files people bring, made up here."""

import math
from datetime import date, timedelta

DAYS = 1_500


def gauge() -> bytes:
    """A daily series as many gauges give it out: semicolons, decimal commas, gaps; flow follows rain and the season."""
    lines = ["date;rain_mm;temp_c;flow"]
    for day in range(DAYS):
        rain = max(0.0, 9 * math.sin(day * 1.7) * math.sin(day / 3.1))
        temperature = 10 - 9 * math.cos(2 * math.pi * day / 365.25)
        flow = "" if day % 100 == 50 else f"{2 + 0.4 * rain + 0.05 * temperature:.3f}"
        cells = [str(date(2019, 1, 1) + timedelta(day)), f"{rain:.2f}", f"{temperature:.2f}", flow]
        lines.append(";".join(cells).replace(".", ","))
    return "\n".join(lines).encode()


def broken_late(rows: int = 120_000) -> bytes:
    """A table that looks right in its first megabyte and is not."""
    lines = [f"{number},{number * 2},fair" for number in range(rows)]
    lines[100_000] = "1,2,fair,4"
    return "\n".join(["a,b,grade", *lines]).encode()


GARBAGE = bytes(range(256)) * 400
