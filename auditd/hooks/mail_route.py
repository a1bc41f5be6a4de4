"""A guarded way to a mail server: aiosmtplib by itself connects wherever a name leads."""

from __future__ import annotations

import asyncio
import socket

from auditd.hooks.address import guarded_socket


async def connect(host: str, port: int) -> socket.socket:
    """A connection to the first address of `host` that takes one.

    Raises:
        socket.gaierror: the name has no address.
        OSError: none takes a connection; BlockedAddressError when nothing is ever sent to the last.
    """
    loop = asyncio.get_running_loop()
    try:
        *others, last = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no name of a host") from None
    for address in others:
        try:
            return await _connected(guarded_socket(address), address[4])
        except OSError:
            continue
    return await _connected(guarded_socket(last), last[4])


async def _connected(connection: socket.socket, address: tuple[object, ...]) -> socket.socket:
    connection.settimeout(0.0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection
