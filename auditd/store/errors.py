"""What goes wrong between us and the database.

StoreError                  the message says what, where and what to do
  StoreUnavailableError     the store cannot be opened
    StoreHeldError          pid: another daemon has it
  StoreWriteError           reason: the closed set; nothing of the transaction was stored
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
    """Another program has locked the file."""
    INTERNAL = "internal"


_EXPLANATIONS = {
    StoreFault.FULL: "the disk is full; free space on it",
    StoreFault.READ_ONLY: "the file or its disk is read-only; mount or make it writable",
    StoreFault.IO: "the disk answered with an I/O error; look at the kernel's log",
    StoreFault.DAMAGED: "the file is damaged; restart the daemon, which restores the last backup",
    StoreFault.BUSY: "another program has locked the file; find it with `fuser` and end it",
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


class StoreReadError(StoreError):
    """What is stored cannot be read."""

    def __init__(self, reason: StoreFault, path: str) -> None:
        super().__init__(f"the state in {path} cannot be read: {_EXPLANATIONS[reason]}")
        self.reason = reason


class StoreConflictError(StoreError):
    """What was asked does not fit what is stored; nothing was changed."""
