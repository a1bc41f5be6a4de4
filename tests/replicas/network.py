"""A network of its own for one daemon, with a cable to the outside and one to the database."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

OUTSIDE, DATABASE = "10.213.1.1", "10.213.2.1"
"""Where each is, seen from in there."""
_CABLES = {"auditd-out": OUTSIDE, "auditd-db": DATABASE}
_NAME = "auditd-replica"
_KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
_PATIENCE_MILLISECONDS = 25_000


@dataclass(frozen=True, slots=True)
class Network:
    """Where a daemon runs that can be cut off from the database."""

    what: str
    prefix: tuple[str, ...]
    """Runs a command in it."""
    outside: str
    """The host of all but the database, seen from in there."""
    database: tuple[str, int]
    cut: Callable[[], None]
    """Lose all that goes to and comes from the database."""
    mend: Callable[[], None]
    """Let it pass again."""


@contextmanager
def separate_network(port: int) -> Iterator[Network]:
    """One from which `port` of this machine is reached as the database's.

    Where none can be made it is a relay that stands still.
    """
    with ExitStack() as made:
        try:
            made.enter_context(_cabled())
        except PermissionError:
            passing = Event()
            passing.set()
            database = made.enter_context(_relaying("127.0.0.1", port, passing))
            what = "a relay that stands still"
            yield Network(what, (), "127.0.0.1", database, passing.clear, passing.set)
            return
        passing = Event()
        passing.set()
        yield Network(
            what="a network of its own",
            prefix=("ip", "netns", "exec", _NAME),
            outside=OUTSIDE,
            database=made.enter_context(_relaying(DATABASE, port, passing)),
            cut=lambda: _run("ip link set auditd-db down"),
            mend=lambda: _run("ip link set auditd-db up"),
        )


@contextmanager
def _cabled() -> Iterator[None]:
    """Raises PermissionError."""
    if os.geteuid():
        msg = "only root can make a network"
        raise PermissionError(msg)
    _run(f"ip netns add {_NAME}")  # fails while another run has one
    try:
        _run(f"ip -n {_NAME} link set lo up")
        for cable, address in _CABLES.items():
            its = address.rsplit(".", 1)[0] + ".2"
            _run(f"ip link add {cable} type veth peer name {cable}-in netns {_NAME}")
            _run(f"ip address add {address}/24 dev {cable}")
            _run(f"ip link set {cable} up")
            _run(f"ip -n {_NAME} address add {its}/24 dev {cable}-in")
            _run(f"ip -n {_NAME} link set {cable}-in up")
        yield
    finally:
        for command in (*(f"ip link del {cable}" for cable in _CABLES), f"ip netns del {_NAME}"):
            subprocess.run(command.split(), check=False, capture_output=True)


@contextmanager
def _relaying(host: str, port: int, passing: Event) -> Iterator[tuple[str, int]]:
    """PostgreSQL of the tests listens on 127.0.0.1 alone, which is another one in there."""
    with closing(socket.create_server((host, 0))) as listener:
        Thread(target=_accept, args=(listener, port, passing), daemon=True).start()
        yield host, listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int, passing: Event) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            _watch(client)
            server = socket.create_connection(("127.0.0.1", port))
            for ends in ((client, server), (server, client)):
                Thread(target=_pass_on, args=(*ends, passing), daemon=True).start()


def _watch(client: socket.socket) -> None:
    """Notice as a server does that somebody is away, within half a minute."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PATIENCE_MILLISECONDS)


def _pass_on(of: socket.socket, to: socket.socket, passing: Event) -> None:
    with suppress(OSError):
        while data := of.recv(65536):
            passing.wait()
            to.sendall(data)
    for each in (of, to):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def _run(command: str) -> None:
    """Raises PermissionError when it is not let."""
    done = subprocess.run(command.split(), check=False, capture_output=True, text=True)
    if done.returncode:
        msg = f"{command}: {done.stderr.strip()}"
        raise PermissionError(msg)
