from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from auditd.hooks.address import BlockedAddressError
from auditd.hooks.mail_route import connect


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def resolve_to(monkeypatch: pytest.MonkeyPatch, port: int, *addresses: str) -> None:
    """What the name servers say: it is the operating system that is replaced."""

    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_the_first_address_that_takes_a_connection_is_used(
    monkeypatch: pytest.MonkeyPatch, listening: int
) -> None:
    resolve_to(monkeypatch, listening, "169.254.169.254", "127.0.0.2", "127.0.0.1")
    with await connect("mail.example", listening) as connection:
        assert connection.getpeername() == ("127.0.0.1", listening)


async def test_an_earlier_address_wins(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    resolve_to(monkeypatch, listening, "127.0.0.1", "169.254.169.254")
    with await connect("mail.example", listening) as connection:
        assert connection.getpeername() == ("127.0.0.1", listening)


@pytest.mark.parametrize(
    ("addresses", "error"),
    [
        (("127.0.0.2", "127.0.0.3"), ConnectionRefusedError),
        (("127.0.0.2", "169.254.169.254"), BlockedAddressError),
    ],
)
async def test_without_one_the_last_tells_why(
    monkeypatch: pytest.MonkeyPatch,
    listening: int,
    addresses: tuple[str, ...],
    error: type[OSError],
) -> None:
    resolve_to(monkeypatch, listening, *addresses)
    with pytest.raises(error):
        await connect("mail.example", listening)
