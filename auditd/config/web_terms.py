"""The words and values of a web configuration file.

Source: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from auditd.config.form import Check, Made, choice, scalar
from auditd.config.node import Node
from auditd.config.reading import Reading
from auditd.config.regular_file import open_regular

LONGEST_PEM_BYTES = 1024 * 1024

HIGHEST_COST = 14
"""Of a bcrypt hash: a comparison takes a second, and each step doubles that."""


class ClientAuth(StrEnum):
    """Whether a client needs a certificate."""

    NONE = "NoClientCert"
    REQUEST = "RequestClientCert"
    ANY = "RequireAnyClientCert"
    ANY_AS_BEFORE = "RequireClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


class TlsVersion(StrEnum):
    """In ascending order."""

    TLS10 = "TLS10"
    TLS11 = "TLS11"
    TLS12 = "TLS12"
    TLS13 = "TLS13"


class Curve(StrEnum):
    """Elliptic curves by their names in Go."""

    P256 = "CurveP256"
    P384 = "CurveP384"
    P521 = "CurveP521"
    X25519 = "X25519"


class CipherSuite(StrEnum):
    """What Go calls secure. Those of TLS 1.3 cannot be chosen, there or here.

    Source: https://pkg.go.dev/crypto/tls#CipherSuites
    """

    TLS13_AES_128 = "TLS_AES_128_GCM_SHA256"
    TLS13_AES_256 = "TLS_AES_256_GCM_SHA384"
    TLS13_CHACHA20 = "TLS_CHACHA20_POLY1305_SHA256"
    ECDSA_AES_128_CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
    ECDSA_AES_256_CBC = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
    RSA_AES_128_CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
    RSA_AES_256_CBC = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    ECDSA_AES_128 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    ECDSA_AES_256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    RSA_AES_128 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    RSA_AES_256 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    RSA_CHACHA20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    ECDSA_CHACHA20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"


class Header(StrEnum):
    """What may be added to answers; of a value of `ALLOWED_VALUES` one must be taken."""

    HSTS = "Strict-Transport-Security"
    CONTENT_TYPE_OPTIONS = "X-Content-Type-Options"
    FRAME_OPTIONS = "X-Frame-Options"
    XSS_PROTECTION = "X-XSS-Protection"
    CSP = "Content-Security-Policy"


ALLOWED_VALUES = {
    Header.CONTENT_TYPE_OPTIONS: ("nosniff",),
    Header.FRAME_OPTIONS: ("deny", "sameorigin"),
}

_BCRYPT = re.compile(r"\$2[abxy]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_LOWEST_COST = 4
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6}
_UNITS |= {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_TERM = r"(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)(?P<unit>ns|us|µs|μs|ms|s|m|h)"
_DURATION = re.compile(
    rf"[+-]?(?:0|(?:{_TERM.replace('?P<number>', '').replace('?P<unit>', '')})+)"
)
_LONGEST_DURATION = 40
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TRUE = frozenset({"y", "yes", "on"})
_FALSE = frozenset({"n", "no", "off"})


def _truth(node: Node) -> bool:
    """What YAML 1.1 calls a truth value: Go's reader follows that."""
    word = node.value.lower() if isinstance(node.value, str) else ""
    if word in _TRUE | _FALSE:
        return word in _TRUE
    return node.need(bool, "true or false")


def _seconds(node: Node) -> float:
    """A duration of Go, such as 1m30s or 100ms; a number alone is in nanoseconds."""
    text = node.value if isinstance(node.value, str) else ""
    if node.is_number and isinstance(node.resolved, int):
        return node.resolved / 10**9
    if len(text) > _LONGEST_DURATION or not _DURATION.fullmatch(text):
        msg = "expected a duration such as 1s or 100ms"
        raise ValueError(msg)
    terms = re.finditer(_TERM, text)
    nanoseconds = sum(Decimal(term["number"]) * _UNITS[term["unit"]] for term in terms)
    return float(nanoseconds) / 10**9 * (-1 if text.startswith("-") else 1)


def _check_hash(value: str) -> str:
    found = _BCRYPT.fullmatch(value)
    if not found:
        msg = 'expected a bcrypt hash of a password, as `htpasswd -nBC 10 ""` makes it'
        raise ValueError(msg)
    if not _LOWEST_COST <= int(found["cost"]) <= HIGHEST_COST:
        msg = (
            f"the cost of a bcrypt hash must be {_LOWEST_COST} to {HIGHEST_COST}; with a higher one"
            " each log-in would take seconds"
        )
        raise ValueError(msg)
    return value


def _check_header_value(value: str) -> str:
    if _CONTROL.search(value):
        msg = "a header cannot hold control characters"
        raise ValueError(msg)
    return re.sub(r"[\r\n]+", " ", value).strip()


def _pem_of(node: Node) -> bytes | None:
    """The content of a file; None of an empty name."""
    if not node.text():
        return None
    path = node.beside()
    try:
        with open_regular(path) as file:
            content = file.read(LONGEST_PEM_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        msg = f"the file {path} cannot be read: {reason}"
        raise ValueError(msg) from None
    if len(content) > LONGEST_PEM_BYTES:
        msg = f"the file {path} is larger than {LONGEST_PEM_BYTES // 1024} KiB"
        raise ValueError(msg)
    return content


def _client_auth_of(node: Node, reading: Reading) -> ClientAuth | None:
    """An empty text is as good as no key."""
    return None if node.value == "" else ClientAuth(choice(ClientAuth).read(node, reading))


def _inline_pem_of(node: Node) -> bytes | None:
    return node.text().encode() or None


Truth = Annotated[bool, scalar(_truth, type="boolean")]
Seconds = Annotated[float, scalar(_seconds, type="string")]
BcryptHash = Annotated[str, Check(_check_hash, {})]
HeaderValue = Annotated[str, Check(_check_header_value, {})]
PemFile = Annotated[bytes, scalar(_pem_of, type="string")]
"""A file's name, read as what the file holds; None when the name is empty."""
Pem = Annotated[bytes, scalar(_inline_pem_of, type="string")]
ClientAuthType = Annotated[ClientAuth, Made(_client_auth_of, choice(ClientAuth).schema)]
