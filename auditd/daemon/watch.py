"""Cloud, fleet and poller out of settings: what every command that polls needs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from auditd.audit.events import Emit
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.config.file_set import digests_of
from auditd.config.settings import Catalog, GlobalSettings, Settings
from auditd.daemon.alert_terms import policy_of
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.sources import make_sources
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.ports import Journal, ProjectSource
from auditd.servicestage.clients import CredentialSpec
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.transport import Line, Transport, TransportOptions


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def ignore(_: object) -> None:
    """An Emit for commands that tell what happened in their own way."""


class Unkept:
    """A Journal for commands that poll once: nothing is kept and nobody is told."""

    def note(self, snapshot: ProjectSnapshot) -> bool:  # noqa: ARG002 -- see Journal
        """Keep nothing."""
        return True

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Keep nothing."""

    async def catch_up(self) -> None:
        """There is nobody else."""

    def depart(self, project: str) -> None:
        """Nothing was kept."""


UNKEPT = Unkept()


@dataclass(frozen=True, slots=True)
class BuiltLine:
    """The way to the cloud, with what it was built from."""

    line: Line
    given: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What of another configuration had to be built before it can be used."""

    settings: Settings
    policy: Policy
    line: BuiltLine


class Watch:
    """The parts that see, open while the context of `open_watch` is. They outlive reloads."""

    def __init__(
        self,
        plan: WatchPlan,
        catalog: Catalog,
        *,
        transport: Transport,
        cloud: Cloud,
        fleet: Fleet,
        poller: Poller,
        on_warnings: Callable[[Sequence[str]], None],
    ) -> None:
        self.cloud = cloud
        self.fleet = fleet
        self.poller = poller
        self._plan = plan
        self._catalog = catalog
        self._transport = transport
        self._on_warnings = on_warnings
        self.shares = 1
        """Replicas that share the rate of each credential."""
        self._sources = make_sources(plan.settings, cloud, on_warnings, former={})

    @property
    def settings(self) -> Settings:
        """Those in use now."""
        return self._plan.settings

    @property
    def policy(self) -> Policy:
        """The one in use now."""
        return self._plan.policy

    @property
    def sources(self) -> Sequence[ProjectSource]:
        """Where projects are found now."""
        return tuple(self._sources.values())

    def prepare(self, settings: Settings) -> WatchPlan:
        """Build what these settings need, and change nothing. Blocks; see `plan_watch`."""
        return plan_watch(settings, self._catalog, former=self._plan.line)

    def adopt(self, plan: WatchPlan) -> None:
        """Go by what was prepared from now on. The scheduler has to be told of the sources."""
        self._adopt_cloud(plan.settings)
        if plan.line is not self._plan.line:
            self._transport.adopt(plan.line.line)
        self.poller.adopt(plan.policy)
        self._sources = make_sources(
            plan.settings, self.cloud, self._on_warnings, former=self._sources
        )
        self._plan = plan

    def divide(self, shares: int) -> None:
        """So many replicas share the rate of each credential from now on, this one included."""
        if shares != self.shares:
            self.shares = shares
            self._adopt_cloud(self._plan.settings)

    def _adopt_cloud(self, settings: Settings) -> None:
        rate = settings.global_.requests_per_second / self.shares
        self.cloud.adopt(
            self.cloud.prepare(_specs(settings, self._catalog), requests_per_second=rate),
            requests_per_second=rate,
            concurrency=settings.global_.concurrency,
        )

    async def tidy(self) -> None:
        """Close what `adopt` replaced, as far as it is not in use any more."""
        await self._transport.hang_up()


@asynccontextmanager
async def open_watch(
    settings: Settings,
    catalog: Catalog,
    *,
    journal: Journal = UNKEPT,
    recall: Callable[[Project], ProjectSnapshot] = ProjectSnapshot,
    emit: Emit = ignore,
    on_secret: Callable[[str], None] = ignore,
    on_warnings: Callable[[Sequence[str]], None] = ignore,
) -> AsyncIterator[Watch]:
    """Build the parts that see, and close what they opened.

    Raises:
        UnusableSettingError: a certificate or key file of the configuration cannot be used.
    """
    plan = plan_watch(settings, catalog)
    fleet = Fleet(lambda project: poller.recalled(recall(project)))
    async with (
        Transport(plan.line.line) as transport,
        Cloud(
            _specs(settings, catalog),
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
            policy=plan.policy,
            journal=journal,
            emit=emit,
            now=utc_now,
            monotonic=monotonic,
        )
        yield Watch(
            plan,
            catalog,
            transport=transport,
            cloud=cloud,
            fleet=fleet,
            poller=poller,
            on_warnings=on_warnings,
        )


def plan_watch(
    settings: Settings, catalog: Catalog, *, former: BuiltLine | None = None
) -> WatchPlan:
    """Build what seeing needs; the very same line when neither settings nor files of it changed.

    Raises:
        UnusableSettingError: a certificate or key file cannot be used.
    """
    given = settings.global_
    made_from = (
        given.tls_config,
        given.proxy_url,
        given.proxy_from_environment,
        given.body_size_limit,
        digests_of(tls_files(settings)),
    )
    if former is None or former.given != made_from:
        try:
            former = BuiltLine(Line(_options(given)), made_from)
        except ValueError as error:
            msg = f"{settings.tls_place}: global.tls_config: {error}"
            raise UnusableSettingError(msg) from error
    return WatchPlan(settings, policy_of(settings, catalog), former)


def tls_files(settings: Settings) -> list[Path]:
    """The files that are read when the way to the cloud is built."""
    given = settings.global_.tls_config
    return [file for file in (given.ca_file, given.cert_file, given.key_file) if file]


def _specs(settings: Settings, catalog: Catalog) -> list[CredentialSpec]:
    return [
        CredentialSpec(given.name, catalog.credentials[given.type], given.options)
        for given in settings.credentials
    ]


def _options(given: GlobalSettings) -> TransportOptions:
    return TransportOptions(
        ca_file=given.tls_config.ca_file,
        cert_file=given.tls_config.cert_file,
        key_file=given.tls_config.key_file,
        proxy_url=given.proxy_url.reveal if given.proxy_url else None,
        proxy_from_environment=given.proxy_from_environment,
        max_body_bytes=given.body_size_limit,
    )
