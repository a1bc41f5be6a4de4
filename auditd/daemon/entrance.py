"""The listeners of this daemon, and what keeps strangers out of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NoReturn

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from auditd.audit.rhythm import until_beat
from auditd.config.problem import ConfigError
from auditd.daemon.options import ServiceOptions
from auditd.daemon.web_security import ReadSecurity, WebSecurity
from auditd.telemetry import names
from auditd.web.address import Address
from auditd.web.health import Readiness, make_health_app
from auditd.web.listener import HEALTH_CONNECTIONS, Listener, listen, open_listener
from auditd.web.security import warnings_of

LOOK_SECONDS = 5.0
"""How often the file of `--web.config.file`, and all that it names, is looked at."""


class Entrance:
    """Keeps the main listener as safe as its file says now; the context is `open_entrance`'s."""

    def __init__(
        self,
        listener: Listener,
        security: WebSecurity,
        first: ReadSecurity,
        *,
        health: Sequence[Address],
        logger: FilteringBoundLogger,
    ) -> None:
        self._listener = listener
        self._security = security
        self._first = first
        self._health = health
        self._logger = logger

    @property
    def addresses(self) -> Sequence[Address]:
        """Those that were bound, those for health alone last."""
        return (*self._listener.addresses, *self._health)

    async def run(self) -> NoReturn:
        """Follow the file until cancelled. What is refused is logged, and the former goes on."""
        self._warn(self._first)
        if self._security.path is None:  # nor will there be a file: its name is an option
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(until_beat(loop.time(), LOOK_SECONDS))
            try:
                read = await self._security.refresh(self._listener)
            except ConfigError as error:
                self._reject(str(error))
                continue
            if read:
                self._logger.info(names.CONFIG_RELOADED, file=str(self._security.path))
                self._warn(read)

    def _reject(self, message: str) -> None:
        self._logger.error(names.CONFIG_REJECTED, message=message)

    def _warn(self, read: ReadSecurity) -> None:
        """Say what is doubtful about what is in force."""
        exposure = warnings_of(self._listener.addresses, read.security)
        for warning in (*read.warnings, *exposure):
            self._logger.warning(names.CONFIG_LOADED, warning=warning)


@asynccontextmanager
async def open_entrance(
    app: web.Application,
    options: ServiceOptions,
    *,
    readiness: Callable[[], Readiness],
    on_secret: Callable[[str], None],
    logger: FilteringBoundLogger,
) -> AsyncIterator[Entrance]:
    """Listen until the block ends.

    Raises:
        ConfigError: the file of the web configuration cannot be used.
        ListenError: an address cannot be listened on.
    """
    security = WebSecurity(options.web_config_file, on_secret=on_secret)
    read = await security.read()
    async with AsyncExitStack() as opened:
        listener = await opened.enter_async_context(
            open_listener(app, options.listen_addresses, read.security)
        )
        health: Sequence[Address] = ()
        if options.health_addresses:
            health = await opened.enter_async_context(
                listen(
                    make_health_app(readiness),
                    options.health_addresses,
                    most_connections=HEALTH_CONNECTIONS,
                )
            )
        yield Entrance(listener, security, read, health=health, logger=logger)
