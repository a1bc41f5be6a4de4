"""Who may change something over HTTP: who logged in, or else somebody on this machine.

A loopback connection alone does not tell: it can come from a proxy, which anybody may reach, or
from a browser that shows somebody else's page. So both must be ruled out. The browser of somebody
who logged in can show somebody else's page too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from aiohttp import hdrs, web
from yarl import URL

from auditd.web.address import Address

_PROXY_HEADERS = (
    hdrs.FORWARDED,
    hdrs.X_FORWARDED_FOR,
    hdrs.X_FORWARDED_HOST,
    hdrs.X_FORWARDED_PROTO,
    "X-Real-IP",
    hdrs.VIA,
)
CALLER = web.RequestKey("caller", str)
"""Who asks, when that was verified: the name of a user, or of a client certificate."""

_FETCH_SITE = "Sec-Fetch-Site"
_OWN_SITES = frozenset({"same-origin", "none"})
"""A page of ours, or the address bar.

Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
"""
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")
_JSON = "application/json"


class RefusedError(Exception):
    """The caller may not do this. The message says why, and what to do."""


class Guard:
    """Lets callers pass who logged in, or are on this machine.

    Args:
        listen_addresses: as they were asked for; their hosts are names of this daemon.
        external_url: where people reach it; its host is another name, and pages from there are
            this daemon's. May be empty.
    """

    def __init__(self, listen_addresses: Iterable[Address], external_url: str = "") -> None:
        names = [address.host for address in listen_addresses]
        names.append(URL(external_url).host or "")
        self._hosts = frozenset(name.lower() for name in names if name)
        self._origin = _origin_of(URL(external_url))

    def check_caller(self, request: web.Request) -> None:
        """Accept a request of somebody who is known.

        Raises:
            RefusedError: nobody logged in, and it came from elsewhere or through a proxy; or it
                came from another site's page.
        """
        if CALLER in request:
            _check_origin(request, self._origin)
            return
        _check_peer(request)
        _check_proxies(request)
        self._check_host(request)
        _check_origin(request)

    def check_change(self, request: web.Request) -> None:
        """Accept a request of somebody who is known that changes something.

        No page of another site can send JSON without asking first, which we do not answer.

        Raises:
            RefusedError: as `check_caller`, or its body is not announced as JSON.
        """
        self.check_caller(request)
        if request.content_type != _JSON:
            msg = f"the header Content-Type must be {_JSON}"
            raise RefusedError(msg)

    def _check_host(self, request: web.Request) -> None:
        """A name that was made to point here (DNS rebinding) gives the caller's page away."""
        hosts = request.headers.getall(hdrs.HOST, ())
        match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        host = (match["ipv6"] or match["name"]) if match else ""
        if host not in self._hosts and not Address(host, 0).is_loopback:
            msg = (
                "the header Host names another host than this daemon;"
                " use localhost, or the host of --web.listen-address or --web.external-url"
            )
            raise RefusedError(msg)


def _check_peer(request: web.Request) -> None:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple) or not ip_address(peer[0]).is_loopback:
        msg = (
            "without a log-in this is only allowed from the machine that the daemon runs on;"
            " connect to a loopback address there, for example through ssh, or set"
            " basic_auth_users in the file of --web.config.file"
        )
        raise RefusedError(msg)


def _check_proxies(request: web.Request) -> None:
    for header in _PROXY_HEADERS:
        if header in request.headers:
            msg = (
                f"the header {header} says that this came through a proxy, so that anybody may"
                " have sent it; connect to the daemon itself"
            )
            raise RefusedError(msg)


def _origin_of(url: URL) -> str:
    return str(url.origin()).lower() if url.absolute else ""


def _check_origin(request: web.Request, external: str = "") -> None:
    """`external` is an origin beside that of the header Host, for callers behind a proxy."""
    origins = {origin.lower() for origin in request.headers.getall(hdrs.ORIGIN, ())}
    sites = {site.lower() for site in request.headers.getall(_FETCH_SITE, ())}
    host = request.headers.get(hdrs.HOST, "").lower()
    own = {f"http://{host}", f"https://{host}", external} - {"", "http://", "https://"}
    if not origins <= own or not sites <= _OWN_SITES:
        msg = "this came from a page of another site; only pages of this daemon may ask for it"
        raise RefusedError(msg)
