"""Who is told of alerts, how, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from auditd.audit.plugin import Secret
from auditd.config.constraint import NOT_EMPTY, NonEmpty, Origin, PositiveDuration
from auditd.config.matcher import AlertMatcher
from auditd.config.node import Node
from auditd.config.reading import Reading, names_in
from auditd.config.record import Record, form_of
from auditd.config.secret_form import UrlSecret
from auditd.config.tagged import Tagged
from auditd.config.time_interval import TimeInterval


class Payload(StrEnum):
    """What a webhook is sent."""

    NATIVE = "native"
    ALERTMANAGER = "alertmanager"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Posts to an address."""

    url: Annotated[Secret, UrlSecret(("http://", "https://"))]
    """Where to post."""
    secret: tuple[Secret, ...] = ()
    """Signs what is sent (Standard Webhooks); several while one replaces another."""
    payload: Payload = Payload.NATIVE
    """The format of what is sent."""


@dataclass(frozen=True, slots=True)
class AlertmanagerOptions:
    """Posts all firing alerts to every Alertmanager of a cluster."""

    urls: Annotated[tuple[Origin, ...], NOT_EMPTY]
    """The base URL of each peer."""


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """Runs a program with the alerts on its standard input."""

    command: Annotated[tuple[NonEmpty, ...], NOT_EMPTY]
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
    group_interval: PositiveDuration | None = None
    """How long a group waits before it tells of a change."""
    repeat_interval: PositiveDuration | None = None
    """How long a group waits before it tells the same again."""
    matchers: tuple[AlertMatcher, ...] = ()
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


HOOK: Tagged[HookSettings] = Tagged(
    {
        kind: Record(options, kind=kind, entry=HookSettings)
        for kind, options in (
            ("webhook", WebhookOptions),
            ("alertmanager", AlertmanagerOptions),
            ("exec", ExecOptions),
        )
    }
)


def read_alerting(reading: Reading, section: Node | None) -> Alerting | None:
    """The section `alerting`, None when there is none; problems go to the reading."""
    if section is None or not reading.has_keys(section, ("route", "hooks", "time_intervals")):
        return None
    hooks = reading.named(section.child("hooks"), HOOK)
    times = reading.named(section.child("time_intervals"), form_of(TimeInterval))
    root = section.section("route")
    route: Route | None = reading.read(root, form_of(Route))
    if route is None:
        return None
    _check_root(reading, root)
    _check_references(reading, root, section)
    return Alerting(route, tuple(hook for _, hook in hooks), tuple(time for _, time in times))


def _check_root(reading: Reading, root: Node) -> None:
    hook = root.table().get("hook") or root.absent("hook")
    if hook.value is None:
        reading.complain(hook, "this key is required: the root takes every alert")
    for key in ("matchers", "continue", "mute_time_intervals"):
        if (found := root.child(key)) and found.value:
            reading.complain(found, "not possible here: the root takes every alert", key=True)


def _check_references(reading: Reading, route: Node, section: Node) -> None:
    if hook := route.child("hook"):
        reading.refer(hook, names_in(section.child("hooks")), "hook", "alerting.hooks")
    if times := route.child("mute_time_intervals"):
        for time in times.items():
            names = names_in(section.child("time_intervals"))
            reading.refer(time, names, "time interval", "alerting.time_intervals")
    if routes := route.child("routes"):
        for child in routes.items():
            _check_references(reading, child, section)
