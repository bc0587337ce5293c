"""Plots as SVG: shapes and text with classes for their colours, which a style sheet beside them or within gives."""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil

from hydroml.adapters.reporting.axes import Placed, ticks
from hydroml.domain.reporting.plots import (
    Band,
    Boxes,
    Line,
    Mark,
    Panel,
    Plot,
    Points,
    Ranges,
    Scale,
)

WIDE, NARROW = 720.0, 350.0
_FONT, _LETTER, _ROW = 10.5, 5.8, 15.0
"""Size of the text, about what a letter takes, and a row of text, in pixels."""
_LEVELS = 5
_GAP = 18.0


def width(plot: Plot) -> float:
    """In pixels: a plot that is not broad stands beside another."""
    return NARROW if len(plot.panels) == 1 and plot.aspect < 2.5 else WIDE


def drawing(plot: Plot, title: str, style: str = "") -> str:
    """The picture; `title` is for those who cannot see it, `style` the rules of its classes."""
    across = width(plot)
    legend = _legend(plot)
    top = 22.0 if legend else 4.0
    wide = (across - _GAP * (plot.columns - 1)) / plot.columns
    parts, row_top = [], top
    for begin in range(0, len(plot.panels), plot.columns):
        drawn = [_panel(panel, wide, plot.aspect) for panel in plot.panels[begin : begin + plot.columns]]
        for place, (shapes, _) in enumerate(drawn):
            parts.append(f'<g transform="translate({_n(place * (wide + _GAP))} {_n(row_top)})">{shapes}</g>')
        row_top += max(height for _, height in drawn) + 8
    inner = f"<style>{style}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(across)} {_n(row_top)}" width="{_n(across)}" '
        f'height="{_n(row_top)}" role="img" font-size="{_FONT}"><title>{escape(title)}</title>{inner}'
        f"{legend}{''.join(parts)}</svg>"
    )


def _legend(plot: Plot) -> str:
    shown: dict[str, Mark] = {}
    for panel in plot.panels:
        for mark in panel.marks:
            if isinstance(mark, Line | Points) and mark.title:
                shown.setdefault(mark.title, mark)
    parts, x = [], 2.0
    for title, mark in shown.items():
        name = title if len(title) <= 40 else f"{title[:39]}…"
        if isinstance(mark, Line):
            parts.append(f'<path class="l {mark.role}{" d" * mark.dashed}" d="M{_n(x)} 9h18"/>')
        else:
            parts.append(f'<path class="p {mark.role}" stroke-width="6" d="M{_n(x + 9)} 9h.01"/>')
        parts.append(f'<text class="t" x="{_n(x + 23)}" y="12.5">{escape(name)}</text>')
        x += 38 + _LETTER * len(name)
    return "".join(parts)


