from __future__ import annotations

import errno
import os
import threading
from io import StringIO
from pathlib import Path

import pytest

from auditd.telemetry.writer import LineWriter, stream_writer


class Gate:
    """Writes that hang until the gate opens, like a pipe that nobody reads."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.written: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        self.entered.set()
        self.opened.wait()
        self.written += data.splitlines()

    def hang(self, writer: LineWriter) -> None:
        writer.put_important("first")
        self.entered.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_lines_are_written_in_the_order_in_which_they_came(gate: Gate) -> None:
    writer = LineWriter(gate, capacity=100)
    gate.opened.set()
    expected = [b"%d" % number for number in range(50)]
    for number in range(50):
        put = writer.put_important if number % 3 else writer.put
        put(str(number))
    writer.close(5)
    assert gate.written == expected
    assert writer.dropped == 0


def test_when_full_the_oldest_expendable_line_makes_room(gate: Gate) -> None:
    writer = LineWriter(gate, capacity=3)
    gate.hang(writer)
    for line, is_expendable in [("warn", False), ("old", True), ("new", True), ("next", True)]:
        put = writer.put if is_expendable else writer.put_important
        put(line)
    gate.opened.set()
    writer.close(5)
    assert gate.written == [b"first", b"warn", b"new", b"next"]
    assert writer.dropped == 1


def test_when_full_of_important_lines_the_oldest_makes_room(gate: Gate) -> None:
    writer = LineWriter(gate, capacity=2)
    gate.hang(writer)
    for line in ("a", "b", "c"):
        writer.put_important(line)
    gate.opened.set()
    writer.close(5)
    assert gate.written == [b"first", b"b", b"c"]
    assert writer.dropped == 1


def test_closing_does_not_wait_for_a_reader_that_does_not_read(gate: Gate) -> None:
    writer = LineWriter(gate, capacity=10)
    gate.hang(writer)
    writer.close(0.01)
    assert gate.written == []
    gate.opened.set()


def test_lines_gather_after_others_were_written_but_do_not_keep_the_end_waiting() -> None:
    writes: list[bytes] = []
    written = threading.Event()

    def write(data: bytes) -> None:
        writes.append(data)
        written.set()

    writer = LineWriter(write, capacity=10, pause_seconds=3600)
    writer.put("first")
    written.wait()
    for line in ("a", "b"):
        writer.put(line)
    writer.close(60)
    assert writes == [b"first\n", b"a\nb\n"]


def test_what_comes_after_closing_is_counted(gate: Gate) -> None:
    writer = LineWriter(gate, capacity=10)
    gate.opened.set()
    writer.close(5)
    writer.put_important("late")
    assert writer.dropped == 1


def test_a_reader_that_has_gone_ends_the_writing(gate: Gate) -> None:
    reader, descriptor = os.pipe()

    def write(data: bytes) -> None:
        gate(data)
        os.write(descriptor, data)

    os.close(reader)
    writer = LineWriter(write, capacity=10)
    gate.hang(writer)
    writer.put("waiting")
    gate.opened.set()
    writer.close(5)
    assert writer.dropped == 2
    os.close(descriptor)


def test_a_full_disk_loses_lines_but_not_the_log() -> None:
    failed = threading.Event()
    written: list[bytes] = []

    def write(data: bytes) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(data)

    writer = LineWriter(write, capacity=10)
    writer.put_important("lost")
    failed.wait()
    writer.put_important("kept")
    writer.close(5)
    assert written == [b"kept\n"]
    assert writer.dropped == 1


def test_a_real_full_device_is_survived() -> None:
    with Path("/dev/full").open("w") as full:
        writer = LineWriter(stream_writer(full), capacity=10)
        writer.put_important("lost")
        writer.close(5)
    assert writer.dropped == 1


def test_a_pipe_that_nobody_reads_does_not_block() -> None:
    reader, descriptor = os.pipe()
    with os.fdopen(descriptor, "w") as stream:
        writer = LineWriter(stream_writer(stream), capacity=100)
        for _ in range(1000):
            writer.put("x" * 1000)
        assert writer.dropped > 0
        os.close(reader)
        writer.close(5)
    assert writer.dropped > 800


def test_a_descriptor_that_does_not_block_gets_everything() -> None:
    reader, descriptor = os.pipe()
    os.set_blocking(descriptor, False)
    received: list[bytes] = []

    def read() -> None:
        while data := os.read(reader, 1 << 16):
            received.append(data)

    with os.fdopen(descriptor, "w") as stream:
        writer = LineWriter(stream_writer(stream), capacity=10)
        writer.put_important("x" * 1_000_000)
        thread = threading.Thread(target=read)
        thread.start()
        writer.close(5)
    thread.join()
    os.close(reader)
    assert len(b"".join(received)) == 1_000_001


def test_a_stream_in_memory_can_be_written_to() -> None:
    stream = StringIO()
    stream_writer(stream)("zeile ü\n".encode())
    assert stream.getvalue() == "zeile ü\n"
