"""Writes log lines without ever making the event loop wait for whoever reads them."""

from __future__ import annotations

import heapq
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TextIO

_Line = tuple[int, bytes]
"""A number that grows with each line, and the line with its end."""


class LineWriter:
    """A bounded queue of lines and the one thread that writes them, in order.

    When the queue is full the oldest expendable line makes room, else the oldest line; both
    are counted in `dropped`, and so are lines that could not be written. A reader that has
    gone ends the writing, a full disk does not.

    Args:
        write: writes all of the bytes, for as long as that takes. Raises OSError.
        capacity: lines that may wait.
    """

    def __init__(self, write: Callable[[bytes], None], *, capacity: int) -> None:
        self._write = write
        self._capacity = capacity
        self._numbers = count()
        self._expendable: deque[_Line] = deque()
        self._important: deque[_Line] = deque()
        self._lock = threading.RLock()  # a finalizer may log while a line is being queued
        self._changed = threading.Condition(self._lock)
        self._is_closing = False
        self._is_broken = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, line: str, *, is_expendable: bool) -> None:
        """Queue one line, without its end. Never blocks, never raises. Any thread may call."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            if self._is_broken or self._is_closing:
                self.dropped += 1
                return
            if len(self._expendable) + len(self._important) >= self._capacity:
                (self._expendable or self._important).popleft()
                self.dropped += 1
            if not self._expendable and not self._important:
                self._changed.notify()  # else the thread is awake, or about to be
            lines = self._expendable if is_expendable else self._important
            lines.append((next(self._numbers), data))

    def close(self, deadline_seconds: float) -> None:
        """Write what waits, but leave it unwritten when that takes longer than the deadline."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(deadline_seconds)

    def _run(self) -> None:
        while lines := self._take():
            try:
                self._write(b"".join(data for _, data in lines))
            except OSError as error:
                self._lose(len(lines), is_final=isinstance(error, BrokenPipeError))

    def _take(self) -> list[_Line]:
        """All that waits, as soon as something does. Empty when nothing will come any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._expendable or self._important or self._is_closing or self._is_broken
            )
            lines = list(heapq.merge(self._expendable, self._important))
            self._expendable.clear()
            self._important.clear()
            return lines

    def _lose(self, lines: int, *, is_final: bool) -> None:
        with self._changed:
            self.dropped += lines
            if is_final:
                self._is_broken = True
                self.dropped += len(self._expendable) + len(self._important)
                self._expendable.clear()
                self._important.clear()


def stream_writer(stream: TextIO) -> Callable[[bytes], None]:
    """What a LineWriter needs to write to the stream.

    It goes to the file descriptor and around Python's buffers: a thread that hangs inside one
    holds its lock, and with it makes the interpreter abort when it exits. A stream in memory
    has no descriptor and is written to as text.
    """
    try:
        descriptor = stream.fileno()
    except OSError:
        return lambda data: _write_text(stream, data)
    return partial(_write_all, descriptor)


def _write_text(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode())
    stream.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # a terminal that another program made non-blocking
            select.select((), (descriptor,), ())
