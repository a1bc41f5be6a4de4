"""One request and one answer, as they go over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditd.audit.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent.

    `target` is the path, already percent-encoded, that follows `origin`; `query` holds decoded
    pairs in the order in which they are sent. `origin` is scheme, host and optional port
    (and a path prefix if the endpoint has one is part of `target`). Headers and body hold
    secrets and are not in its repr.
    """

    method: str
    origin: str
    target: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def with_header(self, name: str, value: str) -> Request:
        """The same request with one more header."""
        # dataclasses.replace takes three times as long, and each poll comes through here.
        headers = {**self.headers, name: value}
        return Request(self.method, self.origin, self.target, self.query, headers, self.body)


@quick
@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer whose body was within the limit. Headers are looked up in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def host_of(origin: str) -> str:
    """Host and port for a message, without user info."""
    return origin.rpartition("://")[2].rpartition("@")[2]
