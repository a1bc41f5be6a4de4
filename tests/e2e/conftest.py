"""A simulated cloud as a process of its own, and files for the daemons that watch it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.e2e.program import running


class Cloud:
    """A running `simulate`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def stats(self) -> dict[str, Any]:
        async with self._session.get(f"{self.url}/_simulator/stats") as answer:
            stats: dict[str, Any] = await answer.json()
            return stats

    async def revoke_tokens(self) -> None:
        async with self._session.post(f"{self.url}/_simulator/revoke") as answer:
            answer.raise_for_status()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write a YAML file that only its owner can read; a daemon's keeps its state beside it."""

    def write_file(name: str, content: Any) -> Path:
        file = tmp_path / name
        file.touch(mode=0o600)
        if "projects" in content and "global" in content:
            content = {"storage": {"url": f"sqlite:///{tmp_path / 'state.db'}"}, **content}
        file.write_text(yaml.safe_dump(content))
        return file

    return write_file


@pytest.fixture
def simulate(session: aiohttp.ClientSession, write: Callable[[str, Any], Path]) -> Any:
    """Start a cloud from a scenario."""

    @asynccontextmanager
    async def start(scenario: dict[str, Any]) -> AsyncIterator[Cloud]:
        file = write("scenario.yaml", scenario)
        async with running("simulate", "--listen=127.0.0.1:0", f"--scenario={file}") as program:
            line = await program.line("The stand-in cloud is at ")
            yield Cloud(line.split(" at ")[1].split(";")[0], session)

    return start
