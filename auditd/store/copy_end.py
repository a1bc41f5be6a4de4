"""The two ends of a copy, each of which nobody else may have meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, inspect
from sqlalchemy.exc import DBAPIError

from auditd.store.address import is_server, parse_url
from auditd.store.backing import Backing
from auditd.store.backup import touch
from auditd.store.copy_rows import reading, writing
from auditd.store.errors import StoreUnavailableError
from auditd.store.lock import held
from auditd.store.migration import HEAD, revision_of, upgrade
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.preparation import unavailable
from auditd.store.reader import open_reader
from auditd.store.server import prepare_server, unreachable
from auditd.store.sqlite import SqliteBacking, sqlite_path


@contextmanager
def opened_source(url: str) -> Iterator[Backing]:
    """What is copied from, found sound, until the block ends. Nothing is changed in it.

    Raises:
        StoreHeldError: a daemon has it.
        StoreUnavailableError: there is none, it cannot be opened, or another release wrote it.
        StoreReadError: it is damaged.
    """
    address = parse_url(url)
    ground = _server(address) if is_server(address) else _file(sqlite_path(url))
    with ground as backing:
        with open_reader(url) as reader:
            reader.require_sound()
        yield backing


@contextmanager
def opened_target(url: str) -> Iterator[Backing]:
    """What is copied to, with our schema, until the block ends. It may hold something already.

    Raises:
        StoreHeldError: a daemon has it.
        StoreUnavailableError: it cannot be opened, or has another schema than ours.
        StoreReadError: it is damaged.
    """
    address = parse_url(url)
    ground = _new_server(address) if is_server(address) else _new_file(sqlite_path(url))
    with ground as backing:
        yield backing


@contextmanager
def _file(path: Path) -> Iterator[Backing]:
    if not path.exists():  # a lock of ours would be all that is there
        with open_reader(f"sqlite:///{path}"):
            pass
    with held(path):
        backing = SqliteBacking(path, is_read_only=True)
        try:
            yield backing
        finally:
            backing.writes.dispose()


@contextmanager
def _new_file(path: Path) -> Iterator[Backing]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        touch(path)
    except OSError as error:
        raise unavailable(path, error) from error
    with held(path):
        backing = SqliteBacking(path)
        try:
            with writing(backing), backing.writes.begin() as connection:
                if _is_blank(connection, backing.place):
                    upgrade(connection)
            yield backing
        finally:
            backing.writes.dispose()


@contextmanager
def _server(address: URL) -> Iterator[PostgresqlBacking]:
    backing = PostgresqlBacking(address, is_exclusive=True)
    try:
        try:
            backing.reads.connect().close()  # from now on nobody else has it
        except DBAPIError as error:
            raise unreachable(backing.place, error) from error
        yield backing
    finally:
        backing.writes.dispose()


@contextmanager
def _new_server(address: URL) -> Iterator[Backing]:
    with _server(address) as backing:
        with reading(backing), backing.reads.connect() as connection:
            is_blank = _is_blank(connection, backing.place)
        if is_blank:
            prepare_server(backing)
        yield backing


def _is_blank(connection: Connection, place: str) -> bool:
    """Whether there is no schema of ours yet. Raises StoreUnavailableError for another one."""
    try:
        revision = revision_of(connection)
    except ValueError:
        revision = ""
    if revision is None and not inspect(connection).get_table_names():
        return True
    if revision != HEAD:
        release = "an older release of this program" if revision else "another program"
        msg = f"{place} is in use by {release}; name an empty database to copy to"
        raise StoreUnavailableError(msg)
    return False
