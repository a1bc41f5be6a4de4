"""Token buckets: one for a listener, or one for each source of requests."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Address, IPv6Address, ip_address

MOST_SOURCES = 10_000
_IPV6_NETWORK_BITS = 64


class Bucket:
    """Holds up to `burst` tokens, and gains one each `interval_seconds`. It starts full."""

    __slots__ = ("_at", "_burst", "_interval_seconds", "_tokens")

    def __init__(self, burst: int, interval_seconds: float, now: float) -> None:
        self._burst = burst
        self._interval_seconds = interval_seconds
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token; False when there is none. `now` is monotonic, in seconds."""
        gained = (now - self._at) / self._interval_seconds
        self._tokens = min(self._burst, self._tokens + gained)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def give_back(self) -> None:
        """Undo one `take`."""
        self._tokens = min(self._burst, self._tokens + 1)


class Sources:
    """A bucket for each source; the sources that were seen last are remembered."""

    def __init__(
        self, burst: int, interval_seconds: float, *, capacity: int = MOST_SOURCES
    ) -> None:
        self._burst = burst
        self._interval_seconds = interval_seconds
        self._capacity = capacity
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def bucket(self, source: str, now: float) -> Bucket:
        """The one of this source, new if it is not remembered."""
        bucket = self._buckets.pop(source, None)
        self._buckets[source] = bucket = bucket or Bucket(self._burst, self._interval_seconds, now)
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return bucket


def source_of(host: str) -> str:
    """Whom an address stands for: itself, or its /64 network, which is one customer's, in IPv6."""
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return address.exploded[: _IPV6_NETWORK_BITS // 4 + 3]
    return str(address)
