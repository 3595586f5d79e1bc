"""Charts as SVG: bars, columns, lines over time, one run's lanes. Pure. Colours are classes of the style sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from make_metrics.analysis.build import Build
from make_metrics.analysis.lanes import job_lanes
from make_metrics.printable import printable
from make_metrics.report.rows import duration

_WIDTH = 860
_LABEL = 230  # of a bar's name
_LETTER = 7.2  # the width of a character at 12 pixels, at most
_LEFT, _BOTTOM, _TOP = 62, 24, 10
_HEIGHT = 220
COLOURS = 6


class Bar(NamedTuple):
    """A bar: its name, its length, the text beside it, and where it leads to."""

    name: str
    value: float
    text: str
    link: str = ""


class Line(NamedTuple):
    """A line: its name, and a value for each point; None is a gap."""

    name: str
    values: Sequence[float | None]


def bars(items: Sequence[Bar], label: str) -> Markup:
    """Horizontal bars, one below the other; a value below 0 goes to the left."""
    most = max((abs(item.value) for item in items), default=0) or 1
    negative = any(item.value < 0 for item in items)
    room = _WIDTH - _LABEL - 120
    zero = _LABEL + (room / 2 if negative else 0)
    scale = room / (2 if negative else 1) / most
    parts = []
    for place, item in enumerate(items):
        y = place * 22
        length = abs(item.value) * scale
        x = zero - length if item.value < 0 else zero
        name = Markup('<text class="label" x="{}" y="{}">{}</text>').format(_LABEL - 8, y + 15, _cut(item.name, 30))
        if item.link:
            name = Markup('<a href="{}">{}</a>').format(item.link, name)
        parts.append(
            Markup(
                '<g><title>{}: {}</title>{}<rect class="bar{}" x="{}" y="{}" width="{}" height="16"/>'
                '<text x="{}" y="{}">{}</text></g>'
            ).format(
                printable(item.name),
                item.text,
                name,
                " less" if item.value < 0 else "",
                _number(x),
                y + 3,
                _number(max(length, 1)),
                _number(zero + max(length if item.value > 0 else 0, 1) + 6),
                y + 15,
                item.text,
            )
        )
    return _svg(parts, len(items) * 22 + 4, label)


def columns(items: Sequence[Bar], label: str) -> Markup:
    """Upright columns side by side, such as a distribution."""
    most = max((item.value for item in items), default=0) or 1
    wide = (_WIDTH - _LEFT - 10) / max(len(items), 1)
    parts = [_grid(most, lambda value: f"{value:,.0f}")]
    every = max(1, round(70 / wide))
    for place, item in enumerate(items):
        height = item.value / most * (_HEIGHT - _TOP - _BOTTOM)
        x = _LEFT + place * wide
        parts.append(
            Markup('<g><title>{}: {}</title><rect class="bar" x="{}" y="{}" width="{}" height="{}"/></g>').format(
                item.name,
                item.text,
                _number(x + 0.5),
                _number(_HEIGHT - _BOTTOM - height),
                _number(max(wide - 1, 1)),
                _number(height),
            )
        )
        if place % every == 0:
            parts.append(_below(x + wide / 2, item.name))
    return _svg(parts, _HEIGHT, label)


def lines(
    series: Sequence[Line],
    points: Sequence[str],
    label: str,
    *,
    shown: Callable[[float], str],
    marks: Sequence[tuple[float, str]] = (),
    most: float | None = None,
) -> Markup:
    """Lines over points of time. `marks` are upright lines at a position (0 is the first point) with a text."""
    top = most or max((value for line in series for value in line.values if value is not None), default=0) or 1
    wide = (_WIDTH - _LEFT - 20) / max(len(points) - 1, 1)
    parts = [_grid(top, shown)]
    every = max(1, -(-80 // max(int(wide), 1)))
    for place in range(0, len(points), every):
        parts.append(_below(_LEFT + place * wide, points[place]))
    for position, text in marks:
        x = _number(_LEFT + position * wide)
        parts.append(
            Markup('<g><title>{}</title><line class="mark" x1="{}" x2="{}" y1="{}" y2="{}"/></g>').format(
                text, x, x, _TOP, _HEIGHT - _BOTTOM
            )
        )
    for colour, line in enumerate(series):
        parts += _line(line, colour % COLOURS, points, top, wide, shown)
    legend = Markup("").join(
        Markup('<span class="key c{}">{}</span> ').format(colour % COLOURS, printable(line.name))
        for colour, line in enumerate(series)
    )
    return Markup('<p class="legend">{}</p>{}').format(legend, _svg(parts, _HEIGHT, label))


def _line(
    line: Line, colour: int, points: Sequence[str], top: float, wide: float, shown: Callable[[float], str]
) -> list[Markup]:
    path, dots, pen_down = [], [], False
    for place, value in enumerate(line.values):
        if value is None:
            pen_down = False
            continue
        x, y = _number(_LEFT + place * wide), _number(_HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM))
        path.append(f"{'L' if pen_down else 'M'}{x} {y}")
        pen_down = True
        dots.append(
            Markup('<circle class="dot c{}" cx="{}" cy="{}" r="3"><title>{}, {}: {}</title></circle>').format(
                colour, x, y, printable(line.name), points[place], shown(value)
            )
        )
    return [Markup('<path class="line c{}" d="{}"/>').format(colour, " ".join(path)), *dots]


def lanes(build: Build, label: str, *, most: int) -> Markup:
    """A run's targets in lanes, one for each job that ran at once; the first `most` of them."""
    places = job_lanes(build)
    depth = max((place.depth for place in places), default=0)
    high = 18 + 4 * min(depth, 4)
    scale = (_WIDTH - 20) / max(build.duration_us, 1)
    parts = []
    for place, target in list(zip(places, build.targets, strict=True))[:most]:
        x, wide = 10 + target.start_us * scale, max((target.end_us - target.start_us) * scale, 0.7)
        y = 4 + place.lane * (high + 4) + 4 * min(place.depth, 4)
        name = printable(target.name)
        took = duration((target.end_us - target.start_us + 500) // 1_000)
        failed = f", exit status {target.status}" if target.status else ""
        text = _cut(name, int(wide / _LETTER) - 1) if wide > 5 * _LETTER else ""
        parts.append(
            Markup(
                '<g><title>{}: {}{}</title><rect class="span {}" x="{}" y="{}" width="{}" height="18"/>'
                '<text x="{}" y="{}">{}</text></g>'
            ).format(
                name,
                took,
                failed,
                "failed" if target.status else f"c{target.make % COLOURS}",
                _number(x),
                y,
                _number(wide),
                _number(x + 4),
                y + 13,
                text,
            )
        )
    bottom = 4 + (max((place.lane for place in places), default=0) + 1) * (high + 4)
    for part in range(5):
        x = 10 + part / 4 * (_WIDTH - 20)
        anchor = "start" if not part else "end" if part == 4 else "middle"
        parts.append(
            Markup('<text class="axis" text-anchor="{}" x="{}" y="{}">{}</text>').format(
                anchor, _number(x), bottom + 14, duration(build.duration_us * part // 4_000)
            )
        )
    return _svg(parts, bottom + 20, label)


def _grid(top: float, shown: Callable[[float], str]) -> Markup:
    parts = []
    for part in range(5):
        y = _number(_HEIGHT - _BOTTOM - part / 4 * (_HEIGHT - _TOP - _BOTTOM))
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="label" x="{}" y="{}">{}</text>'
            ).format(_LEFT, _WIDTH - 5, y, y, _LEFT - 6, float(y) + 4, shown(top * part / 4))
        )
    return Markup("").join(parts)


def _below(x: float, text: str) -> Markup:
    return Markup('<text class="axis" text-anchor="middle" x="{}" y="{}">{}</text>').format(
        _number(x), _HEIGHT - 6, text
    )


def _svg(parts: Sequence[Markup], height: float, label: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _number(height), printable(label), Markup("").join(parts)
    )


def _cut(text: str, most: int) -> str:
    text = printable(text)
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
