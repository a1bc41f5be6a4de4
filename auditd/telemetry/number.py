"""Numbers as prometheus_client writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.utils import floatToGoString

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = range(10**9, 2**33)
"""Seconds since the epoch, from September 2001 to March 2242, of ten digits each. Floats lie so
close there that six decimals are always the shortest that give one back."""


def number_text(value: float) -> str:
    """A value as both formats take it."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # it has no annotations


def instant_text(at: datetime) -> str:
    """Seconds since the epoch, exact to the microsecond; the same text as of `at.timestamp()`.

    Four times as fast as the way over a float, and lists are full of instants.
    """
    since = at - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if seconds not in _EXACT:
        return number_text(at.timestamp())
    digits = f"{seconds}{since.microseconds:06d}".rstrip("0")
    return f"{digits[0]}.{digits[1:]}e+09" if len(digits) > 1 else f"{digits}e+09"
