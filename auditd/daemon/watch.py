"""Cloud, fleet and poller out of settings: what every command that polls needs."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from auditd.audit.events import Emit, Event
from auditd.audit.project import Project
from auditd.audit.run import Policy, build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.config.discovery import Discovery, FileDiscovery, IamDiscovery
from auditd.config.project_file import ProjectFiles
from auditd.config.settings import Catalog, Settings
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.ports import Journal, ProjectSource
from auditd.servicestage.cloud import Cloud, CredentialSpec
from auditd.servicestage.directory import DiscoveredProject, IamDirectory
from auditd.servicestage.transport import Transport, TransportOptions


class UnusableSettingError(Exception):
    """What is configured cannot be used: a certificate, a hook. The message names it."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def ignore(_: Event) -> None:
    """An Emit for commands that tell what happened in their own way."""


def broadcast(*receivers: Emit) -> Emit:
    """One Emit that hands each event to all, in this order."""

    def emit(event: Event) -> None:
        for receive in receivers:
            receive(event)

    return emit


class Unkept:
    """A Journal for commands that poll once: nothing is kept and nobody is told."""

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Keep nothing."""

    def depart(self, project: str) -> None:
        """Nothing was kept."""


UNKEPT = Unkept()


def policy_of(settings: Settings, catalog: Catalog) -> Policy:
    """The checks that are enabled, with their options."""
    return build_policy(catalog.checks, settings.checks, settings.global_.blind_after)


@dataclass(frozen=True, slots=True)
class Watch:
    """The parts that see, open while the context of `open_watch` is."""

    settings: Settings
    policy: Policy
    cloud: Cloud
    fleet: Fleet
    poller: Poller
    sources: Sequence[ProjectSource]


@asynccontextmanager
async def open_watch(
    settings: Settings,
    catalog: Catalog,
    *,
    journal: Journal = UNKEPT,
    recall: Callable[[Project], ProjectSnapshot] = ProjectSnapshot,
    emit: Emit = ignore,
    on_secret: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Watch]:
    """Build the parts that see, and close what they opened.

    Raises:
        UnusableSettingError: a certificate or key file of the configuration cannot be used.
    """
    policy = policy_of(settings, catalog)
    fleet = Fleet(recall)
    async with (
        _transport(settings) as transport,
        Cloud(
            [
                CredentialSpec(given.name, catalog.credentials[given.type], given.options)
                for given in settings.credentials
            ],
            transport=transport,
            requests_per_second=settings.global_.requests_per_second,
            concurrency=settings.global_.concurrency,
            emit=emit,
            now=utc_now,
            random=random.SystemRandom(),
            on_secret=on_secret,
        ) as cloud,
    ):
        poller = Poller(
            source=cloud,
            fleet=fleet,
            policy=policy,
            journal=journal,
            emit=emit,
            now=utc_now,
            monotonic=monotonic,
        )
        sources = [_source(discovery, settings, cloud) for discovery in settings.discovery]
        yield Watch(settings, policy, cloud, fleet, poller, sources)


def _transport(settings: Settings) -> Transport:
    given = settings.global_
    options = TransportOptions(
        ca_file=given.tls_config.ca_file,
        cert_file=given.tls_config.cert_file,
        key_file=given.tls_config.key_file,
        proxy_url=given.proxy_url.reveal if given.proxy_url else None,
        proxy_from_environment=given.proxy_from_environment,
        max_body_bytes=given.body_size_limit,
    )
    try:
        return Transport(options)
    except ValueError as error:
        raise UnusableSettingError(str(error)) from error


def _source(discovery: Discovery, settings: Settings, cloud: Cloud) -> ProjectSource:
    match discovery:
        case FileDiscovery():
            return ProjectFiles(discovery, terms=settings.project_terms, environ=os.environ)
        case IamDiscovery():
            return IamDirectory(
                cloud,
                discovery.credential,
                iam_endpoint=discovery.iam_endpoint,
                refresh_interval=discovery.refresh_interval,
                include=discovery.include,
                exclude=discovery.exclude,
                template=DiscoveredProject(
                    poll_interval=discovery.poll_interval,
                    poll_timeout=discovery.poll_timeout,
                    endpoint=discovery.endpoint,
                    verify=discovery.verify,
                    labels=discovery.labels,
                ),
            )
