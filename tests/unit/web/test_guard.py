from __future__ import annotations

from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Request
from multidict import CIMultiDict

from auditd.web.address import Address
from auditd.web.guard import CALLER, Guard, RefusedError

JSON = ("Content-Type", "application/json")
GUARD = Guard(
    [Address("watch.Acme.example", 9877), Address("", 9877)], "https://auditd.acme.example/x"
)


def request_of(*headers: tuple[str, str], peer: object = ("127.0.0.1", 50_000)) -> Request:
    transport = Mock()
    transport.get_extra_info = {"peername": peer}.get
    return make_mocked_request("POST", "/", CIMultiDict(headers), transport=transport)


@pytest.mark.parametrize("peer", [("127.0.0.1", 1), ("127.8.8.8", 1), ("::1", 1, 0, 0)])
def test_a_caller_on_this_machine_may_change_things(peer: object) -> None:
    GUARD.check_change(request_of(("Host", "localhost:9877"), JSON, peer=peer))


@pytest.mark.parametrize(
    "peer", [("192.0.2.1", 1), ("::ffff:192.0.2.1", 1, 0, 0), ("fe80::1%eth0", 1, 0, 2), None, ""]
)
def test_a_caller_from_elsewhere_or_nowhere_is_refused(peer: object) -> None:
    with pytest.raises(RefusedError, match="only allowed from the machine"):
        GUARD.check_change(request_of(("Host", "localhost"), JSON, peer=peer))


def test_a_connection_that_is_gone_is_refused() -> None:
    request = request_of(("Host", "localhost"), JSON)
    request.protocol.transport = None
    with pytest.raises(RefusedError, match="only allowed from the machine"):
        GUARD.check_change(request)


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("x-forwarded-for", ""),
        ("X-Forwarded-Host", "localhost"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("Via", "1.1 proxy"),
    ],
)
def test_what_came_through_a_proxy_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(RefusedError, match=f"(?i){header[0]} says that this came through a proxy"):
        GUARD.check_change(request_of(("Host", "localhost"), JSON, header))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:9877",
        "127.0.0.1:9877",
        "[::1]:9877",
        "[::1]",
        "watch.acme.example:9877",
        "AUDITD.acme.example",
    ],
)
def test_a_name_of_this_daemon_is_accepted(host: str) -> None:
    GUARD.check_change(request_of(("Host", host), JSON))


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        [":9877"],
        ["evil.example"],
        ["localhost.evil.example"],
        ["auditd.acme.example.evil.example"],
        ["localhost@evil.example"],
        ["localhost/evil"],
        ["192.0.2.1:9877"],
        ["[::2]"],
        ["localhost:port"],
        ["localhost", "evil.example"],
    ],
)
def test_another_name_that_points_here_is_refused(hosts: list[str]) -> None:
    with pytest.raises(RefusedError, match="header Host names another host"):
        GUARD.check_change(request_of(*(("Host", host) for host in hosts), JSON))


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "http://localhost:9877"), ("Sec-Fetch-Site", "same-origin")],
        [("Origin", "https://LOCALHOST:9877")],
        [("Sec-Fetch-Site", "none")],
    ],
)
def test_a_page_of_this_daemon_is_accepted(headers: list[tuple[str, str]]) -> None:
    GUARD.check_change(request_of(("Host", "localhost:9877"), JSON, *headers))


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "http://evil.example")],
        [("Origin", "http://localhost:3000")],
        [("Origin", "http://localhost")],
        [("Origin", "null")],
        [("Origin", "")],
        [("Origin", "http://localhost:9877"), ("Origin", "http://evil.example")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:9877")],
    ],
)
def test_a_page_of_another_site_is_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(RefusedError, match="page of another site"):
        GUARD.check_change(request_of(("Host", "localhost:9877"), JSON, *headers))


@pytest.mark.parametrize("type_", [None, "", "text/plain", "application/x-www-form-urlencoded"])
def test_a_change_must_be_announced_as_json(type_: str | None) -> None:
    headers = [("Content-Type", type_)] if type_ is not None else []
    with pytest.raises(RefusedError, match="must be application/json"):
        GUARD.check_change(request_of(("Host", "localhost"), *headers))


def test_a_change_may_name_a_charset() -> None:
    json = ("Content-Type", "application/json; charset=utf-8")
    GUARD.check_change(request_of(("Host", "localhost"), json))


def test_a_caller_who_changes_nothing_needs_no_json() -> None:
    GUARD.check_caller(request_of(("Host", "localhost")))


def test_without_an_external_url_only_loopback_names_are_accepted() -> None:
    with pytest.raises(RefusedError, match="header Host"):
        Guard([Address("0.0.0.0", 1)], "/auditd").check_caller(request_of(("Host", "a.example")))


def logged_in(*headers: tuple[str, str], peer: object = ("192.0.2.1", 1)) -> Request:
    request = request_of(*headers, JSON, peer=peer)
    request[CALLER] = "alice"
    return request


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Host", "auditd.monitoring.svc:9877")],
        [("Host", "10.0.0.7:9877"), ("X-Forwarded-For", "203.0.113.9")],
        [("Host", "inner:9877"), ("Origin", "https://auditd.acme.example")],
        [
            ("Host", "inner:9877"),
            ("Origin", "http://inner:9877"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
    ],
)
def test_who_logged_in_may_change_things_from_anywhere(headers: list[tuple[str, str]]) -> None:
    GUARD.check_change(logged_in(*headers))


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", "auditd.acme.example"), ("Origin", "https://evil.example")],
        [("Host", "auditd.acme.example"), ("Origin", "null")],
        [("Host", "auditd.acme.example"), ("Sec-Fetch-Site", "cross-site")],
        [("Host", "inner"), ("Origin", "https://inner.evil.example")],
        [("Origin", "http://")],
        [("Origin", "")],
    ],
)
def test_a_page_of_another_site_cannot_use_a_log_in(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(RefusedError, match="page of another site"):
        GUARD.check_change(logged_in(*headers))


def test_without_an_external_url_only_the_header_host_tells_the_own_origin() -> None:
    guard = Guard([], "/auditd")
    guard.check_caller(logged_in(("Host", "inner"), ("Origin", "https://inner")))
    with pytest.raises(RefusedError, match="page of another site"):
        guard.check_caller(logged_in(("Host", "inner"), ("Origin", "https://auditd.acme.example")))


def test_a_log_in_is_no_licence_to_send_a_form() -> None:
    request = request_of(("Host", "inner"), peer=("192.0.2.1", 1))
    request[CALLER] = "alice"
    with pytest.raises(RefusedError, match="must be application/json"):
        GUARD.check_change(request)
