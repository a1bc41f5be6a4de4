"""The daemon, from its first log line to its last."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TextIO

from structlog.typing import FilteringBoundLogger

from auditd import __version__
from auditd.alerting.events import DeliveryDead
from auditd.audit.credential import CredentialStatus
from auditd.audit.snapshot import ProjectSnapshot
from auditd.config.load import load
from auditd.config.secret import InlineSecret
from auditd.config.settings import Catalog, Settings
from auditd.daemon.alarms import Alarms, open_alarms
from auditd.daemon.announcement import announce
from auditd.daemon.catalog import load_catalog
from auditd.daemon.office import Office
from auditd.daemon.readiness import readiness_of
from auditd.daemon.signals import Stop
from auditd.daemon.signing import CloudSigner
from auditd.daemon.watch import Watch, broadcast, open_watch, utc_now
from auditd.polling.scheduler import Scheduler
from auditd.store.errors import StoreWriteError
from auditd.store.opening import open_store
from auditd.store.state import StoredState
from auditd.store.store import Store
from auditd.telemetry import names
from auditd.telemetry.alert_log import AlertLog, Told
from auditd.telemetry.alert_metrics import AlertMetrics
from auditd.telemetry.event_log import EventLog
from auditd.telemetry.exposition import render
from auditd.telemetry.log import Format, Log, open_log
from auditd.telemetry.metrics import Metrics
from auditd.telemetry.redactor import Redactor
from auditd.web.address import Address
from auditd.web.api import make_api
from auditd.web.app import make_app
from auditd.web.guard import Guard
from auditd.web.listener import listen


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What the command line decides; all else is the configuration's."""

    config_file: Path
    listen_addresses: Sequence[Address]
    external_url: str = ""
    log_level: str = "info"
    log_format: Format | None = None
    storage_url: str | None = None


async def serve(
    options: ServiceOptions,
    stop: Stop,
    on_listening: Callable[[Sequence[Address]], None] = lambda _: None,
) -> None:
    """Run until `stop` is asked for; `on_listening` is told the bound addresses.

    Raises:
        ConfigError: the configuration is wrong.
        ListenError: an address cannot be listened on.
        StoreUnavailableError: the state is held by another daemon, or cannot be opened.
        UnusableSettingError: a certificate, a key file or a hook cannot be used.
    """
    redactor = Redactor()
    catalog = load_catalog()
    settings = load(
        options.config_file,
        catalog,
        os.environ,
        on_secret=redactor.register,
        monotonic=monotonic,
    )
    if options.storage_url:
        redactor.register(options.storage_url)
        storage = replace(settings.storage, url=InlineSecret(options.storage_url))
        settings = replace(settings, storage=storage)
    with open_log(
        _standard_error(), level=options.log_level, format=options.log_format, redactor=redactor
    ) as log:
        service = _Service(options, settings, catalog, log)
        async with AsyncExitStack() as opened:
            await service.open(opened, redactor)
            on_listening(service.listening)
            await service.run(stop)
        log.logger.info(names.DAEMON_STOPPED)


def _standard_error() -> TextIO:
    """Where the log goes; nowhere when this process was started with standard error closed."""
    return sys.stderr or Path(os.devnull).open("w", encoding="utf-8")


