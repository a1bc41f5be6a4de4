"""A small fleet whose authorizations never rest, and everything that watches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from auditd.alerting.route import Route, build_tree
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.authorization import Listing, Status
from auditd.audit.checks import overdue, unauthenticated
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Plugin
from auditd.audit.policy import Check
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from tests.chaos.pipeline import Terms
from tests.unit.polling.fakes import FakeCloud, make_authorization, make_project

_PLUGINS: Mapping[str, Plugin[Any, Check]] = {
    "overdue": overdue.PLUGIN,
    "unauthenticated": unauthenticated.PLUGIN,
}
_STATUSES = (Status.NORMAL, Status.OVERDUE, Status.UNAUTHENTICATED)
_NAMES = ("gh-a", "gh-b", "gh-c", "gh-d")
FLAP_LIMIT = 5
"""How often an alert may fire within the window."""

_FAILS = 0.2
"""The share of polls that fail: two in a row, and the project is blind."""
_GONE = 0.1
"""The share of lists in which an authorization is missing."""


def terms(
    hooks: Iterable[str],
    *,
    projects: int = 3,
    group_wait: timedelta,
    group_interval: timedelta,
    blind_after: int = 2,
    flap_window: timedelta = timedelta(0),
) -> Terms:
    """Every hook is told of every alert, by project, and without repeats.

    Without a `flap_window` what comes and goes does not count as flapping: each time is told.
    """
    policy = build_policy(_PLUGINS, {}, blind_after)
    return Terms(
        projects=[make_project(f"p{number}") for number in range(projects)],
        policy=policy,
        rules=Rules(
            checks={check.name: CheckRule(check.description) for check in policy.checks},
            flap_limit=FLAP_LIMIT,
            flap_window=flap_window,
        ),
        tree=build_tree(
            Route(
                hook="nobody",
                group_by=("project",),
                group_wait=group_wait,
                group_interval=group_interval,
                repeat_interval=timedelta(days=365),
                routes=tuple(Route(hook=hook, continue_=True) for hook in hooks),
            )
        ),
    )


def restless_cloud(seed: float, *, times: int = 1) -> FakeCloud:
    """Each list comes so many times, then another; some polls fail. Each project has its fate.

    What comes again does so once before any poll fails.
    """
    fates: dict[str, Random] = {}
    last: dict[str, Listing] = {}
    given: Counter[str] = Counter()

    async def answer(project: Project) -> Listing:
        random = fates.setdefault(project.name, Random(f"{seed} {project.name}"))
        is_safe = times > 1 and given[project.name] < times
        if random.random() < _FAILS and not is_safe:
            raise PollError(FailureReason.SERVER, "503")
        if given[project.name] % times == 0:
            names = [name for name in _NAMES if random.random() >= _GONE]
            last[project.name] = _listing({name: random.choice(_STATUSES) for name in names})
        given[project.name] += 1
        return last[project.name]

    return FakeCloud(answer)


def flapping_cloud() -> FakeCloud:
    """Of each project one authorization is overdue in every other list; the rest is calm."""
    turns: Counter[str] = Counter()

    async def answer(project: Project) -> Listing:
        turns[project.name] += 1
        status = _STATUSES[turns[project.name] % 2]
        return _listing({"flapping": status, "steady": Status.UNAUTHENTICATED})

    return FakeCloud(answer)


def calm_cloud() -> FakeCloud:
    """Each list is the same."""
    return FakeCloud(calm)


async def calm(_: Project) -> Listing:
    """The list when all is calm: some of it fires."""
    return _listing({name: _STATUSES[place % 3] for place, name in enumerate(_NAMES)})


def _listing(statuses: Mapping[str, Status]) -> Listing:
    return Listing(tuple(make_authorization(*each) for each in statuses.items()))
