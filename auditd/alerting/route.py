"""Where alerts go: the tree of routes.

Source: https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from auditd.alerting.matcher import Matcher, match_all, quoted
from auditd.alerting.mute import TimeInterval

_ValueT = TypeVar("_ValueT")

ALL_LABELS = "..."
"""In `group_by`: every label, so that each alert is a group of its own."""


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree as it is configured. None is what the parent has."""

    hook: str | None = None
    group_by: tuple[str, ...] | None = None
    """Alerts that agree in these labels are told of together; '...' is all labels."""
    group_wait: timedelta | None = None
    group_interval: timedelta | None = None
    repeat_interval: timedelta | None = None
    matchers: tuple[Matcher, ...] = ()
    """Alerts that fit all of these take this route."""
    continue_: bool = False
    """Whether the routes after this one are tried too."""
    mute_time_intervals: tuple[str, ...] = ()
    """Nothing is told during any of these. Not inherited, as in Alertmanager."""
    active_time_intervals: tuple[str, ...] = ()
    """When given, nothing is told outside of all of these. Not inherited either."""
    routes: tuple[Route, ...] = ()
    """Tried in order; the first that fits is taken."""


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """What holds for the alerts that end up at a route."""

    hook: str
    group_by: frozenset[str] = frozenset()
    group_wait: timedelta = timedelta(seconds=30)
    """How long a new group waits for more of its kind."""
    group_interval: timedelta = timedelta(minutes=5)
    """How long a group waits before it tells of a change."""
    repeat_interval: timedelta = timedelta(hours=4)
    """How long a group waits before it tells the same again."""
    muted: tuple[TimeInterval, ...] = ()
    active: tuple[TimeInterval, ...] = ()

    def is_active(self, now: datetime) -> bool:
        """Whether things are told now."""
        is_muted = any(interval.contains(now) for interval in self.muted)
        is_on_duty = not self.active or any(interval.contains(now) for interval in self.active)
        return is_on_duty and not is_muted

    def group_labels(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Those by which alerts are grouped; what an alert does not have is left out."""
        return {
            name: labels[name]
            for name in sorted(labels)
            if name in self.group_by or ALL_LABELS in self.group_by
        }


@dataclass(frozen=True, slots=True)
class Assignment:
    """The group of one route that an alert belongs to."""

    route_id: str
    group_key: str
    group_labels: Mapping[str, str]
    settings: RouteSettings


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A route with all that it inherited.

    `id` is made of the hooks and matchers from the root down to here. So it outlives reloads,
    wherever in the file the route is, and another hook never takes over what this one was told.
    """

    id: str
    settings: RouteSettings
    matchers: tuple[Matcher, ...]
    continue_: bool
    children: tuple[RouteNode, ...]

    def assign(self, labels: Mapping[str, str]) -> tuple[Assignment, ...]:
        """Every group that an alert with these labels belongs to, in the order of the tree."""
        return tuple(_assignment(node, labels) for node in _takers(self, labels))

    def settings_of(self, route_id: str) -> RouteSettings:
        """Of the route with this id; if it is gone, this node's own.

        A group whose route is gone has only ends left to tell.
        """
        found = (node.settings for node in _descent(self) if node.id == route_id)
        return next(found, self.settings)


def build_tree(root: Route, time_intervals: Iterable[TimeInterval] = ()) -> RouteNode:
    """The tree with everything inherited and every time interval found.

    Raises:
        ValueError: the root has no hook.
        KeyError: a route names a time interval that is not among `time_intervals`.
    """
    if root.hook is None:
        msg = "the root of the routes needs a hook: it takes every alert"
        raise ValueError(msg)
    known = {interval.name: interval for interval in time_intervals}
    settings = _inherit(root, RouteSettings(root.hook), known)
    return _node(root, _segment(root, settings), settings, known)


def _takers(node: RouteNode, labels: Mapping[str, str]) -> tuple[RouteNode, ...]:
    if not match_all(node.matchers, labels):
        return ()
    takers: tuple[RouteNode, ...] = ()
    for child in node.children:
        found = _takers(child, labels)
        takers += found
        if found and not child.continue_:
            break
    return takers or (node,)


def _descent(node: RouteNode) -> Iterator[RouteNode]:
    yield node
    for child in node.children:
        yield from _descent(child)


def _node(
    route: Route, route_id: str, settings: RouteSettings, known: Mapping[str, TimeInterval]
) -> RouteNode:
    children = []
    seen: Counter[str] = Counter()
    for child in route.routes:
        child_settings = _inherit(child, settings, known)
        segment = _segment(child, child_settings)
        seen[segment] += 1
        twin = f"#{seen[segment]}" if seen[segment] > 1 else ""
        children.append(_node(child, f"{route_id}/{segment}{twin}", child_settings, known))
    return RouteNode(route_id, settings, route.matchers, route.continue_, tuple(children))


def _inherit(
    route: Route, parent: RouteSettings, known: Mapping[str, TimeInterval]
) -> RouteSettings:
    return RouteSettings(
        hook=_given(route.hook, parent.hook),
        group_by=parent.group_by if route.group_by is None else frozenset(route.group_by),
        group_wait=_given(route.group_wait, parent.group_wait),
        group_interval=_given(route.group_interval, parent.group_interval),
        repeat_interval=_given(route.repeat_interval, parent.repeat_interval),
        muted=tuple(known[name] for name in route.mute_time_intervals),
        active=tuple(known[name] for name in route.active_time_intervals),
    )


def _given(own: _ValueT | None, inherited: _ValueT) -> _ValueT:
    return inherited if own is None else own


def _segment(route: Route, settings: RouteSettings) -> str:
    return f"{settings.hook}{{{','.join(str(matcher) for matcher in sorted(route.matchers))}}}"


def _assignment(node: RouteNode, labels: Mapping[str, str]) -> Assignment:
    group_labels = node.settings.group_labels(labels)
    text = ",".join(f"{name}={quoted(value)}" for name, value in group_labels.items())
    return Assignment(node.id, f"{node.id}:{{{text}}}", group_labels, node.settings)
