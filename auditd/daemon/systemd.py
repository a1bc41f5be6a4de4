"""Tells systemd how this process is: that it is ready, what it does, that its loop turns.

Source: sd_notify(3), sd_watchdog_enabled(3). Outside of systemd nothing is sent, and a message
that cannot be sent is lost: nothing here raises, waits or blocks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

STATUS_SECONDS = 10.0
"""How often the status line is renewed; more often when the watchdog demands it."""


class Systemd:
    """The service manager that started this process, if one did.

    Args:
        environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are looked up in it.
        pid: of this process; the watchdog of another one is not ours.
        monotonic: seconds of CLOCK_MONOTONIC, by which systemd orders reloads.
    """

    def __init__(
        self, environment: Mapping[str, str], *, pid: int, monotonic: Callable[[], float]
    ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._monotonic = monotonic
        self.watchdog_seconds = _watchdog_seconds(environment, pid) if self._address else None
        """Without a sign of life for so long the process is killed; None is for ever."""

    def ready(self) -> None:
        """The start, or a reload, is complete: it listens, and its configuration is in use."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload begins. `ready` has to follow, also when the reload fails."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1e6)}")

    def stopping(self) -> None:
        """The end begins."""
        self._send("STOPPING=1")

    async def run(self, status: Callable[[], str]) -> None:
        """Send the status, and signs of life at half of the watchdog's time, until cancelled.

        It is a task of the event loop on purpose: a loop that is blocked sends no sign of life,
        and systemd restarts the service. Returns at once outside of systemd.

        Args:
            status: one line for `systemctl status`.
        """
        if self._address:
            await self._keep_telling(status)

    async def _keep_telling(self, status: Callable[[], str]) -> NoReturn:
        pause = min(STATUS_SECONDS, (self.watchdog_seconds or 2 * STATUS_SECONDS) / 2)
        sign_of_life = "WATCHDOG=1\n" if self.watchdog_seconds else ""
        while True:
            self._send(f"{sign_of_life}STATUS={' '.join(status().split())}")
            await asyncio.sleep(pause)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A socket for each message outlives a restart of the manager.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)  # noqa: FBT003 -- the standard library's signature
            channel.sendto(message.encode(), self._address)


def status_line(*, projects: int, blind: int, firing: int) -> str:
    """What `systemctl status` shows: how many projects are watched and blind, and alerts fire."""
    return f"{_count(projects, 'project')}, {blind} blind, {_count(firing, 'alert')} firing"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _address(name: str) -> str:
    """A path, or with `@` a name in the abstract namespace; other kinds are not for us."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def _watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    text = environment.get("WATCHDOG_USEC", "")
    is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
    if not (is_ours and text.isascii() and text.isdigit() and int(text)):
        return None
    return int(text) / 1e6
