"""Builds all that a configuration needs and changes nothing, or says all that cannot be built."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

from auditd.config.settings import Catalog, Settings
from auditd.daemon.alarms import AlarmsPlan, plan_alarms
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.watch import WatchPlan, ignore, plan_watch, utc_now
from auditd.hooks.port import Surroundings


def plan_both(
    watch: Callable[[], WatchPlan], alarms: Callable[[], AlarmsPlan]
) -> tuple[WatchPlan, AlarmsPlan]:
    """What both give. Blocks.

    Raises:
        UnusableSettingError: with the lines of both.
    """
    try:
        seeing = watch()
    except UnusableSettingError as error:
        try:
            alarms()
        except UnusableSettingError as other:
            msg = f"{error}\n{other}"
            raise UnusableSettingError(msg) from error
        raise
    return seeing, alarms()


def rehearse(settings: Settings, catalog: Catalog) -> None:
    """Build everything offline, as the daemon would. Blocks.

    Raises:
        UnusableSettingError: something cannot be built; there is a line for each.
    """
    offline = _Offline()
    surroundings = Surroundings(
        http=offline, now=utc_now, run_process=offline, sign=offline, emit=ignore
    )
    plan_both(
        partial(plan_watch, settings, catalog),
        partial(plan_alarms, settings, catalog, surroundings, former={}),
    )


class _Offline:
    """Whatever a hook sends by; one that is only built does not."""

    async def send(self, *_: object, **__: object) -> NoReturn:
        """See hooks' Http."""
        await self()

    async def __call__(self, *_: object, **__: object) -> NoReturn:
        """See hooks' RunProcess and Sign."""
        msg = "a hook must send nothing while it is built"
        raise AssertionError(msg)
