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
from itertools import chain

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


def deflate(text: str | bytes) -> Fragment:
    """Keep this text, which is in UTF-8 or can be written in it."""
    data = text if isinstance(text, bytes) else text.encode()
    compressor = codec.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    deflated = compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Fragment(deflated, codec.crc32(data), len(data))


class Strip:
    """Fragments in a row, and what must be known of them before the first is sent.

    Once it is put together it is not changed any more, so many scrapes may send it.
    """

    __slots__ = ("checksum", "deflated_size", "fragments", "size")

    def __init__(self, fragment: Fragment | None = None) -> None:
        self.fragments: list[Fragment] = []
        self.checksum = 0
        """The CRC-32 of the text."""
        self.size = 0
        """Bytes of the text."""
        self.deflated_size = 0
        """Bytes of all that is deflated."""
        if fragment:
            self.append(fragment)

    def take(self, fragments: Iterable[Fragment]) -> Iterator[None]:
        """These follow. Done in steps of much less than a millisecond."""
        for fragment in fragments:
            self.append(fragment)
            if not len(self.fragments) % _STEP:
                yield

    def append(self, fragment: Fragment) -> None:
        """This follows."""
        self.fragments.append(fragment)
        self.checksum = crc32_combine(self.checksum, fragment.checksum, fragment.size)
        self.size += fragment.size
        self.deflated_size += len(fragment.deflated)


class Stream:
    """Strips in a row, as a scraper gets them."""

    def __init__(self, strips: Iterable[Strip], *, is_compressed: bool) -> None:
        self._strips = tuple(strips)
        self._is_compressed = is_compressed

    @property
    def size(self) -> int:
        """Bytes of all that `parts` gives."""
        if not self._is_compressed:
            return sum(strip.size for strip in self._strips)
        around = len(_GZIP_HEADER) + len(_LAST_BLOCK) + _TRAILER_BYTES
        return around + sum(strip.deflated_size for strip in self._strips)

    def parts(self) -> Iterator[bytes]:
        """The text, or one gzip member that holds it, fragment by fragment."""
        if not self._is_compressed:
            decompressor = codec.decompressobj(_RAW)
            for fragment in self._fragments():
                yield decompressor.decompress(fragment.deflated)
            return
        yield _GZIP_HEADER
        for fragment in self._fragments():
            yield fragment.deflated
        yield _LAST_BLOCK
        checksum = size = 0
        for strip in self._strips:
            checksum = crc32_combine(checksum, strip.checksum, strip.size)
            size += strip.size
        yield checksum.to_bytes(4, "little")
        yield (size & 0xFFFFFFFF).to_bytes(4, "little")

    def _fragments(self) -> Iterator[Fragment]:
        return chain.from_iterable(strip.fragments for strip in self._strips)
