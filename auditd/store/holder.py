"""Whether a daemon has the state now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from auditd.store.address import is_server, parse_url
from auditd.store.errors import StoreHeldError
from auditd.store.lock import held
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.server import unreachable
from auditd.store.sqlite import sqlite_path


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a state."""

    place: str
    """Where it is, fit for people and without a secret."""
    is_held: bool
    pid: int | None = None
    """None also when the process that has it may be on another machine."""


def holding(url: str) -> Holding:
    """Who has the state at `url` now. Blocks for a second at most, but for a server that is away.

    Raises:
        StoreUnavailableError: nobody could have a state there.
    """
    address = parse_url(url)
    return _of_server(address) if is_server(address) else _of_file(sqlite_path(url))


def _of_file(path: Path) -> Holding:
    if not path.exists():  # a lock that another user leaves there would keep the daemon out
        return Holding(str(path), is_held=False)
    try:
        with held(path):
            return Holding(str(path), is_held=False)
    except StoreHeldError as error:
        return Holding(str(path), is_held=True, pid=error.pid)


def _of_server(address: URL) -> Holding:
    backing = PostgresqlBacking(address, is_exclusive=True)
    try:
        with backing.writes.connect():
            return Holding(backing.place, is_held=False)
    except StoreHeldError:
        return Holding(backing.place, is_held=True)
    except DBAPIError as error:
        raise unreachable(backing.place, error) from error
    finally:
        backing.writes.dispose()
