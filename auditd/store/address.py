"""What a storage URL names: a file or a server."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from auditd.store.errors import StoreUnavailableError

_SERVERS = frozenset({"postgres", "postgresql", "postgresql+psycopg"})


def parse_url(url: str) -> URL:
    """The parts of a URL.

    Raises:
        StoreUnavailableError: it is none. The message does not repeat it, because it can hold a
            password.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        msg = (
            "the storage URL is none; write for example sqlite:////var/lib/NAME/state.db or"
            " postgresql://USER@HOST/DATABASE"
        )
        raise StoreUnavailableError(msg) from None


def libpq_url(url: str) -> str:
    """The URL of a server as libpq takes it, password included."""
    return parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def is_server(url: URL) -> bool:
    """Whether it names a PostgreSQL server."""
    return url.drivername in _SERVERS
