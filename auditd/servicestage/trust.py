"""Whom we trust on the other end of a TLS connection, and who we are there."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal


def tls_context(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> ssl.SSLContext | Literal[True]:
    """Verifies the certificate and its host name; TLS 1.2 or newer.

    Without any file it is True: aiohttp's own context, made when it was imported, is the same,
    and to read the system's authorities once more takes 40 ms and a megabyte.

    Args:
        ca_file: PEM. Only these authorities are trusted; None means the system's.
        cert_file: PEM, our own certificate with its chain; None means that we show none.
        key_file: PEM, its key without a pass phrase; None when it is in `cert_file`.

    Raises:
        ValueError: a file cannot be read or used; it is named.
    """
    if not (ca_file or cert_file or key_file):
        return True
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        msg = f"ca_file {ca_file} is not a readable PEM file of certificates: {error}"
        raise ValueError(msg) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if key_file and not cert_file:
        msg = f"key_file {key_file} needs the cert_file that it belongs to"
        raise ValueError(msg)
    if cert_file:
        try:
            # The empty pass phrase: an encrypted key is an error and not a prompt.
            context.load_cert_chain(cert_file, key_file, password="")
        except OSError as error:
            msg = f"cert_file {cert_file} with key_file {key_file or cert_file}: {error}"
            raise ValueError(msg) from error
    return context
