"""Asks the recorded past what another configuration would have alerted on."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from auditd.alerting.alert import AlertState
from auditd.alerting.episode import Turn, compare, episodes
from auditd.alerting.life import Transition
from auditd.alerting.replay import LATENESS, Terms, replay
from auditd.alerting.rules import Rules
from auditd.audit.project import Project
from auditd.audit.replay import recorded_polls
from auditd.config.discovery import FileDiscovery, IamDiscovery
from auditd.config.project_file import ProjectFiles
from auditd.config.settings import Catalog, Settings
from auditd.daemon.alert_terms import policy_of, rules_of
from auditd.daemon.record import Record, Window, identity_of
from auditd.polling.agenda import phase
from auditd.report.replay import Replay
from auditd.servicestage.directory import region_of
from auditd.store.reader import Reader

_LEAD = timedelta(hours=1)
"""From how long before the window the past is judged at least."""


def replay_record(settings: Settings, catalog: Catalog, reader: Reader, window: Window) -> Replay:
    """What these settings would have alerted on, beside what was alerted on. Blocks.

    Raises:
        ConfigError: a file with projects cannot be used.
        StoreReadError: the state is damaged, or a server is away.
        ValueError: a project that is asked for is not on record.
    """
    terms = _terms(settings, catalog)
    begin = window.since - _lead(terms.rules, settings)
    record = Record(reader, begin, window)
    known = _known_projects(settings)
    undescribed = []
    projects = []
    for name in record.names:
        project = known.get(name) or _discovered(name, record.project_id(name), settings)
        if project is None:
            undescribed.append(name)
            project = _undescribed(name, record.project_id(name), settings)
        projects.append(project)
    turns = chain.from_iterable(_turns(project, record, terms, begin) for project in projects)
    would = [
        it if it.fired_since(window.since) else replace(it, fired_at=None)
        for it in episodes(turns, window.until)
        if it.span[1] >= window.since
    ]
    return Replay(
        since=window.since,
        until=window.until,
        polled_until=record.polled_until,
        projects=len(projects),
        comparisons=tuple(compare(would, record.episodes)),
        unseen=tuple(record.unseen()),
        begun_late=record.begun_late(),
        undescribed=tuple(undescribed),
    )


def next_slot(project: Project, polled_at: datetime, due: datetime) -> datetime:
    """The first slot after a poll and not before `due`, as the agenda of a daemon has them.

    A poll that was not at its slot, as the first one of a project, lets go of a slot within
    half an interval.
    """
    interval = project.poll_interval.total_seconds()
    start = phase(project.name, project.poll_interval).total_seconds()
    polled = polled_at.timestamp()
    turn = math.floor((polled - start) / interval)
    is_late = polled - start - turn * interval > (project.poll_timeout + LATENESS).total_seconds()
    is_close = start + (turn + 1) * interval - polled < interval / 2
    first = turn + 2 if is_late and is_close else turn + 1
    turn = max(first, math.ceil((due.timestamp() - start) / interval))
    return datetime.fromtimestamp(start + turn * interval, UTC)


def _terms(settings: Settings, catalog: Catalog) -> Terms:
    policy = policy_of(settings, catalog)
    rules = rules_of(settings, policy)
    # What annotations say is not asked for, and links take most of the time to make them.
    return Terms(policy, replace(rules, runbook_url="", console_url=""), next_slot)


def _lead(rules: Rules, settings: Settings) -> timedelta:
    """How long it takes until what was before is not felt any more."""
    waits = [wait for rule in rules.checks.values() for wait in (rule.for_, rule.keep_firing_for)]
    blind = settings.global_.blind_after * settings.global_.poll_interval
    return max(_LEAD, rules.flap_window, blind, *waits) + _LEAD


def _turns(project: Project, record: Record, terms: Terms, begin: datetime) -> Iterator[Turn]:
    polls = recorded_polls(record.entries(project.name), begin)
    return map(_turn, replay(project, polls, terms, record.end_of(project.name)))


def _turn(transition: Transition) -> Turn:
    alert = transition.alert
    is_firing = alert.state is AlertState.FIRING
    reason = "" if is_firing else str(alert.end_reason or "")
    return Turn(transition.at, identity_of(alert.labels), is_firing, reason)


def _known_projects(settings: Settings) -> Mapping[str, Project]:
    """Those that are written in a file."""
    found = {project.name: project for project in settings.projects}
    for discovery in settings.discovery:
        if isinstance(discovery, FileDiscovery):
            files = ProjectFiles(discovery, terms=settings.project_terms, environ=os.environ)
            for project in asyncio.run(files.projects()):
                found.setdefault(project.name, project)
    return found


def _discovered(name: str, project_id: str, settings: Settings) -> Project | None:
    """A project as IAM would have let us discover it; None when no discovery fits its name."""
    for each in settings.discovery:
        if (
            isinstance(each, IamDiscovery)
            and each.include.fullmatch(name)
            and not (each.exclude and each.exclude.fullmatch(name))
        ):
            return Project(
                name=name,
                project_id=project_id,
                region=region_of(name),
                credential=each.credential,
                poll_interval=each.poll_interval,
                poll_timeout=each.poll_timeout,
                labels=each.labels,
            )
    return None


def _undescribed(name: str, project_id: str, settings: Settings) -> Project:
    """A project of which the configuration says nothing."""
    return Project(
        name=name,
        project_id=project_id,
        region="",
        credential="",
        poll_interval=settings.project_terms.poll_interval,
        poll_timeout=settings.project_terms.poll_timeout,
    )
