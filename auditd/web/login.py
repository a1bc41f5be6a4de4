"""Whether a name and a password belong together, found out without giving anything else away.

A comparison takes bcrypt a tenth of a second or more. So there is one at a time, in a thread; a
password that was right is remembered for a while; and whoever is wrong too often is turned away
before.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from threading import BoundedSemaphore

import bcrypt

from auditd.web.rate_limit import Sources

REMEMBERED_SECONDS = 300.0
FAILURES_A_MINUTE = 10
"""Of one source."""
MOST_WAITING = 32
"""Comparisons that wait for their turn."""
_MOST_REMEMBERED = 1_000
_LONGEST_PASSWORD_BYTES = 72
"""What bcrypt looks at, here as in Go."""
_FAKE = "$2b$%02d$" + "." * 53
"""No password has this hash; comparing with it takes as long as with any other of that cost."""
_SCHEME = "basic "


class Verdict(Enum):
    """What is thought of a log-in."""

    ADMITTED = auto()
    REFUSED = auto()
    LATER = auto()
    """There were too many; nothing was compared."""


class Login:
    """Compares passwords. `close` it.

    Args:
        key: random; the passwords that are remembered are hashed with it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bcrypt")
        self._turns = BoundedSemaphore(MOST_WAITING)
        self._remembered: OrderedDict[bytes, float] = OrderedDict()
        """What was right -> until when it need not be compared again."""
        self._sources = Sources(FAILURES_A_MINUTE, 60 / FAILURES_A_MINUTE)

    def close(self) -> None:
        """Compare no more. A comparison under way ends by itself, in its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def judge(
        self, users: Mapping[str, str], source: str, name: str, password: str
    ) -> Verdict:
        """Whether this is one of the users (name -> bcrypt hash).

        Wrong, unknown and too many take the same time, whatever the name. Idempotent, except that
        failures of one `source` are counted.
        """
        now = asyncio.get_running_loop().time()
        known = users.get(name)
        secret = password.encode("utf-8", "surrogateescape")
        mark = self._mark(name, known or "", secret)
        if known and self._remembered.get(mark, now) > now:
            return Verdict.ADMITTED
        bucket = self._sources.bucket(source, now)
        if not bucket.take(now):
            return Verdict.LATER
        if not self._turns.acquire(blocking=False):
            bucket.give_back()
            return Verdict.LATER
        if not await self._compare(secret, known, highest_cost(users.values())):
            return Verdict.REFUSED
        bucket.give_back()
        self._remember(mark, now)
        return Verdict.ADMITTED

    async def _compare(self, password: bytes, known: str | None, cost: int) -> bool:
        future = self._thread.submit(is_password, password, known, cost)
        # A caller who leaves stops no comparison under way, so its turn ends with it, not before.
        future.add_done_callback(lambda _: self._turns.release())
        return await asyncio.wrap_future(future)

    def _mark(self, name: str, known: str, password: bytes) -> bytes:
        parts = (name.encode("utf-8", "surrogateescape"), known.encode(), password)
        message = b":".join(part.hex().encode() for part in parts)
        return hmac.digest(self._key, message, "sha256")

    def _remember(self, mark: bytes, now: float) -> None:
        self._remembered.pop(mark, None)
        self._remembered[mark] = now + REMEMBERED_SECONDS
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)


def is_password(password: bytes, known: str | None, cost: int) -> bool:
    """Whether a password has the hash `known`; None for an unknown user. Blocks.

    A failure always takes as long as a comparison with a hash of `cost`.
    """
    password = password[:_LONGEST_PASSWORD_BYTES]
    spent = highest_cost([known]) if known else cost
    is_right = bcrypt.checkpw(password, (known or _FAKE % cost).encode()) and known is not None
    for missing in range(spent, cost if not is_right else spent):  # 2^n + 2^n + 2^(n+1) ...
        bcrypt.checkpw(password, (_FAKE % missing).encode())
    return is_right


def highest_cost(hashes: Iterable[str]) -> int:
    """Of bcrypt hashes (`$2y$COST$…`), of which there is at least one."""
    return max(int(hashed.split("$")[2]) for hashed in hashes)


def read_basic(authorization: str) -> tuple[str, str] | None:
    """Name and password of a header `Authorization`; None when it has no such thing.

    Source: https://www.rfc-editor.org/rfc/rfc7617#section-2
    """
    if not authorization.lower().startswith(_SCHEME):
        return None
    try:
        decoded = b64decode(authorization[len(_SCHEME) :], validate=True)
    except (ValueError, binascii.Error):
        return None
    name, colon, password = decoded.decode("utf-8", "surrogateescape").partition(":")
    return (name, password) if colon else None
