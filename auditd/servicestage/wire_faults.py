"""What went wrong on the wire, in the terms of the closed set."""

from __future__ import annotations

import ssl

import aiohttp
from aiohttp.http import HttpProcessingError

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.foreign_text import cleaned

_FAULTS: tuple[tuple[tuple[type[BaseException], ...], FailureReason, str], ...] = (
    (
        (aiohttp.ConnectionTimeoutError,),
        FailureReason.TIMEOUT,
        "took no connection in time; check the endpoint, the network and the firewall",
    ),
    (
        (TimeoutError,),
        FailureReason.TIMEOUT,
        "gave no complete answer {in_time}; check the network or raise poll_timeout",
    ),
    (
        (aiohttp.ClientConnectorDNSError,),
        FailureReason.DNS,
        "has no address; check the endpoint and the name servers",
    ),
    (
        (aiohttp.ClientSSLError, ssl.SSLError),
        FailureReason.TLS,
        "could not be trusted or spoke no TLS; check ca_file, the endpoint and the clock",
    ),
    (
        (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError),
        FailureReason.CONNECT,
        "was not reached because the proxy failed or refused; check the proxy and its password",
    ),
    (
        (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, HttpProcessingError),
        FailureReason.MALFORMED,
        "sent what is no HTTP answer, or broke it off; check the endpoint and the proxy",
    ),
    (
        (aiohttp.NonHttpUrlClientError, ValueError),
        FailureReason.BAD_REQUEST,
        "cannot be asked: the endpoint, the proxy or a header's value is not valid; check them",
    ),
    (
        (aiohttp.ClientError, OSError),
        FailureReason.CONNECT,
        "refused or closed the connection; check the endpoint, the network and the firewall",
    ),
)
"""Kinds of exceptions, the reason, and what is said of the host. The first that fits counts."""

WIRE_ERRORS = tuple(kind for kinds, _, _ in _FAULTS for kind in kinds)
"""All that sending a request over the wire can raise, beside bugs of ours."""


def wire_fault(error: BaseException, host: str, *, timeout_seconds: float | None) -> PollError:
    """`error`, which is one of WIRE_ERRORS, without what it knows of the request's headers."""
    in_time = "in time" if timeout_seconds is None else f"in {timeout_seconds:g} s"
    reason, said = next(
        (reason, said) for kinds, reason, said in _FAULTS if isinstance(error, kinds)
    )
    detail = _system_message(error)
    if reason is FailureReason.CONNECT and "[SSL" in detail:
        # An alert that comes after the handshake, such as "certificate required" in TLS 1.3,
        # reaches us as the end of the connection.
        reason = FailureReason.TLS
    message = f"{host} {said.format(in_time=in_time)}"
    return PollError(reason, f"{message} ({detail})" if detail else message)


def _system_message(error: BaseException) -> str:
    """What the system or OpenSSL said, which holds addresses at most."""
    said = error.strerror if isinstance(error, OSError) else None
    return cleaned(said or "")
