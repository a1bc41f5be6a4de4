"""What goes wrong between us and the database.

StoreError                  the message says what, where and what to do
  StoreUnavailableError     the store cannot be opened
    StoreHeldError          pid: another daemon has it
  StoreWriteError           reason: the closed set; nothing of the transaction was stored
    StoreOutdatedError      a newer release uses the store; nothing is ever written again
  StoreReadError            reason
  StoreConflictError        what was asked does not fit what is stored
"""

from __future__ import annotations

from enum import StrEnum


class StoreFault(StrEnum):
    """The closed set of reasons for which a transaction can fail."""

    FULL = "full"
    READ_ONLY = "read_only"
    IO = "io"
    DAMAGED = "damaged"
    BUSY = "busy"
    """Another program holds what is needed."""
    UNREACHABLE = "unreachable"
    """The server is away, or the connection to it was lost."""
    INTERNAL = "internal"


_EXPLANATIONS = {
    StoreFault.FULL: "the disk is full; free space on it",
    StoreFault.READ_ONLY: (
        "it is read-only for this user; make the file, its disk or the server writable"
    ),
    StoreFault.IO: "the disk answered with an I/O error; look at the kernel's log",
    StoreFault.DAMAGED: (
        "what is there is damaged; restart the daemon, which restores the last backup of a file;"
        " a server needs one of its own"
    ),
    StoreFault.BUSY: (
        "another program holds it; end that program, which `fuser` finds for a file and"
        " pg_stat_activity on a server"
    ),
    StoreFault.UNREACHABLE: (
        "the server is away or does not answer; see that it runs and can be reached from here"
    ),
    StoreFault.INTERNAL: "the database refused the statement; please report it with the log",
}


class StoreError(Exception):
    """Anything that the store raises. The message is fit for people and holds no data."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened."""


class StoreHeldError(StoreUnavailableError):
    """Another process has the store open."""

    def __init__(self, path: str, pid: int | None) -> None:
        owner = f"the process with pid {pid}" if pid else "another process"
        super().__init__(f"the state in {path} is held by {owner}; stop it, or use another file")
        self.pid = pid
        """None when it had not said so yet."""


class StoreWriteError(StoreError):
    """Nothing of the transaction was stored. The store works again once its cause is gone."""

    def __init__(self, reason: StoreFault, path: str) -> None:
        super().__init__(f"the state in {path} cannot be written: {_EXPLANATIONS[reason]}")
        self.reason = reason


class StoreOutdatedError(StoreWriteError):
    """A newer release brought the schema up to its own while this process had the store open."""

    def __init__(self, path: str, theirs: str, ours: str) -> None:
        super().__init__(StoreFault.READ_ONLY, path)
        msg = (
            f"a newer release brought the state in {path} up to schema {theirs}, and this one"
            f" knows {ours}; run the newer release in its place"
        )
        self.args = (msg,)


class StoreReadError(StoreError):
    """What is stored cannot be read."""

    def __init__(self, reason: StoreFault, path: str) -> None:
        super().__init__(f"the state in {path} cannot be read: {_EXPLANATIONS[reason]}")
        self.reason = reason


class StoreConflictError(StoreError):
    """What was asked does not fit what is stored; nothing was changed."""
