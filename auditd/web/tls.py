"""How connections are encrypted."""

from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

_OLD = frozenset({ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1})
_LOWEST_LEVEL = "@SECLEVEL=0"
"""What OpenSSL 3 wants before it speaks TLS 1.0 and 1.1, whose signatures use SHA-1."""
_REASONS = {
    "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
    "NO_START_LINE": "there is no certificate in PEM",
    "EE_KEY_TOO_SMALL": "the key is too short",
}


class TlsError(ValueError):
    """The certificates and keys cannot be used. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """All of a listener's TLS. The certificates and the key are in PEM."""

    certificate: bytes
    """The server's, followed by its chain."""
    key: bytes = field(repr=False)
    client_authority: bytes | None = None
    """Whose clients are trusted; None for the authorities that the system trusts."""
    client_certificate: ssl.VerifyMode = ssl.CERT_NONE
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] | None = None
    """For TLS 1.2 and below, by OpenSSL's names, the preferred one first; None for OpenSSL's."""
    curve: str | None = None
    """By OpenSSL's name; None for OpenSSL's. Python 3.11 can set but one."""
    is_server_choosing: bool = True
    """Whether this order of the ciphers counts, or the client's."""


def make_context(options: TlsOptions) -> ssl.SSLContext:
    """What connections are encrypted with. Blocks for a moment.

    Raises:
        TlsError: the certificate, the key or the authority cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_versions(context, options)
    _set_ciphers(context, options)
    if options.curve:
        context.set_ecdh_curve(options.curve)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        _load_chain(context, options.certificate, options.key)
    except (ssl.SSLError, OSError) as error:
        msg = f"the certificate and its key cannot be used: {_reason(error)}"
        raise TlsError(msg) from None  # the cause may quote the key
    if options.client_certificate != ssl.CERT_NONE:
        _ask_for_certificate(context, options)
    return context


def _set_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # who writes TLS10 means it
        context.minimum_version = options.lowest
        context.maximum_version = options.highest


def _set_ciphers(context: ssl.SSLContext, options: TlsOptions) -> None:
    level = [_LOWEST_LEVEL] if options.lowest in _OLD else []
    if options.ciphers:
        context.set_ciphers(":".join([*options.ciphers, *level]))
    elif options.ciphers is not None:  # only such of TLS 1.3, which need no choice
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    elif level:
        context.set_ciphers(f"DEFAULT:{_LOWEST_LEVEL}")
    if not options.is_server_choosing:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE


def _load_chain(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python reads keys from files only, so they are put into one that has no name."""
    with os.fdopen(os.memfd_create("tls"), "wb") as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=_no_password)


def _no_password() -> str:
    """OpenSSL calls this instead of asking on the terminal."""
    msg = "the key is encrypted; decrypt it"
    raise TlsError(msg)


def _ask_for_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    context.verify_mode = options.client_certificate
    context.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # an intermediate can be trusted, as in Go
    # A resumed session would be let in without looking at its certificate's end again.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    if options.client_authority is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    try:
        context.load_verify_locations(cadata=options.client_authority.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError) as error:
        msg = f"the certificates of the clients' authority cannot be used: {_reason(error)}"
        raise TlsError(msg) from None


def _reason(error: Exception) -> str:
    """Why OpenSSL gave up, without what it quotes."""
    name = getattr(error, "reason", None) or ""
    said = _REASONS.get(name) or name.lower().replace("_", " ")
    return said or "a certificate or a key in PEM is missing"


def alternative_names(peer_certificate: Mapping[str, Any]) -> frozenset[str]:
    """The subject alternative names of a certificate, as Go writes them.

    Args:
        peer_certificate: as `SSLObject.getpeercert` gives it.
    """
    names: tuple[tuple[str, str], ...] = peer_certificate.get("subjectAltName", ())
    return frozenset(_canonical(kind, name) for kind, name in names)


def _canonical(kind: str, name: str) -> str:
    if kind != "IP Address":
        return name
    try:
        return str(ip_address(name.strip()))
    except ValueError:
        return name


def common_name(peer_certificate: Mapping[str, Any]) -> str:
    """Whom a certificate is for, for people; empty when it does not say."""
    subject: tuple[tuple[tuple[str, str], ...], ...] = peer_certificate.get("subject", ())
    return next((value for names in subject for key, value in names if key == "commonName"), "")
