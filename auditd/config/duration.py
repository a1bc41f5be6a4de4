"""Sizes, written as in Prometheus' configuration."""

from __future__ import annotations

import re
from typing import Any

SIZE_PATTERN = r"^([0-9]+)(B|KB|MB|GB|KiB|MiB|GiB)$"

_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_size(value: Any) -> int:
    """A number of bytes: `8MiB` (1024²), `8MB` (1000²), `512B`.

    Raises:
        ValueError: it is not one, or it is 0, or it is a terabyte and more.
    """
    match = re.fullmatch(SIZE_PATTERN, value) if isinstance(value, str) else None
    if match is None or len(match[1]) > len("1000000000"):
        msg = "expected a size such as 8MiB, 500KB or 1GiB"
        raise ValueError(msg)
    size = int(match[1]) * _SIZES[match[2]]
    if not 0 < size < 10**12:
        msg = "a size must be at least 1B and less than 1000GB"
        raise ValueError(msg)
    return size
