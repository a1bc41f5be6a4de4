"""Who is told of alerts, how, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from auditd.audit.plugin import Secret
from auditd.config.constraint import NonEmpty, Origin, at_least, not_empty
from auditd.config.matcher import MATCHER
from auditd.config.node import KeyPath
from auditd.config.problem import Place
from auditd.config.reader import Reader
from auditd.config.secret_field import UrlSecret
from auditd.config.shape import Shape
from auditd.config.time_interval import TimeInterval

_SECTION: KeyPath = ("alerting",)
_Positive = Annotated[timedelta, at_least(timedelta(milliseconds=1), "must be longer than 0s")]


class Payload(StrEnum):
    """What a webhook is sent."""

    NATIVE = "native"
    ALERTMANAGER = "alertmanager"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Posts to an address."""

    url: Annotated[Secret, UrlSecret(("http", "https"))]
    """Where to post."""
    secret: tuple[Secret, ...] = ()
    """Signs what is sent (Standard Webhooks); several while one replaces another."""
    payload: Payload = Payload.NATIVE
    """The format of what is sent."""


@dataclass(frozen=True, slots=True)
class AlertmanagerOptions:
    """Posts all firing alerts to every Alertmanager of a cluster."""

    urls: Annotated[tuple[Origin, ...], AfterValidator(not_empty)]
    """The base URL of each peer."""


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """Runs a program with the alerts on its standard input."""

    command: Annotated[tuple[NonEmpty, ...], AfterValidator(not_empty)]
    """The program and its arguments; no shell is involved."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """One of `alerting.hooks`."""

    name: str
    type: str
    options: WebhookOptions | AlertmanagerOptions | ExecOptions


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree that decides where an alert goes. None is what the parent has."""

    hook: str | None = None
    """The name of one of `hooks`."""
    group_by: tuple[str, ...] | None = None
    """Labels: alerts that agree in them are told of together; '...' is all labels."""
    group_wait: timedelta | None = None
    """How long a new group waits for more of its kind."""
    group_interval: _Positive | None = None
    """How long a group waits before it tells of a change."""
    repeat_interval: _Positive | None = None
    """How long a group waits before it tells the same again."""
    matchers: tuple[MATCHER, ...] = ()
    """Alerts that fit all of these take this route."""
    continue_: bool = False
    """Whether the routes after this one are tried too."""
    mute_time_intervals: tuple[str, ...] = ()
    """Names of `time_intervals` during which nothing is sent."""
    routes: tuple[Route, ...] = ()
    """Tried in order; the first that fits is taken."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """The section `alerting`."""

    route: Route
    hooks: tuple[HookSettings, ...]
    time_intervals: tuple[TimeInterval, ...]


_NamedT = TypeVar("_NamedT", bound=HookSettings | TimeInterval)

ROUTE = Shape.of(Route)
TIME_INTERVAL = Shape.of(TimeInterval)
HOOKS: Mapping[str, Shape[HookSettings]] = {
    kind: Shape.entry(HookSettings, kind, options)
    for kind, options in (
        ("webhook", WebhookOptions),
        ("alertmanager", AlertmanagerOptions),
        ("exec", ExecOptions),
    )
}


def read_alerting(reader: Reader) -> Alerting | None:
    """The section `alerting`, None when there is none; problems go to the reader."""
    if not reader.has_keys(_SECTION, ("route", "hooks", "time_intervals")):
        return None
    hooks = _unique(reader, reader.each_kind((*_SECTION, "hooks"), HOOKS))
    time_intervals = _unique(reader, reader.each((*_SECTION, "time_intervals"), TIME_INTERVAL))
    route = reader.read((*_SECTION, "route"), ROUTE)
    if route is None:
        return None
    _check_root(reader, route)
    _check_references(reader, (*_SECTION, "route"), route)
    return Alerting(route, hooks, time_intervals)


def _unique(reader: Reader, found: list[tuple[KeyPath, _NamedT]]) -> tuple[_NamedT, ...]:
    names: dict[str, Place] = {}
    for path, item in found:
        reader.unique((*path, "name"), item.name, names, "name")
    return tuple(item for _, item in found)


def _check_root(reader: Reader, route: Route) -> None:
    path = (*_SECTION, "route")
    if route.hook is None:
        reader.complain((*path, "hook"), "this key is required: the root takes every alert")
    for key, value in (
        ("matchers", route.matchers),
        ("continue", route.continue_),
        ("mute_time_intervals", route.mute_time_intervals),
    ):
        if value:
            reader.complain((*path, key), "not possible here: the root takes every alert", key=True)


def _check_references(reader: Reader, path: KeyPath, route: Route) -> None:
    if route.hook is not None:
        reader.refer((*path, "hook"), route.hook, reader.names((*_SECTION, "hooks")), "hook")
    times = reader.names((*_SECTION, "time_intervals"))
    for position, name in enumerate(route.mute_time_intervals):
        reader.refer((*path, "mute_time_intervals", position), name, times, "time interval")
    for position, child in enumerate(route.routes):
        _check_references(reader, (*path, "routes", position), child)
