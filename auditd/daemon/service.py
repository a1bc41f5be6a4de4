"""The daemon, from its first log line to its last."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TextIO

from structlog.typing import FilteringBoundLogger

from auditd import __version__
from auditd.audit.credential import CredentialStatus
from auditd.audit.snapshot import ProjectSnapshot
from auditd.config.load import load
from auditd.config.secret import InlineSecret
from auditd.config.settings import Catalog, Settings
from auditd.daemon.catalog import load_catalog
from auditd.daemon.signals import Stop
from auditd.daemon.watch import Watch, broadcast, open_watch, utc_now
from auditd.polling.scheduler import Scheduler
from auditd.telemetry import names
from auditd.telemetry.event_log import EventLog
from auditd.telemetry.exposition import render
from auditd.telemetry.log import Format, Log, open_log
from auditd.telemetry.metrics import Metrics
from auditd.telemetry.redactor import Redactor
from auditd.telemetry.series import Checks
from auditd.web.address import Address
from auditd.web.app import Readiness, make_app
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
        UnusableFileError: a certificate or key file of the configuration cannot be used.
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
        self._metrics = Metrics(
            fleet=self._snapshots,
            checks=self._severities,
            credentials=self._credentials,
            dropped_log_lines=log.dropped_lines,
            version=__version__,
            logger=log.logger,
            max_series=settings.global_.max_series,
        )
        self._watch: Watch
        self._scheduler: Scheduler
        self.listening: Sequence[Address]

    async def open(self, opened: AsyncExitStack, redactor: Redactor) -> None:
        """Everything that can fail for a reason of the user's, before anything is polled."""
        emit = broadcast(EventLog(self._logger, monotonic=monotonic), self._metrics)
        self._watch = await opened.enter_async_context(
            open_watch(self._settings, self._catalog, emit=emit, on_secret=redactor.register_issued)
        )
        self._scheduler = Scheduler(
            poller=self._watch.poller,
            fleet=self._watch.fleet,
            configured=self._settings.projects,
            sources=self._watch.sources,
            emit=emit,
            on_lag=self._metrics.loop_lag,
            now=utc_now,
            monotonic=monotonic,
        )
        app = make_app(
            expose=partial(render, self._metrics.registry),
            readiness=self._readiness,
            version=__version__,
            external_url=self._options.external_url,
        )
        self.listening = await opened.enter_async_context(
            listen(app, self._options.listen_addresses)
        )
        self._metrics.config_loaded(utc_now(), successful=True)

    async def run(self, stop: Stop) -> None:
        """Poll and serve until `stop` is asked for, or a part of this program breaks."""
        self._say_started()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._scheduler.run(), name="scheduler"),
                group.create_task(self._say_when_ready(), name="ready"),
            ]
            await stop.wait()
            self._logger.info(names.DAEMON_STOPPING, reason=stop.reason)
            for task in tasks:
                task.cancel()

    def _snapshots(self) -> Collection[ProjectSnapshot]:
        return self._watch.fleet.snapshots()

    def _severities(self) -> Checks:
        return self._watch.policy.severities

    def _credentials(self) -> Collection[CredentialStatus]:
        return self._watch.cloud.credential_statuses()

    def _readiness(self) -> Readiness:
        missing = [
            f"discovery {source} was not read yet"
            for source in sorted(self._scheduler.unread_sources)
        ]
        if untried := self._watch.fleet.untried:
            total = len(self._watch.fleet.snapshots())
            missing.append(f"{untried} of {total} projects were not tried yet")
        return Readiness(tuple(missing))

    async def _say_when_ready(self) -> None:
        await self._scheduler.complete.wait()
        snapshots = self._watch.fleet.snapshots()
        self._logger.info(
            names.DAEMON_READY,
            projects=len(snapshots),
            seen=sum(snapshot.is_up for snapshot in snapshots),
        )

    def _say_started(self) -> None:
        self._logger.info(
            names.DAEMON_STARTED,
            version=__version__,
            python=platform.python_version(),
            pid=os.getpid(),
            listening=[str(address) for address in self.listening],
        )
        self._logger.info(
            names.CONFIG_LOADED,
            file=str(self._options.config_file),
            projects=len(self._settings.projects),
            credentials=len(self._settings.credentials),
            discoveries=len(self._settings.discovery),
        )
        for warning in self._warnings():
            self._logger.warning(names.CONFIG_LOADED, warning=warning)

    def _warnings(self) -> Sequence[str]:
        warnings = [*self._settings.warnings]
        wide = [str(address) for address in self.listening if not address.is_loopback]
        if wide:
            warnings.append(
                f"listening on {', '.join(wide)} without authentication: whoever can connect"
                " reads the metrics; prefer a loopback address behind a proxy"
            )
        if self._settings.alerting:
            warnings.append(
                "section `alerting` was checked, but this release does not send alerts:"
                " alert on its metrics with Prometheus"
            )
        if self._settings.exceptions:
            warnings.append(
                "section `exceptions` was checked, but this release does not apply it:"
                " accepted findings are still counted and logged"
            )
        return warnings
