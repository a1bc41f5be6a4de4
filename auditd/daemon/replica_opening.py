"""What a daemon needs before it can be one of several on one database."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection

from auditd.config.settings import Settings
from auditd.daemon.replica import BEAT_SECONDS, STALL_SECONDS
from auditd.engine.port import Engine
from auditd.store.address import is_server, libpq_url, parse_url
from auditd.store.errors import StoreUnavailableError


@dataclass(frozen=True, slots=True)
class Fellowship:
    """How this daemon is known to the others, and what it shares with them."""

    name: str
    """Unique, also among former processes of this one's."""
    url: str
    """Of the database, for libpq."""
    engine: Engine
    prepare: Callable[[Connection], None]
    """Makes the engine's tables."""


def make_fellowship(settings: Settings) -> Fellowship | None:
    """Only a state on a server can be shared.

    Raises:
        StoreUnavailableError: it is on a server, and a package that this takes is not installed.
    """
    url = settings.storage.url.reveal()
    if not is_server(parse_url(url)):
        return None
    queue = _queue()
    engine = queue.QueueEngine(
        libpq_url(url),
        places=settings.global_.concurrency,
        beat_seconds=BEAT_SECONDS,
        stall_seconds=STALL_SECONDS,
    )
    name = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
    return Fellowship(name, libpq_url(url), engine, queue.prepare)


def _queue() -> Any:
    """The module that needs packages which only this kind of state takes."""
    try:
        from auditd.engine import queue  # noqa: PLC0415 -- see above
    except ImportError as error:
        msg = (
            f"state on PostgreSQL needs psycopg and procrastinate ({error});"
            " pip install 'servicestage-auditd[postgres]'"
        )
        raise StoreUnavailableError(msg) from None
    return queue
