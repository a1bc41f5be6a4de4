"""When the configuration is read again, and what is told of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NoReturn, Protocol

from structlog.typing import FilteringBoundLogger

from auditd.audit.rhythm import until_beat
from auditd.config.problem import ConfigError
from auditd.config.settings import Settings
from auditd.daemon.changeover import Changed, Changeover
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.loader import Loader
from auditd.telemetry import names

LOOK_SECONDS = 5.0
"""How often the files are looked at."""
SETTLE_SECONDS = 1.0
"""Files that change count once they stayed the same for so long: somebody may be writing them."""
_MOST_LOOKS = 30
"""A file that never stays the same is taken as it is after so many seconds."""
RETRY_SECONDS = 60.0
"""After a refusal: what was missing, such as the file of a secret, may have come since."""

_STOPS = "the daemon stops"

_log = logging.getLogger(__name__)


class OnTried(Protocol):
    """Told when a reload ended."""

    def __call__(self, at: datetime, *, successful: bool) -> None:
        """Returns at once."""


class Reloader:
    """Goes by the configuration as it is on disk: when asked, on a hangup, when files change.

    There is one reload at a time. All who ask while one is under way get the one after it.

    Args:
        loader: reads the configuration.
        changeover: puts it into use.
        hangup: set whenever somebody outside wants a reload.
        logger: where it is told.
        on_trying: told when a reload begins.
        on_tried: told when a reload ended, and whether it succeeded.
        record: enters a success into the trail: the file, and what changed in figures.
        loaded_at: when the configuration that is in use was loaded.
        now: the wall clock.
    """

    def __init__(
        self,
        loader: Loader,
        changeover: Changeover,
        *,
        hangup: asyncio.Event,
        logger: FilteringBoundLogger,
        on_trying: Callable[[], None],
        on_tried: OnTried,
        record: Callable[[str, Mapping[str, str]], Awaitable[None]],
        loaded_at: datetime,
        now: Callable[[], datetime],
    ) -> None:
        self.loaded_at = loaded_at
        self.error = ""
        """Why the last reload was refused; empty when it was not."""
        self.file = loader.file
        self._loader = loader
        self._changeover = changeover
        self._hangup = hangup
        self._logger = logger
        self._on_trying = on_trying
        self._on_tried = on_tried
        self._record = record
        self._now = now
        self._asked = asyncio.Event()
        self._next: asyncio.Future[str] | None = None
        self._is_loud = False
        self._is_over = False

    async def reload(self, *, is_loud: bool = True) -> str:
        """Read the configuration and go by it. A caller who is cancelled stops waiting only.

        Args:
            is_loud: log a refusal even when it is for the same reason as the last one.

        Returns:
            Why it was refused, fit for people; empty when it is in use.
        """
        if self._is_over:
            return _STOPS
        self._is_loud |= is_loud
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._asked.set()
        return await asyncio.shield(self._next)

    async def run(self) -> None:
        """Reload as often as there is a reason to, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(), name="reloads")
            group.create_task(self._heed_hangups(), name="hangups")
            group.create_task(self._watch_files(), name="configuration files")

    async def _serve(self) -> NoReturn:
        answer: asyncio.Future[str] | None = None
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                answer, self._next = self._next, None
                is_loud, self._is_loud = self._is_loud, False
                changed = await self._try(is_loud=is_loud)
                _answer(answer, self.error)
                if changed:
                    await self._changeover.judge(changed.to_judge)
        finally:
            self._is_over = True
            for unanswered in (answer, self._next):
                _answer(unanswered, _STOPS)

    async def _heed_hangups(self) -> NoReturn:
        while True:
            await self._hangup.wait()
            self._hangup.clear()
            await self.reload()

    async def _watch_files(self) -> NoReturn:
        tried_at = 0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(until_beat(loop.time(), LOOK_SECONDS))
            woken_at = round(loop.time())
            has_changed = await self._has_changed()
            if has_changed or (self.error and woken_at - tried_at >= RETRY_SECONDS):
                tried_at = woken_at
                await self.reload(is_loud=has_changed)

    async def _has_changed(self) -> bool:
        """Whether other files are there; returns once they are not being written any more."""
        if await asyncio.to_thread(self._loader.files.is_current):
            return False
        for _ in range(_MOST_LOOKS):
            found = await asyncio.to_thread(self._loader.files.renewed)
            await asyncio.sleep(SETTLE_SECONDS)
            if await asyncio.to_thread(found.is_current):
                break
        return True

    async def _try(self, *, is_loud: bool) -> Changed | None:
        self._on_trying()
        try:
            settings = await asyncio.to_thread(self._loader.read)
            changed = await self._changeover.to(settings)
        except (ConfigError, UnusableSettingError) as error:
            self._reject(str(error), is_loud=is_loud)
        except Exception as error:  # noqa: BLE001 -- the old configuration must run on; it is logged
            _log.exception("a reload failed inside this program")
            kind = type(error).__name__
            self._reject(
                f"{kind} inside this program; please report it with its log", is_loud=is_loud
            )
        else:
            await self._accept(settings, changed)
            return changed
        return None

    def _reject(self, message: str, *, is_loud: bool) -> None:
        self._on_tried(self._now(), successful=False)
        if is_loud or message != self.error:
            file = str(self.file)
            self._logger.error(names.CONFIG_REJECTED, file=file, message=message)
        self.error = message

    async def _accept(self, settings: Settings, changed: Changed) -> None:
        self.error = ""
        self.loaded_at = self._now()
        self._on_tried(self.loaded_at, successful=True)
        file = str(self.file)
        self._logger.info(
            names.CONFIG_RELOADED, file=file, projects=len(settings.projects), **changed.counts
        )
        for warning in changed.warnings:
            self._logger.warning(names.CONFIG_RELOADED, warning=warning)
        await self._record(file, {name: str(count) for name, count in changed.counts.items()})


def _answer(asked: asyncio.Future[str] | None, error: str) -> None:
    if asked and not asked.done():
        asked.set_result(error)
