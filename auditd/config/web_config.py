"""The file of --web.config.file: TLS, users, headers and a rate limit, as Prometheus knows it.

It has the keys and the meaning of the exporter-toolkit's. What that accepts is accepted, with the
exceptions that docs/decisions names; what it accepts without effect is told of in a warning.

Source: https://github.com/prometheus/exporter-toolkit/blob/master/web/tls_config.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditd.config.file_set import FileSet
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.reading import Reading
from auditd.config.record import Record
from auditd.config.source import Source
from auditd.config.web_terms import (
    ALLOWED_VALUES,
    BcryptHash,
    CipherSuite,
    ClientAuth,
    ClientAuthType,
    Curve,
    Header,
    HeaderValue,
    Pem,
    PemFile,
    Seconds,
    TlsVersion,
    Truth,
)

_UNSUPPORTED = frozenset({ClientAuth.REQUEST, ClientAuth.ANY, ClientAuth.ANY_AS_BEFORE})
_VERIFYING = frozenset({ClientAuth.IF_GIVEN, ClientAuth.REQUIRED})
_NEEDED_FOR_HTTP2 = frozenset({CipherSuite.RSA_AES_128, CipherSuite.ECDSA_AES_128})
_FILE_KEYS = ("cert_file", "key_file", "client_ca_file")
_VERSIONS = tuple(TlsVersion)


@dataclass(frozen=True, kw_only=True)
class TlsServerConfig:
    """How connections are encrypted. Of a file's key and its inline sibling the file counts."""

    cert: Pem | None = field(default=None, repr=False)
    key: Pem | None = field(default=None, repr=False)
    client_ca: Pem | None = field(default=None, repr=False)
    cert_file: PemFile | None = field(default=None, repr=False)
    key_file: PemFile | None = field(default=None, repr=False)
    client_ca_file: PemFile | None = field(default=None, repr=False)
    client_auth_type: ClientAuthType | None = None
    client_allowed_sans: tuple[str, ...] | None = None
    """None lets every certificate pass, an empty list none."""
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None
    cipher_suites: tuple[CipherSuite, ...] | None = None
    curve_preferences: tuple[Curve, ...] | None = None
    prefer_server_cipher_suites: Truth | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether connections are encrypted at all."""
        pems = (self.certificate, self.private_key, self.client_authority)
        return any(pems) or bool(self.client_auth_type)

    @property
    def certificate(self) -> bytes | None:
        """The server's, with its chain, in PEM."""
        return self.cert_file or self.cert

    @property
    def private_key(self) -> bytes | None:
        """In PEM."""
        return self.key_file or self.key

    @property
    def client_authority(self) -> bytes | None:
        """Whose clients are trusted, in PEM."""
        return self.client_ca_file or self.client_ca

    @property
    def versions(self) -> tuple[TlsVersion, TlsVersion]:
        """The lowest and the highest."""
        return self.min_version or TlsVersion.TLS12, self.max_version or TlsVersion.TLS13

    def __post_init__(self) -> None:
        if self.is_enabled and (fault := self._server_fault() or self._client_fault()):
            raise ValueError(fault)

    def _server_fault(self) -> str:
        """What makes these keys useless together."""
        lowest, highest = self.versions
        if not self.certificate:
            return "missing one of cert or cert_file"
        if not self.private_key:
            return "missing one of key or key_file"
        if _VERSIONS.index(lowest) > _VERSIONS.index(highest):
            return f"min_version ({lowest}) is above max_version ({highest})"
        return ""

    def _client_fault(self) -> str:
        auth = self.client_auth_type or ClientAuth.NONE
        if auth in _UNSUPPORTED:
            return (
                f"client_auth_type {auth.value} asks for certificates without verifying them, which"
                f" is not supported here; use {ClientAuth.REQUIRED.value}, or"
                f" {ClientAuth.IF_GIVEN.value}"
            )
        if self.client_authority and auth is ClientAuth.NONE:
            return (
                "client CAs without a policy for clients; add client_auth_type:"
                f" {ClientAuth.REQUIRED.value}"
            )
        if self.client_allowed_sans is not None and auth is not ClientAuth.REQUIRED:
            return f"client_allowed_sans needs client_auth_type: {ClientAuth.REQUIRED.value}"
        return ""


