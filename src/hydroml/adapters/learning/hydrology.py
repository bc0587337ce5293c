"""The metrics of hydrology over pairs of observed and predicted values, both complete; what each is, the domain tells.

A value that is not defined is NaN or infinite.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.signal import find_peaks

from hydroml.adapters.learning.frames import Array

_WINDOW = 3
"""Steps before and after an observed peak in which the predicted one is looked for."""
_APART = 100
"""Steps in which at most one peak counts."""
_NAN = float("nan")


def nse(o: Array, p: Array) -> float:
    return float(1 - np.sum((o - p) ** 2) / spread(o))


def correlation(o: Array, p: Array) -> float:
    return float(np.sum((o - o.mean()) * (p - p.mean())) / np.sqrt(spread(o) * spread(p)))


def kge(o: Array, p: Array) -> float:
    return _kge(correlation(o, p), kge_alpha(o, p), kge_beta(o, p))


def spread(values: Array) -> np.float64:
    """Σ(v − mean v)², and exactly 0 where all values are the same, whatever rounding makes of their mean."""
    if values.min() == values.max():
        return np.float64(0.0)
    return np.float64(np.sum((values - values.mean()) ** 2))


def _kge(*parts: float) -> float:
    return float(1 - np.linalg.norm(np.array(parts) - 1))


def kge_alpha(o: Array, p: Array) -> float:
    return float(np.sqrt(spread(p) / spread(o)))


def kge_beta(o: Array, p: Array) -> float:
    return float(p.mean() / o.mean())


def kge_gamma(o: Array, p: Array) -> float:
    return float(np.float64(kge_alpha(o, p)) / kge_beta(o, p))


def log_nse(o: Array, p: Array) -> float:
    if o.min() < 0 or o.mean() <= 0:
        return _NAN
    small = o.mean() / 100
    return nse(np.log(o + small), np.log(np.maximum(p, 0) + small))


def agreement(o: Array, p: Array) -> float:
    return float(1 - np.sum((o - p) ** 2) / np.sum((np.abs(p - o.mean()) + np.abs(o - o.mean())) ** 2))


def _peaks(o: Array, p: Array) -> tuple[Array, Array, Array]:
    """The observed peaks' positions, the highest predictions near them, and how many steps off those are."""
    at, _ = find_peaks(o, distance=_APART, prominence=o.std() or 1.0)
    at = at[(at >= _WINDOW) & (at < len(o) - _WINDOW)]
    near = p[at[:, None] + np.arange(-_WINDOW, _WINDOW + 1)]
    best = near.argmax(axis=1)
    return at, near[np.arange(len(at)), best], np.abs(best - _WINDOW)


def peak_error(o: Array, p: Array) -> float:
    at, highest, _ = _peaks(o, p)
    return float(np.mean(100 * (highest - o[at]) / o[at])) if len(at) and o[at].min() > 0 else _NAN


def peak_timing(o: Array, p: Array) -> float:
    at, _, off = _peaks(o, p)
    return float(off.mean()) if len(at) else _NAN


def high_flow_volume(o: Array, p: Array) -> float:
    share = max(round(0.02 * len(o)), 1)
    highest, predicted = np.sort(o)[-share:], np.sort(p)[-share:]
    return float(100 * np.sum(predicted - highest) / np.sum(highest)) if np.sum(highest) > 0 else _NAN


def middle_slope(o: Array, p: Array) -> float:
    def slope(values: Array) -> float:
        falling = np.sort(values)[::-1]
        high, low = (falling[min(round(share * len(falling)), len(falling) - 1)] for share in (0.2, 0.7))
        return float(np.log(high) - np.log(low)) if low > 0 else _NAN

    return 100 * (slope(p) - slope(o)) / slope(o) if slope(o) else _NAN


def low_flow_volume(o: Array, p: Array) -> float:
    def volume(values: Array) -> float:
        lowest = np.sort(values)[: max(round(0.3 * len(values)), 1)]
        return float(np.sum(np.log(lowest) - np.log(lowest[0]))) if lowest[0] > 0 else _NAN

    return -100 * (volume(p) - volume(o)) / volume(o) if volume(o) else _NAN


def kge_2012(o: Array, p: Array) -> float:
    return _kge(correlation(o, p), kge_gamma(o, p), kge_beta(o, p))


def rsr(o: Array, p: Array) -> float:
    return float(np.sqrt(np.sum((o - p) ** 2) / spread(o)))


def volumetric_efficiency(o: Array, p: Array) -> float:
    return float(1 - np.sum(np.abs(p - o)) / np.sum(o)) if np.sum(o) > 0 else _NAN


def fdc_nse(o: Array, p: Array) -> float:
    return nse(np.sort(o), np.sort(p))


METRICS: Mapping[str, Callable[[Array, Array], float]] = {
    "nse": nse,
    "log_nse": log_nse,
    "kge_2012": kge_2012,
    "kge_alpha": kge_alpha,
    "kge_beta": kge_beta,
    "kge_gamma": kge_gamma,
    "rsr": rsr,
    "d": agreement,
    "ve": volumetric_efficiency,
    "fhv": high_flow_volume,
    "fms": middle_slope,
    "flv": low_flow_volume,
    "fdc_nse": fdc_nse,
}
PEAK_METRICS: Mapping[str, Callable[[Array, Array], float]] = {"peak_error": peak_error, "peak_timing": peak_timing}
"""These read the pairs as one series in the order of time."""
