"""The file of --web.config.file in force: read, built, and exchanged when something changed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from auditd.config.file_set import FileSet
from auditd.config.problem import ConfigError, Problem
from auditd.config.web_config import LoadedWebConfig, TlsServerConfig, WebConfig, load_web_config
from auditd.config.web_terms import CipherSuite, ClientAuth, Curve, TlsVersion
from auditd.web.listener import Listener
from auditd.web.security import Rate, Security
from auditd.web.tls import TlsError, TlsOptions, make_context

_VERSIONS = {
    TlsVersion.TLS10: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS11: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3,
}
_CIPHERS = {
    CipherSuite.ECDSA_AES_128_CBC: "ECDHE-ECDSA-AES128-SHA",
    CipherSuite.ECDSA_AES_256_CBC: "ECDHE-ECDSA-AES256-SHA",
    CipherSuite.RSA_AES_128_CBC: "ECDHE-RSA-AES128-SHA",
    CipherSuite.RSA_AES_256_CBC: "ECDHE-RSA-AES256-SHA",
    CipherSuite.ECDSA_AES_128: "ECDHE-ECDSA-AES128-GCM-SHA256",
    CipherSuite.ECDSA_AES_256: "ECDHE-ECDSA-AES256-GCM-SHA384",
    CipherSuite.RSA_AES_128: "ECDHE-RSA-AES128-GCM-SHA256",
    CipherSuite.RSA_AES_256: "ECDHE-RSA-AES256-GCM-SHA384",
    CipherSuite.RSA_CHACHA20: "ECDHE-RSA-CHACHA20-POLY1305",
    CipherSuite.ECDSA_CHACHA20: "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Go's names and OpenSSL's. Those of TLS 1.3 cannot be chosen."""
_CURVES = {
    Curve.P256: "prime256v1",
    Curve.P384: "secp384r1",
    Curve.P521: "secp521r1",
    Curve.X25519: "X25519",
}
_CLIENTS = {
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class ReadSecurity:
    """What a listener goes by, and what is suspicious in the file."""

    security: Security
    warnings: tuple[str, ...] = ()


def read_security(
    path: Path,
    *,
    on_secret: Callable[[str], None],
    on_files: Callable[[FileSet], None] = lambda _: None,
) -> ReadSecurity:
    """Read the file, and what it names. Blocks.

    `on_secret` is told of each secret in it; `on_files` is told what was read, also when it
    cannot be used.

    Raises:
        ConfigError: it cannot be used; all that is wrong with it is in the message.
    """
    loaded = load_web_config(path, on_secret=on_secret, on_files=on_files)
    return ReadSecurity(_security_of(loaded), loaded.warnings)


class WebSecurity:
    """Follows the file, and all that it names, for one listener. Without a path all stays open.

    Args:
        path: of the file; None when there is none.
        on_secret: told of each secret, before it is used.
    """

    def __init__(self, path: Path | None, *, on_secret: Callable[[str], None]) -> None:
        self.path = path
        self._on_secret = on_secret
        self._files = FileSet()

    async def read(self) -> ReadSecurity:
        """What is in the file now.

        Raises:
            ConfigError: it cannot be used.
        """
        if self.path is None:
            return ReadSecurity(Security())
        return await asyncio.to_thread(
            read_security, self.path, on_secret=self._on_secret, on_files=self._note
        )

    async def refresh(self, listener: Listener) -> ReadSecurity | None:
        """Put in force what changed since the last `read` or `refresh`.

        Cheap when nothing changed, which gives None. To be called every few seconds; not to be
        called twice at once.

        Raises:
            ConfigError: what changed cannot be used, and the listener goes on as it was. It is
                said once: the next call tries only what changed again.
        """
        if await asyncio.to_thread(self._files.is_current):
            return None
        read = await self.read()
        listener.reload(read.security)
        return read

    def _note(self, files: FileSet) -> None:
        self._files = files


def _security_of(loaded: LoadedWebConfig) -> Security:
    config = loaded.config
    http, tls = config.http_server_config, config.tls
    headers = (http.headers if http else None) or {}
    sans = tls.client_allowed_sans if tls else None
    try:
        context = make_context(_tls_options(tls)) if tls else None
    except TlsError as error:
        problem = Problem(loaded.tls_place, "tls_server_config", str(error))
        raise ConfigError([problem]) from error
    return Security(
        context=context,
        allowed_names=None if sans is None else frozenset(sans),
        users=config.basic_auth_users or {},
        headers={name.value: value for name, value in headers.items() if value},
        rate=_rate_of(config),
    )


def _rate_of(config: WebConfig) -> Rate | None:
    limit = config.rate_limit
    if limit is None or not limit.interval or limit.interval < 0:
        return None
    return Rate(limit.interval, limit.burst or 0)


def _tls_options(tls: TlsServerConfig) -> TlsOptions:
    lowest, highest = tls.versions
    suites, curves = tls.cipher_suites, tls.curve_preferences
    return TlsOptions(
        certificate=tls.certificate or b"",
        key=tls.private_key or b"",
        client_authority=tls.client_authority,
        client_certificate=_CLIENTS.get(tls.client_auth_type or ClientAuth.NONE, ssl.CERT_NONE),
        lowest=_VERSIONS[lowest],
        highest=_VERSIONS[highest],
        ciphers=tuple(_CIPHERS[suite] for suite in suites if suite in _CIPHERS) if suites else None,
        curve=_CURVES[curves[0]] if curves else None,
        is_server_choosing=tls.prefer_server_cipher_suites is not False,
    )
