"""Text that is kept deflated, so that a scrape only has to put pieces one after the other.

Each ends at a byte and refers to nothing before it. So any sequence of them is one stream, and a
gzip body is a header, the fragments and a trailer. It is one member: curl and httpx do not read
several. Without isal the same is done by zlib, more slowly.

Source: RFC 1951, 3.2 and zlib's manual, Z_FULL_FLUSH; RFC 1952, 2.3.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

try:
    from isal import isal_zlib as codec
    from isal.isal_zlib import crc32_combine
except ImportError:
    import zlib as codec  # type: ignore[no-redef]  # the same functions

    from auditd.telemetry.checksum import crc32_combine

_LEVEL = 1
"""On metrics the higher ones take several times as long for a tenth in size."""
_RAW = -15
"""Without header and trailer, with the largest window."""
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"  # an empty one that says it is the last
_TRAILER_BYTES = 8
_STEP = 32
"""Fragments: without isal the sums of so many take a tenth of a millisecond."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text, deflated."""

    deflated: bytes
    checksum: int
    """The CRC-32 of the text."""
    size: int
    """Bytes of the text."""


def deflate(text: str) -> Fragment:
    """Keep this text, which must have a code in UTF-8."""
    data = text.encode()
    compressor = codec.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    deflated = compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Fragment(deflated, codec.crc32(data), len(data))


class Stream:
    """Fragments in a row, and what must be known of them before the first is sent."""

    def __init__(self, *, is_compressed: bool) -> None:
        self._is_compressed = is_compressed
        self._fragments: list[Fragment] = []
        self._checksum = 0
        self._text_size = 0
        self._deflated_size = len(_GZIP_HEADER) + len(_LAST_BLOCK) + _TRAILER_BYTES

    def take(self, fragments: Iterable[Fragment]) -> Iterator[None]:
        """These follow. Done in steps of much less than a millisecond."""
        for fragment in fragments:
            self._fragments.append(fragment)
            self._text_size += fragment.size
            self._deflated_size += len(fragment.deflated)
            if self._is_compressed:
                checksum, size = fragment.checksum, fragment.size
                self._checksum = crc32_combine(self._checksum, checksum, size)
            if not len(self._fragments) % _STEP:
                yield

    @property
    def size(self) -> int:
        """Bytes of all that `parts` gives."""
        return self._deflated_size if self._is_compressed else self._text_size

    def parts(self) -> Iterator[bytes]:
        """The text, or one gzip member that holds it, fragment by fragment."""
        if not self._is_compressed:
            decompressor = codec.decompressobj(_RAW)
            for fragment in self._fragments:
                yield decompressor.decompress(fragment.deflated)
            return
        yield _GZIP_HEADER
        for fragment in self._fragments:
            yield fragment.deflated
        yield _LAST_BLOCK
        yield self._checksum.to_bytes(4, "little")
        yield (self._text_size & 0xFFFFFFFF).to_bytes(4, "little")
