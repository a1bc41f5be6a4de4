"""How one secret may stand in a text: as it is, escaped, or encoded."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

_SHORTEST_CORE = 8
"""Characters. A shorter piece of base64 occurs by chance."""


def spellings(value: str) -> frozenset[str]:
    """The value as written raw, in a Python or JSON string, in a URL, and in base64.

    In base64 also as the middle of something longer (`user:password`), where it can begin at
    any of three offsets and its outermost characters depend on its neighbours.
    """
    octets = value.encode("utf-8", "surrogatepass")
    encoded = {b64encode(octets), urlsafe_b64encode(octets)}
    cores = {
        core
        for offset in range(3)
        for core in _base64_cores(octets, offset)
        if len(core) >= _SHORTEST_CORE
    }
    return frozenset(
        {
            value,
            repr(value)[1:-1],
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            quote(octets),
            quote(octets, safe=""),
            quote_plus(octets),
            *(text.decode("ascii") for text in encoded | cores),
        }
    )


def _base64_cores(octets: bytes, offset: int) -> set[bytes]:
    """What all base64 texts have in common that hold the octets `offset` bytes after a group."""
    first = (0, 2, 3)[offset]
    last = (offset + len(octets)) * 8 // 6
    padded = b"\0" * offset + octets
    return {b64encode(padded)[first:last], urlsafe_b64encode(padded)[first:last]}
