"""What a poll costs over the size of the fleet, as a picture."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 130, 50, 50
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """What one size of the fleet came to."""

    projects: int
    interval_seconds: int
    first_seconds: float
    """From the start of the first daemon until all knew every project."""
    polls_share: float
    """Of the polls that were due, those that were made."""
    daemons_us: float
    """Processor time a poll of all daemons; `server_us` of the database server."""
    server_us: float
    memory_mb: float
    """Of the largest daemon."""


_CURVES: tuple[tuple[str, str, Callable[[Point], float]], ...] = (
    ("all", "#24292f", lambda point: point.daemons_us + point.server_us),
    ("daemons", "#0969da", lambda point: point.daemons_us),
    ("PostgreSQL", "#bc4c00", lambda point: point.server_us),
)


def draw(points: Sequence[Point], replicas: int) -> str:
    """An SVG that can be read on a light and on a dark page."""
    top = _round_up(max(value(point) for point in points for _, _, value in _CURVES))
    title = f"Processor time of a poll, {replicas} replicas on one PostgreSQL"
    content = "\n".join([*_axes(points, top), *_curves(points, top)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{title}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n'
        f'<text x="{_LEFT}" y="26" font-size="16" fill="#24292f">{title}</text>\n'
        f"{content}\n</svg>\n"
    )


def _axes(points: Sequence[Point], top: float) -> Iterator[str]:
    for step in range(_STEPS + 1):
        value = top * step / _STEPS
        y = _y(value, top)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#d0d7de"/>'
        yield _text(_LEFT - 8, y + 4, f"{value:.0f} µs", "end")
    for point in points:
        x = _x(point.projects, points)
        yield _text(x, _HEIGHT - _BOTTOM + 20, f"{point.projects:,}", "middle")
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "projects", "middle")


def _curves(points: Sequence[Point], top: float) -> Iterator[str]:
    for name, colour, value in _CURVES:
        places = [(_x(point.projects, points), _y(value(point), top)) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        x, y = places[-1]
        yield _text(x + 10, y + 4, f"{name} {value(points[-1]):.0f} µs", "start", colour)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#57606a") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _x(projects: int, points: Sequence[Point]) -> float:
    """By its logarithm."""
    least, most = math.log(points[0].projects), math.log(points[-1].projects)
    share = (math.log(projects) - least) / (most - least) if most > least else 0.5
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _round_up(value: float) -> float:
    """To what divides well."""
    unit = 10.0 ** math.floor(math.log10(value)) / 2
    return float(math.ceil(value / unit) * unit)
