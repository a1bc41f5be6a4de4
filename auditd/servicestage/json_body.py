"""Decoding of a foreign JSON body at a bounded cost."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec

from auditd.audit.failure import FailureReason, PollError

T = TypeVar("T")

MAX_OBJECTS = 25_000
"""More JSON objects than this are not decoded.

A body of 8 MiB has room for 28,000 authorizations as ServiceStage writes them, but also for
600,000 tiny ones, which would take 150 MiB once they are decoded.
"""


def decode(body: bytes, kind: type[T], *, what: str) -> T:
    """`body` as `kind`; keys that `kind` does not name are skipped.

    Args:
        body: JSON, UTF-8.
        kind: A msgspec type. Its fields of type `msgspec.Raw` are not decoded yet.
        what: What was expected, for the message, for example "the list of authorizations".

    Raises:
        PollError: MALFORMED, or TOO_LARGE when there are more than MAX_OBJECTS braces. The
            message holds nothing of the body.
    """
    # Braces in texts are counted too: the limit is so far off that it does not matter. An object
    # has two of them, so most bodies are too short to have so many.
    if len(body) > 2 * MAX_OBJECTS and body.count(b"{") > MAX_OBJECTS:
        msg = f"the answer has more than {MAX_OBJECTS} objects and was not read as {what}"
        raise PollError(FailureReason.TOO_LARGE, msg)
    try:
        decoded: T = _decoder(kind).decode(body)  # type: ignore[arg-type]  # a type is hashable
    # msgspec: ValueErrors of several kinds, UnicodeDecodeError among them; too deep: the other.
    except (ValueError, RecursionError):
        raise PollError(FailureReason.MALFORMED, _malformed(body, what)) from None
    return decoded


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Kept, because to make one takes as long as to decode a list."""
    return msgspec.json.Decoder(kind)


def _malformed(body: bytes, what: str) -> str:
    if not body.strip():
        found = f"is empty and not {what}"
    elif body.lstrip()[:1] == b"<":
        found = f"is an HTML page, as a proxy or a login portal sends it, and not {what}"
    else:
        found = f"of {len(body)} bytes is not {what} as documented, or was cut short"
    return f"the answer {found}; check the endpoint and what stands before it"