def _panel(panel: Panel, wide: float, aspect: float) -> tuple[str, float]:
    """The panel, and how high it is."""
    high = wide / aspect
    vertical = ticks(panel.y, max(int(high // 30), 3))
    left = max((len(name) for _, name in vertical), default=1) * _LETTER + 10 + (_ROW if panel.y.title else 0)
    left = min(left, wide * 0.5)
    top = (_ROW + 2) if panel.title else 4.0
    right = wide - 12.0
    x = Placed(panel.x, left, right)
    horizontal = ticks(panel.x, max(int((right - left) // 55), 3))
    slanted = panel.x.scale is Scale.NAMES and _LETTER * sum(len(name) + 2 for _, name in horizontal) > right - left
    below = (min(max((len(n) for _, n in horizontal), default=0), 26) * _LETTER * 0.7 + 8) if slanted else _ROW
    bottom = top + max(high - top - below - _ROW, 60.0)
    y = Placed(panel.y, bottom, top)
    height = bottom + below + (_ROW if panel.x.title else 0) + 6
    return "".join(
        [
            _along(y, vertical, left, right),
            _across(x, horizontal, bottom, slanted=slanted),
            *(shape for mark in panel.marks for shape in _shapes(mark, x, y)),
            f'<path class="ax" d="M{_n(left)} {_n(top)}V{_n(bottom)}H{_n(right)}"/>',
            _heads(panel, left, right, top, bottom, height),
        ]
    ), height


def _heads(panel: Panel, left: float, right: float, top: float, bottom: float, height: float) -> str:  # noqa: PLR0917
    found = []
    if panel.title:
        found.append(f'<text class="t h" x="{_n(left)}" y="11">{escape(panel.title)}</text>')
    if panel.x.title:
        name = _fitting(panel.x.title, right)
        middle = min((left + right) / 2, right - _LETTER * len(name) / 2)
        found.append(f'<text class="t m" x="{_n(middle)}" y="{_n(height - 5)}">{escape(name)}</text>')
    if panel.y.title:
        middle, name = (top + bottom) / 2, _fitting(panel.y.title, bottom - top + 30)
        found.append(
            f'<text class="t m" transform="translate(10 {_n(middle)}) rotate(-90)" x="0" y="0">{escape(name)}</text>'
        )
    return "".join(found)


def _fitting(text: str, room: float) -> str:
    most = max(int(room / _LETTER), 4)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _along(y: Placed, named: Sequence[tuple[float, str]], left: float, right: float) -> str:
    found = []
    for value, name in named:
        at = y.at(value)
        if at is None:
            continue
        if y.axis.scale is not Scale.NAMES:
            found.append(f'<path class="grid" d="M{_n(left)} {_n(at)}H{_n(right)}"/>')
        found.append(f'<text class="t e" x="{_n(left - 5)}" y="{_n(at + 3.5)}">{escape(name)}</text>')
    return "".join(found)


def _across(x: Placed, named: Sequence[tuple[float, str]], bottom: float, *, slanted: bool) -> str:
    found = []
    for value, name in named:
        at = x.at(value)
        if at is None:
            continue
        found.append(f'<path class="ax" d="M{_n(at)} {_n(bottom)}v3"/>')
        if slanted:
            turn = f"translate({_n(at + 3)} {_n(bottom + 12)}) rotate(-40)"
            found.append(f'<text class="t e" transform="{turn}" x="0" y="0">{escape(name)}</text>')
        else:
            found.append(f'<text class="t m" x="{_n(at)}" y="{_n(bottom + 14)}">{escape(name)}</text>')
    return "".join(found)


def _shapes(mark: Mark, x: Placed, y: Placed) -> Iterator[str]:
    match mark:
        case Line():
            yield f'<path class="l {mark.role}{" d" * mark.dashed}" d="{_line(mark, x, y)}"/>'
        case Points():
            places = [(x.at(a), y.at(b)) for a, b in zip(mark.x, mark.y, strict=True)]
            for level, chosen in _by_shade(mark.shades, len(places)):
                dots = "".join(f"M{_n(a)} {_n(b)}h.01" for a, b in (places[i] for i in chosen) if _both(a, b))
                if dots:
                    name = f"ramp-{level}" if level else str(mark.role)
                    yield f'<path class="p {name}" stroke-width="{_n(2 * mark.radius)}" d="{dots}"/>'
        case Boxes():
            corners = [
                (x.at(a), y.at(b), x.at(c), y.at(d))
                for a, b, c, d in zip(mark.x0, mark.y0, mark.x1, mark.y1, strict=True)
            ]
            for level, chosen in _by_shade(mark.shades, len(corners)):
                boxes = "".join(_box(*corners[i]) for i in chosen)
                if boxes:
                    yield f'<path class="b {f"ramp-{level}" if level else mark.role}" d="{boxes}"/>'
        case Band():
            upper = [(x.at(a), y.at(b)) for a, b in zip(mark.x, mark.high, strict=True)]
            lower = [(x.at(a), y.at(b)) for a, b in zip(mark.x, mark.low, strict=True)]
            around = [(a, b) for a, b in (*upper, *reversed(lower)) if _both(a, b)]
            if around:
                yield f'<path class="band {mark.role}" d="M{"L".join(f"{_n(a)} {_n(b)}" for a, b in around)}Z"/>'
        case Ranges():
            ends = [
                (x.at(a), y.at(b), x.at(c), y.at(d))
                for a, b, c, d in zip(mark.x0, mark.y0, mark.x1, mark.y1, strict=True)
            ]
            yield f'<path class="r {mark.role}" d="{"".join(_range(*one) for one in ends)}"/>'


def _line(line: Line, x: Placed, y: Placed) -> str:
    found, drawing_on = [], False
    for a, b in zip(line.x, line.y, strict=True):
        at, up = x.at(a), y.at(b)
        if at is None or up is None:
            drawing_on = False
            continue
        found.append(f"{'L' if drawing_on else 'M'}{_n(at)} {_n(up)}")
        drawing_on = True
    return "".join(found)


def _box(a: float | None, b: float | None, c: float | None, d: float | None) -> str:
    if a is None or b is None or c is None or d is None:
        return ""
    return f"M{_n(a)} {_n(b)}H{_n(c)}V{_n(d)}H{_n(a)}Z"


def _range(a: float | None, b: float | None, c: float | None, d: float | None) -> str:
    """A whisker with its ends."""
    if a is None or b is None or c is None or d is None:
        return ""
    stem = f"M{_n(a)} {_n(b)}L{_n(c)} {_n(d)}"
    if abs(a - c) < abs(b - d):
        return f"{stem}M{_n(a - 3)} {_n(b)}h6M{_n(c - 3)} {_n(d)}h6"
    return f"{stem}M{_n(a)} {_n(b - 3)}v6M{_n(c)} {_n(d - 3)}v6"


def _by_shade(shades: Sequence[float | None], count: int) -> Iterator[tuple[int, list[int]]]:
    """Places by the level of their shade from 1 on; all at level 0 where there are no shades."""
    if not shades:
        yield 0, list(range(count))
        return
    levels: dict[int, list[int]] = {}
    for place, shade in enumerate(shades):
        levels.setdefault(min(max(ceil((shade or 0.0) * _LEVELS), 1), _LEVELS), []).append(place)
    yield from sorted(levels.items())


def _both(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None


def _n(value: float | None) -> str:
    """With one decimal, which is less than a dot on paper."""
    return f"{value or 0.0:.1f}".removesuffix(".0")
