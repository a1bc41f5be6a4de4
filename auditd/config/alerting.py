"""Who is told of alerts, how, and when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from auditd.alerting.mute import TimeInterval
from auditd.alerting.route import Route
from auditd.alerting.rules import Rules
from auditd.config.constraint import parse_origin
from auditd.config.form import TEXT, Check
from auditd.config.node import Node
from auditd.config.reading import Form, Reading, names_in
from auditd.config.route import ROUTE
from auditd.config.time_interval import TIME_INTERVAL

_TIMES = ("mute_time_intervals", "active_time_intervals")
_DEFAULTS = Rules(checks={})


@dataclass(frozen=True, slots=True)
class HookSettings:
    """One of `alerting.hooks`. `options` is what the plugin of this type asks for."""

    name: str
    type: str
    options: Any
    place: str = field(default="", compare=False)
    """`file:line:column` of where it begins."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """The section `alerting`. Each hook and time interval that the route names is there."""

    route: Route
    hooks: tuple[HookSettings, ...]
    time_intervals: tuple[TimeInterval, ...]
    runbook_url: str
    """The page that has a section for each alertname; empty for none."""
    console_url: str
    """The ServiceStage console of the site that the account belongs to; empty for none."""


def _link(value: str) -> str:
    if value:
        parse_origin(value)  # a query or a fragment is what alerts add to it
    return value


LINK = Check(_link, {}).on(TEXT)
"""An address that alerts carry, or empty text for none."""


def read_alerting(
    reading: Reading,
    section: Node | None,
    hook: Form[HookSettings],
    credentials: Collection[str],
) -> Alerting | None:
    """The section `alerting`, None when there is none; problems go to the reading.

    `credentials` are the names that a hook may refer to.
    """
    keys = ("route", "hooks", "time_intervals", "runbook_url", "console_url")
    if section is None or not reading.has_keys(section, keys):
        return None
    hooks = reading.named(section.child("hooks"), hook)
    for node, _ in hooks:
        if credential := node.child("credential"):
            reading.refer(credential, credentials, "credential", "credentials")
    times = reading.named(section.child("time_intervals"), TIME_INTERVAL)
    runbook_url = _read_link(reading, section.child("runbook_url"), _DEFAULTS.runbook_url)
    console_url = _read_link(reading, section.child("console_url"), _DEFAULTS.console_url)
    root = section.section("route")
    route = reading.read(root, ROUTE)
    if route is None:
        return None
    _check_root(reading, root)
    _check_references(reading, root, section)
    return Alerting(
        route=route,
        hooks=tuple(replace(hook, place=str(node.place)) for node, hook in hooks),
        time_intervals=tuple(time for _, time in times),
        runbook_url=runbook_url,
        console_url=console_url,
    )


def _read_link(reading: Reading, node: Node | None, default: str) -> str:
    link = reading.read(node, LINK) if node else None
    return default if link is None else link


def _check_root(reading: Reading, root: Node) -> None:
    hook = root.table().get("hook") or root.absent("hook")
    if hook.value is None:
        reading.complain(hook, "this key is required: the root takes every alert")
    for key in ("matchers", "continue", *_TIMES):
        if (found := root.child(key)) and found.value:
            reading.complain(found, "not possible here: the root takes every alert", key=True)


def _check_references(reading: Reading, route: Node, section: Node) -> None:
    if hook := route.child("hook"):
        reading.refer(hook, names_in(section.child("hooks")), "hook", "alerting.hooks")
    known_times = names_in(section.child("time_intervals"))
    for key in _TIMES:
        if times := route.child(key):
            for time in times.items():
                reading.refer(time, known_times, "time interval", "alerting.time_intervals")
    if routes := route.child("routes"):
        for child in routes.items():
            _check_references(reading, child, section)
