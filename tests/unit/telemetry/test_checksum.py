from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from auditd.telemetry.checksum import crc32_combine


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
def test_it_is_the_checksum_of_the_whole(first: bytes, second: bytes) -> None:
    whole = crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second))
    assert whole == zlib.crc32(first + second)


def test_it_holds_for_texts_of_many_megabytes() -> None:
    first, second = b"a" * 1000, b"bc" * 5_000_001
    whole = crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second))
    assert whole == zlib.crc32(first + second)
