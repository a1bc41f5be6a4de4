"""One process at a time: the lock beside the database.

The lock is the kernel's and ends with the process, so a kill leaves nothing behind to clean up.
The file stays, because removing it would let two processes lock two files of one name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

from auditd.store.errors import StoreHeldError, StoreUnavailableError

_TRIES = 50
_PAUSE_SECONDS = 0.01
"""Between tries. A program that the last daemon was just starting holds the lock with it from its
fork to its exec, and so outlives a kill of the daemon by a moment."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of the database at `path`, with our pid in it, until the block ends.

    Blocks for half a second at most.

    Raises:
        StoreHeldError: another process, or this one, holds it already.
        StoreUnavailableError: there can be no lock there.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unavailable(lock, error) from error
    try:
        _lock(descriptor, path, lock)
        with suppress(OSError):  # on a full disk the lock holds as well without our pid in it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, lock: Path) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(_PAUSE_SECONDS)
        except OSError as error:
            raise _unavailable(lock, error) from error
        else:
            return
    text = os.pread(descriptor, 32, 0).strip()
    pid = int(text) if text.isdigit() else None
    raise StoreHeldError(str(path), pid)


def _unavailable(lock: Path, error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"cannot lock {lock}: {error.strerror}; the directory must be on a local disk and be"
        " writable for the user that runs this"
    )
