"""A wire to a server that breaks where the test says."""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import Enum, auto
from threading import Event, Thread


class Break(Enum):
    """When the wire breaks at a commit."""

    BEFORE = auto()
    """The server never hears of it."""
    AFTER = auto()
    """The server has done it, and nobody hears that."""


class Wire:
    """Passes on what it gets, until `breaks` says otherwise; `is_cut` refuses all that is new."""

    def __init__(self, port: int) -> None:
        self.breaks: Break | None = None
        self.is_cut = False
        self.stays_cut = False
        """Whether the next break also cuts it."""
        self.broken = Event()
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.is_cut:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                for work in (self._ask, self._answer):
                    Thread(target=work, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while asked := client.recv(65536):
                if self.breaks and b"COMMIT\0" in asked:
                    breaks, self.breaks = self.breaks, None
                    self.is_cut = self.stays_cut
                    self.broken.set()
                    client.shutdown(socket.SHUT_RDWR)  # before the answer can pass
                    if breaks is Break.AFTER:
                        server.sendall(asked)
                        server.shutdown(socket.SHUT_WR)  # it does the commit, and ends
                        return
                    break
                server.sendall(asked)
        _end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(65536):
                client.sendall(answer)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
