"""What every answer says, unless its page says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs
from multidict import CIMultiDict

SERVER = "servicestage-auditd"
CSP = "Content-Security-Policy"

DEFAULT_HEADERS: Mapping[str, str] = {
    hdrs.CACHE_CONTROL: "no-store",
    CSP: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A page that shows more than text brings a policy of its own."""


def complete(headers: CIMultiDict[str], wanted: Mapping[str, str] = DEFAULT_HEADERS) -> None:
    """Add what is missing, and say who answers, which is no business of the library's."""
    for name, value in wanted.items():
        headers.setdefault(name, value)
    headers[hdrs.SERVER] = SERVER
