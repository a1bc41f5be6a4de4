"""How long a thread that computes may hold up the event loop.

Whoever writes state, checks a password or compiles a page does so in a thread, and only one thread
runs Python at a time. The event loop gives way at each system call, of which a probe takes six, and
then waits for that thread: 5 ms each time, if it is left as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 0.001
"""With less, threads switch so often that it shows in what they get done."""


@contextmanager
def brief_turns() -> Iterator[None]:
    """Let a thread run for no longer than a millisecond while another wants to."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(former)
