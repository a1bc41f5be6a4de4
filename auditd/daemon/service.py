"""The daemon, from its first log line to its last."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TextIO

from structlog.typing import FilteringBoundLogger

from auditd.alerting.alert import AlertState
from auditd.config.settings import Settings
from auditd.daemon.announcement import announce
from auditd.daemon.catalog import load_catalog
from auditd.daemon.changeover import Changeover
from auditd.daemon.entrance import Entrance, open_entrance
from auditd.daemon.free_memory import give_back
from auditd.daemon.front import Front
from auditd.daemon.garbage import keep_residents, rare_collections
from auditd.daemon.loader import Loader
from auditd.daemon.options import ServiceOptions
from auditd.daemon.parts import Parts, open_parts
from auditd.daemon.pulse import Pulse
from auditd.daemon.reloader import Reloader
from auditd.daemon.secret_watch import SecretWatch
from auditd.daemon.signals import Stop, heeding_hangups
from auditd.daemon.systemd import Systemd, status_line
from auditd.daemon.threads import brief_turns
from auditd.daemon.voices import Voices
from auditd.daemon.watch import utc_now
from auditd.store.errors import StoreOutdatedError, StoreWriteError
from auditd.telemetry import names
from auditd.telemetry.log import Log, open_log
from auditd.telemetry.redactor import Redactor
from auditd.web.address import Address
from auditd.web.feed import FLEET
from auditd.web.pages.site import load_site


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
        StoreOutdatedError: a newer release took the state over.
        UnusableSettingError: a certificate, a key file or a hook cannot be used.
    """
    redactor = Redactor()
    loader = Loader(
        options.config_file,
        load_catalog(),
        os.environ,
        on_secret=redactor.register,
        storage_url=options.storage_url,
    )
    hangup = asyncio.Event()
    with (
        rare_collections(),
        brief_turns(),
        heeding_hangups(hangup),
        open_log(
            _standard_error(), level=options.log_level, format=options.log_format, redactor=redactor
        ) as log,
    ):
        service = _Service(options, loader, loader.read(), log)
        async with AsyncExitStack() as opened:
            await service.open(opened, redactor, hangup)
            on_listening(service.listening)
            await service.run(stop)
        log.logger.info(names.DAEMON_STOPPED)
    if stop.error:
        raise stop.error


def _standard_error() -> TextIO:
    """Where the log goes; nowhere when this process was started with standard error closed."""
    return sys.stderr or Path(os.devnull).open("w", encoding="utf-8")


