"""How it is found out whether a commit that nobody answered took place."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, bindparam, select

from auditd.store.schema import COMMITS
from auditd.store.upsert import upsert

_TOKEN = select(COMMITS.c.token).where(COMMITS.c.writer == bindparam("by"))


class Receipts:
    """Tokens in the database, each left by a transaction in the place of the one before.

    Args:
        writer: the unique name of who writes.
    """

    def __init__(self, writer: str) -> None:
        self._writer = writer

    def leave(self, connection: Connection) -> str:
        """Leave a new token as the last statement of a transaction."""
        token = uuid4().hex
        upsert(connection, COMMITS, [{"writer": self._writer, "token": token}])
        return token

    def has(self, connection: Connection, token: str) -> bool:
        """Whether the last transaction that left a token left this one."""
        return bool(connection.execute(_TOKEN, {"by": self._writer}).scalar() == token)
