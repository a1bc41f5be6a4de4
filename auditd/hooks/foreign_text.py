"""Text that receivers wrote, made fit for errors, logs and the store."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

from auditd.hooks.port import HttpRequest

FOREIGN_TEXT_LIMIT = 256
"""Characters of a foreign body or message that may appear in ours."""

_SHORTEST_SECRET = 8
"""Anything shorter would also be found where it means nothing."""


def excerpt(text: str | bytes, request: HttpRequest | None = None) -> str:
    """One line of at most 256 characters, without what the request that it answers kept secret.

    A receiver may send back what it was sent: each header's value, the URL and the longer parts
    of its path and query become `***`.
    """
    if isinstance(text, bytes):
        text = text[: 8 * FOREIGN_TEXT_LIMIT].decode(errors="replace")
    for secret in sorted(_secrets(request), key=len, reverse=True) if request else ():
        text = text.replace(secret, "***")
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line[:FOREIGN_TEXT_LIMIT]


def _secrets(request: HttpRequest) -> Iterable[str]:
    url = urlsplit(request.url)
    values = [request.url, url.netloc.rpartition("@")[0], *url.path.split("/")]
    values += [pair.partition("=")[2] for pair in url.query.split("&")]
    values += [word for value in request.headers.values() for word in (value, *value.split())]
    spelt = {spelling for value in values for spelling in (value, unquote(value), quote(value))}
    return {value for value in spelt if len(value) >= _SHORTEST_SECRET}