class _Service:
    """The parts of one running daemon. All of them outlive reloads."""

    def __init__(
        self, options: ServiceOptions, loader: Loader, settings: Settings, log: Log
    ) -> None:
        self._options = options
        self._loader = loader
        self._settings = settings
        self._logger: FilteringBoundLogger = log.logger
        self._voices = Voices(log, lambda: self._parts.watch, lambda: self._parts.alarms, settings)
        self._secrets = SecretWatch()
        self._parts: Parts
        self._reloader: Reloader
        self._entrance: Entrance
        self._systemd = Systemd(os.environ, pid=os.getpid(), monotonic=monotonic)
        self._pulse: Pulse

    @property
    def listening(self) -> Sequence[Address]:
        """The addresses that were bound."""
        return self._entrance.addresses

    async def open(self, opened: AsyncExitStack, redactor: Redactor, hangup: asyncio.Event) -> None:
        """Everything that can fail for a reason of the user's, before anything is polled."""
        self._parts = parts = await opened.enter_async_context(
            open_parts(
                self._settings,
                self._loader.catalog,
                self._voices,
                external_url=self._options.external_url,
                on_secret=redactor.register_issued,
                on_warnings=self._warn,
            )
        )
        self._reloader = Reloader(
            self._loader,
            Changeover(parts.watch, parts.alarms, parts.scheduler, on_changed=self._note),
            hangup=hangup,
            logger=self._logger,
            on_trying=self._systemd.reloading,
            on_tried=self._tried,
            record=self._enter_into_trail,
            loaded_at=utc_now(),
            now=utc_now,
        )
        front = Front(
            started_at=self._reloader.loaded_at,
            parts=parts,
            reloader=self._reloader,
            voices=self._voices,
        )
        self._pulse = Pulse(
            troubles=lambda: front.readiness().missing,
            on_sent=self._voices.metrics.heartbeat_sent,
            logger=self._logger,
            claim=parts.claim,
        )
        self._entrance = await opened.enter_async_context(
            open_entrance(
                front.application(self._options, await asyncio.to_thread(load_site)),
                self._options,
                readiness=front.readiness,
                on_secret=redactor.register,
                logger=self._logger,
            )
        )
        opened.callback(self._voices.feed.close)
        self._note(self._settings)
        self._tried(self._reloader.loaded_at, successful=True)
        await self._enter_into_trail(str(self._options.config_file), {})

    async def run(self, stop: Stop) -> None:
        """Poll, tell and serve until `stop` is asked for, or a part of this program breaks."""
        announce(
            self._logger,
            self._settings,
            config_file=self._options.config_file,
            listening=self.listening,
            opening=self._parts.store.opening,
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._parts.scheduler.run(), name="scheduler"),
                group.create_task(self._work(stop), name="polls"),
                group.create_task(self._parts.alarms.run(), name="alarms"),
                group.create_task(self._reloader.run(), name="reloader"),
                group.create_task(self._secrets.run(), name="secrets"),
                group.create_task(self._entrance.run(), name="entrance"),
                group.create_task(self._systemd.run(self._status), name="systemd"),
                group.create_task(self._pulse.run(self._parts.scheduler.complete), name="pulse"),
                group.create_task(self._say_when_ready(), name="ready"),
                group.create_task(give_back(self._parts.scheduler.complete), name="memory"),
                group.create_task(self._end_departed(), name="departed"),
            ]
            await stop.wait()
            self._systemd.stopping()
            self._logger.info(names.DAEMON_STOPPING, reason=stop.reason)
            for task in tasks:
                task.cancel()

    async def _work(self, stop: Stop) -> None:
        """Poll, as long as the state is for this release."""
        try:
            await self._parts.run()
        except* StoreOutdatedError as errors:
            stop.request("a newer release took the state over", _first(errors))

    def _note(self, settings: Settings) -> None:
        """These settings are in use now."""
        self._settings = settings
        self._secrets.add(settings.secrets)
        sources = {source.name for source in self._parts.watch.sources}
        self._voices.metrics.adopt(max_series=settings.global_.max_series, sources=sources)
        self._voices.feed.touch(FLEET)
        self._pulse.adopt(settings.heartbeat)
        self._parts.store.retention = settings.storage.retention

    def _tried(self, at: datetime, *, successful: bool) -> None:
        """The configuration was loaded, or refused."""
        self._voices.metrics.config_loaded(at, successful=successful)
        self._systemd.ready()

    def _status(self) -> str:
        """What `systemctl status` shows."""
        snapshots = self._parts.watch.fleet.snapshots()
        alerts = self._parts.alarms.board.alerts.values()
        return status_line(
            projects=len(snapshots),
            blind=len(self._parts.alarms.board.hush.blind_projects),
            firing=sum(alert.state is AlertState.FIRING for alert in alerts),
        )

    def _warn(self, warnings: Sequence[str]) -> None:
        """What is doubtful in files of projects."""
        for warning in warnings:
            self._logger.warning(names.CONFIG_LOADED, warning=warning)

    async def _enter_into_trail(self, file: str, detail: Mapping[str, str]) -> None:
        with suppress(StoreWriteError):  # readiness tells of it
            await self._parts.store.configuration_loaded(file, detail)

    async def _end_departed(self) -> None:
        """End the alerts of projects that left while nobody watched."""
        await self._parts.scheduler.fleet_known.wait()
        known = {snapshot.project.name for snapshot in self._parts.watch.fleet.snapshots()}
        for project in self._parts.alarms.board.projects - known:
            self._parts.alarms.desk.depart(project)

    async def _say_when_ready(self) -> None:
        await self._parts.scheduler.complete.wait()
        snapshots = self._parts.watch.fleet.snapshots()
        self._logger.info(
            names.DAEMON_READY,
            projects=len(snapshots),
            seen=sum(snapshot.is_up for snapshot in snapshots),
        )
        keep_residents()


def _first(error: Exception) -> Exception:
    """Of those in a group, and in groups within."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error