class _Service:
    """The parts of one running daemon."""

    def __init__(
        self, options: ServiceOptions, settings: Settings, catalog: Catalog, log: Log
    ) -> None:
        self._options = options
        self._settings = settings
        self._catalog = catalog
        self._logger: FilteringBoundLogger = log.logger
        self._alert_log = AlertLog(log.logger, monotonic=monotonic)
        self._metrics = Metrics(
            fleet=self._snapshots,
            checks=lambda: self._watch.policy.severities,
            credentials=self._credentials,
            dropped_log_lines=log.dropped_lines,
            version=__version__,
            logger=log.logger,
            max_series=settings.global_.max_series,
        )
        self._alert_metrics: AlertMetrics
        self._store: Store
        self._alarms: Alarms
        self._watch: Watch
        self._scheduler: Scheduler
        self.listening: Sequence[Address]

    async def open(self, opened: AsyncExitStack, redactor: Redactor) -> None:
        """Everything that can fail for a reason of the user's, before anything is polled."""
        state = await self._open_alarms(opened)
        emit = broadcast(EventLog(self._logger, monotonic=monotonic), self._metrics)
        self._watch = await opened.enter_async_context(
            open_watch(
                self._settings,
                self._catalog,
                journal=self._alarms.desk,
                recall=state.snapshot_of,
                emit=emit,
                on_secret=redactor.register_issued,
            )
        )
        self._scheduler = Scheduler(
            poller=self._watch.poller,
            journal=self._alarms.desk,
            fleet=self._watch.fleet,
            configured=self._settings.projects,
            sources=self._watch.sources,
            emit=emit,
            on_lag=self._metrics.loop_lag,
            on_step=self._alarms.flusher.realign,
            now=utc_now,
            monotonic=monotonic,
        )
        app = make_app(
            expose=partial(render, self._metrics.registry),
            readiness=lambda: readiness_of(self._scheduler, self._watch.fleet, self._store),
            version=__version__,
            external_url=self._options.external_url,
            routes=make_api(
                Office(self._alarms, self._store),
                Guard(self._options.listen_addresses, self._options.external_url),
                now=utc_now,
            ),
        )
        self.listening = await opened.enter_async_context(
            listen(app, self._options.listen_addresses)
        )
        self._metrics.config_loaded(utc_now(), successful=True)
        with suppress(StoreWriteError):  # readiness tells of it
            await self._store.configuration_loaded(str(self._options.config_file), {})

    async def _open_alarms(self, opened: AsyncExitStack) -> StoredState:
        storage = self._settings.storage
        self._store = await opened.enter_async_context(
            open_store(storage.url.reveal(), now=utc_now, retention=storage.retention)
        )
        self._alarms, state = await opened.enter_async_context(
            open_alarms(
                self._settings,
                self._catalog,
                self._store,
                sign=CloudSigner(lambda: self._watch.cloud),
                emit_alert=self._tell,
                emit_delivery=self._tell,
                external_url=self._options.external_url,
            )
        )
        self._alert_metrics = AlertMetrics(
            projects=lambda: [snapshot.project.name for snapshot in self._snapshots()],
            alertnames=lambda: self._watch.policy.alertnames,
            alerts=self._alarms.board.alerts.values,
            hooks=self._alarms.hook_names,
            pending=lambda: self._alarms.deliverer.pending,
            dead=lambda: self._alarms.dead,
        )
        self._metrics.registry.register(self._alert_metrics)
        return state

    async def run(self, stop: Stop) -> None:
        """Poll, tell and serve until `stop` is asked for, or a part of this program breaks."""
        announce(
            self._logger,
            self._settings,
            config_file=self._options.config_file,
            listening=self.listening,
            opening=self._store.opening,
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._scheduler.run(), name="scheduler"),
                group.create_task(self._alarms.run(), name="alarms"),
                group.create_task(self._say_when_ready(), name="ready"),
                group.create_task(self._end_departed(), name="departed"),
            ]
            await stop.wait()
            self._logger.info(names.DAEMON_STOPPING, reason=stop.reason)
            for task in tasks:
                task.cancel()

    def _tell(self, event: Told) -> None:
        self._alert_log(event)
        self._alert_metrics(event)
        if isinstance(event, DeliveryDead):
            self._alarms.dead[event.hook] += 1

    async def _end_departed(self) -> None:
        """End the alerts of projects that left while nobody watched."""
        await self._scheduler.fleet_known.wait()
        known = {snapshot.project.name for snapshot in self._snapshots()}
        for project in self._alarms.board.projects - known:
            self._alarms.desk.depart(project)

    def _snapshots(self) -> Collection[ProjectSnapshot]:
        return self._watch.fleet.snapshots()

    def _credentials(self) -> Collection[CredentialStatus]:
        return self._watch.cloud.credential_statuses()

    async def _say_when_ready(self) -> None:
        await self._scheduler.complete.wait()
        snapshots = self._watch.fleet.snapshots()
        self._logger.info(
            names.DAEMON_READY,
            projects=len(snapshots),
            seen=sum(snapshot.is_up for snapshot in snapshots),
        )
