"""Runs the command as users do and reads what it says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

COMMAND = Path(sys.executable).with_name("servicestage-auditd")
DEADLINE_SECONDS = 30.0


class Program:
    """One run: its lines on both streams, and its log records, as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.records: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._open_streams = 2

    async def read(self, stream: asyncio.StreamReader) -> None:
        async for raw in stream:
            line = raw.decode().rstrip("\n")
            async with self._news:
                self.lines.append(line)
                if line.startswith("{"):
                    self.records.append(json.loads(line))
                self._news.notify_all()
        async with self._news:
            self._open_streams -= 1
            self._news.notify_all()

    async def line(self, part: str) -> str:
        """The first line that holds `part`, now or to come."""
        return await self._until(
            lambda: next((line for line in self.lines if part in line), None), part
        )

    async def event(self, name: str, **fields: object) -> dict[str, Any]:
        """The first record of this event with these fields, now or to come."""
        return await self._until(
            lambda: next(iter(self.told(name, **fields)), None), f"{name} {fields}"
        )

    async def _until(self, look: Callable[[], T | None], wanted: str) -> T:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._news:
                await self._news.wait_for(lambda: look() or not self._open_streams)
        except TimeoutError:
            pass
        if found := look():
            return found
        msg = f"no {wanted} within {DEADLINE_SECONDS} s; it said:\n{self.text}"
        raise AssertionError(msg)

    def told(self, name: str, **fields: object) -> list[dict[str, Any]]:
        """All records of this event with these fields, so far."""
        return [
            record
            for record in self.records
            if record["event"] == name and fields.items() <= record.items()
        ]

    async def url(self) -> str:
        """Where this daemon listens."""
        started = await self.event("daemon.started")
        return f"http://{started['listening'][0]}"

    def arguments(self) -> str:
        """What other users of the machine see of it."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_text()

    @property
    def text(self) -> str:
        """Everything it said."""
        return "\n".join(self.lines)


@asynccontextmanager
async def running(*arguments: str, **environment: str) -> AsyncIterator[Program]:
    """Start the command; terminate it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        limit=2**22,
    )
    program = Program(process)
    assert process.stdout
    assert process.stderr
    async with asyncio.TaskGroup() as group:
        group.create_task(program.read(process.stdout))
        group.create_task(program.read(process.stderr))
        try:
            yield program
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(DEADLINE_SECONDS):
                await process.wait()


async def finished(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the command to its end. Returns exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
