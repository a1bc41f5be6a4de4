from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.telemetry.fragment import Fragment, Stream, Strip, deflate

TEXTS = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.just("ab\n" * 900))

WITHOUT_ISAL = """
import sys
sys.modules["isal"] = None  # an import of it fails from here on
from auditd.telemetry import fragment
assert fragment.codec.__name__ == "zlib"
texts = ("one 1.0\\n" * 500, "", "two 2.0\\n")
strips = [fragment.Strip(fragment.deflate(text)) for text in texts]
stream = fragment.Stream(strips, is_compressed=True)
sys.stdout.buffer.write(b"".join(stream.parts()))
"""


def strip_of(fragments: Iterable[Fragment]) -> Strip:
    strip = Strip()
    for _ in strip.take(fragments):
        pass
    return strip


def stream_of(fragments: Sequence[Fragment], *, is_compressed: bool, cut: int = 1) -> Stream:
    strips = strip_of(fragments[:cut]), strip_of(fragments[cut:])
    return Stream(strips, is_compressed=is_compressed)


@given(TEXTS, st.integers(0, 5))
def test_fragments_in_a_row_are_one_gzip_member(texts: list[str], cut: int) -> None:
    stream = stream_of([*map(deflate, texts)], is_compressed=True, cut=cut)
    body = b"".join(stream.parts())
    assert stream.size == len(body)
    decompressor = zlib.decompressobj(wbits=31)
    assert decompressor.decompress(body) == "".join(texts).encode()
    assert (decompressor.eof, decompressor.unused_data) == (True, b"")


@given(TEXTS)
def test_fragments_in_a_row_are_their_text(texts: list[str]) -> None:
    stream = stream_of([*map(deflate, texts)], is_compressed=False)
    body = b"".join(stream.parts())
    assert stream.size == len(body)
    assert body == "".join(texts).encode()


def test_a_fragment_needs_nothing_of_those_before_it() -> None:
    first, second = deflate("same\n" * 50), deflate("same\n" * 50)
    assert second.deflated == first.deflated
    body = b"".join(stream_of([second], is_compressed=True).parts())
    assert gzip.decompress(body) == b"same\n" * 50


def test_many_fragments_are_taken_in_steps() -> None:
    strip = Strip()
    steps = strip.take([deflate("x\n")] * 1000)
    next(steps)
    assert 0 < strip.size < 1000
    assert len(list(steps)) > 10


def test_a_body_of_more_than_4_gib_tells_its_size_as_gzip_does() -> None:
    zeros = deflate("\0" * 2**20)
    stream = stream_of([zeros] * 4097, is_compressed=True)
    *_, size = stream.parts()
    assert int.from_bytes(size, "little") == 2**20


def test_zlib_does_the_same_where_isal_is_not_installed() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_ISAL], check=True, capture_output=True)
    assert gzip.decompress(done.stdout) == b"one 1.0\n" * 500 + b"two 2.0\n"


def test_isal_is_used_where_it_is_installed() -> None:
    isal_zlib = pytest.importorskip("isal.isal_zlib")
    text = "".join(f"{number}.0\n" for number in range(5000))
    compressor = isal_zlib.compressobj(1, zlib.DEFLATED, -15)
    by_isal = compressor.compress(text.encode()) + compressor.flush(zlib.Z_FULL_FLUSH)
    assert deflate(text).deflated == by_isal