@dataclass(frozen=True, kw_only=True)
class HttpServerConfig:
    """How answers are sent."""

    http2: Truth | None = None
    """Has no effect: HTTP/1.1 is spoken."""
    headers: Mapping[Header, HeaderValue | None] | None = None

    def __post_init__(self) -> None:
        for header, allowed in ALLOWED_VALUES.items():
            if header in (self.headers or {}) and (self.headers or {})[header] not in allowed:
                msg = f"headers.{header}: expected {' or '.join(allowed)}"
                raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Of all requests together: `burst` at once, and one more each `interval`."""

    interval: Seconds | None = None
    """Seconds; 0 or less is no limit."""
    burst: int | None = None


@dataclass(frozen=True, kw_only=True)
class WebConfig:
    """All of it. Without a section nothing of it is in force."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig | None = None
    basic_auth_users: Mapping[str, BcryptHash] | None = field(default=None, repr=False)
    rate_limit: RateLimit | None = None

    @property
    def tls(self) -> TlsServerConfig | None:
        """How connections are encrypted; None when they are not."""
        tls = self.tls_server_config
        return tls if tls and tls.is_enabled else None

    def __post_init__(self) -> None:
        tls, http = self.tls, self.http_server_config
        is_http2 = not (http and http.http2 is False)
        suites = tls.cipher_suites if tls and tls.versions[0] is not TlsVersion.TLS13 else None
        if is_http2 and suites and _NEEDED_FOR_HTTP2.isdisjoint(suites):
            needed = " or ".join(sorted(_NEEDED_FOR_HTTP2))
            msg = (
                f"tls_server_config.cipher_suites lacks {needed}, which HTTP/2 needs; add one,"
                " or set http_server_config.http2 to false"
            )
            raise ValueError(msg)


_FORM: Record[WebConfig] = Record(WebConfig)


@dataclass(frozen=True, slots=True)
class LoadedWebConfig:
    """A file's configuration, with where its TLS section stands and what is suspicious in it."""

    config: WebConfig
    tls_place: Place
    warnings: tuple[str, ...] = ()


def load_web_config(
    path: Path,
    *,
    on_secret: Callable[[str], None],
    on_files: Callable[[FileSet], None] = lambda _: None,
) -> LoadedWebConfig:
    """Read the file and the certificates and keys that it names. Blocks. A `$` has no meaning.

    `on_secret` is told of the hashes and of an inline key; `on_files` is told what was read, also
    when it cannot be used.

    Raises:
        ConfigError: it cannot be used. All problems of one pass are in it.
    """
    problems = Problems()
    source = Source(None, problems)
    root = source.read_data(path, if_empty="")
    on_files(source.file_set.joined(_named_files(root)))
    if problems:
        raise problems.error()
    place = Place(str(path))
    root = root or Node({}, place, place)
    reading = Reading(problems)
    _tell_secrets(root, on_secret)
    config = reading.read(root, _FORM)
    if config is None or problems:
        raise problems.error()
    _warn(reading, root, config)
    warnings = tuple(map(str, sorted(reading.warnings)))
    return LoadedWebConfig(config, root.section("tls_server_config").place, warnings)


def _named_files(root: Node | None) -> list[Path]:
    tls = root.child("tls_server_config") if root else None
    named = (tls.child(key) for key in _FILE_KEYS) if tls else ()
    return [node.beside() for node in named if node and isinstance(node.value, str) and node.value]


def _tell_secrets(root: Node, on_secret: Callable[[str], None]) -> None:
    users = root.section("basic_auth_users").value
    for node in users.values() if isinstance(users, dict) else ():
        if isinstance(node.value, str):
            on_secret(node.value)
    key = root.section("tls_server_config").section("key").value
    for line in key.splitlines() if isinstance(key, str) else ():
        if line and not line.startswith("-----"):
            on_secret(line.strip())


def _warn(reading: Reading, root: Node, config: WebConfig) -> None:
    tls, limit = config.tls, config.rate_limit
    tls_node = root.section("tls_server_config")
    if tls_node.value and not tls:
        reading.warn(tls_node, "nothing is encrypted: cert and key are missing")
    if tls and len(tls.curve_preferences or ()) > 1:
        curves = tls_node.section("curve_preferences")
        reading.warn(curves, "only the first curve is used; clients without it are refused")
    if tls and not tls.client_authority and tls.client_auth_type in _VERIFYING:
        message = "without client_ca_file the clients of every public authority are trusted"
        reading.warn(tls_node.section("client_auth_type"), message)
    if limit and limit.interval and limit.interval > 0 and (limit.burst or 0) < 1:
        message = "without a burst of at least 1 every request is refused"
        reading.warn(root.section("rate_limit"), message)
