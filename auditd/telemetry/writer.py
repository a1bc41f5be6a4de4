"""Writes log lines without ever making the event loop wait for whoever reads them."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TextIO

PAUSE_SECONDS = 0.02
"""To wake a thread costs as much as to make a line."""


class _Important(str):
    """A line that makes room for others only when all that wait are like it."""

    __slots__ = ()


class LineWriter:
    """A bounded queue of lines and the one thread that writes them, in order.

    When the queue is full the oldest expendable line makes room, else the oldest line; both
    are counted in `dropped`, and so are lines that could not be written. A reader that has
    gone ends the writing, a full disk does not.

    Args:
        write: writes all of the bytes, for as long as that takes. Raises OSError.
        capacity: lines that may wait.
        pause_seconds: how long they gather after others were written.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        capacity: int,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._write = write
        self._pause_seconds = pause_seconds
        self._capacity = capacity
        self._lines: deque[str] = deque()
        self._kept: deque[str] = deque()
        """Important lines from before those: what they stood among has made room."""
        self._lock = threading.RLock()  # a finalizer may log while a line is being queued
        self._changed = threading.Condition(self._lock)
        self._is_idle = False
        self._is_over = False
        self._closed = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queue an expendable line, without its end. Never blocks or raises. For any thread."""
        with self._lock:
            if self._is_over:
                self.dropped += 1
                return
            if len(self._lines) + len(self._kept) >= self._capacity:
                self._make_room()
            self._lines.append(line)
            if self._is_idle:
                self._is_idle = False
                self._changed.notify()

    def put_important(self, line: str) -> None:
        """The same for a line that is to stay while there are expendable ones."""
        self.put(_Important(line))

    def close(self, deadline_seconds: float) -> None:
        """Write what waits, but leave it unwritten when that takes longer than the deadline."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._closed.set()
        self._thread.join(deadline_seconds)

    def _make_room(self) -> None:
        while self._lines and type(self._lines[0]) is _Important:
            self._kept.append(self._lines.popleft())
        (self._lines or self._kept).popleft()
        self.dropped += 1

    def _run(self) -> None:
        while lines := self._take():
            try:
                self._write(("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
            except OSError as error:
                self._lose(len(lines), is_final=isinstance(error, BrokenPipeError))
            self._closed.wait(self._pause_seconds)

    def _take(self) -> deque[str]:
        """All that waits, as soon as something does. Empty when nothing will come any more."""
        with self._changed:
            while not self._lines and not self._is_over:
                self._is_idle = True
                self._changed.wait()
            kept, self._kept = self._kept, deque()
            lines, self._lines = self._lines, deque()
        kept.extend(lines)
        return kept

    def _lose(self, lines: int, *, is_final: bool) -> None:
        with self._changed:
            self.dropped += lines
            if is_final:
                self._is_over = True
                self.dropped += len(self._kept) + len(self._lines)
                self._kept.clear()
                self._lines.clear()


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
