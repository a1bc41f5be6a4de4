"""The stand-in cloud, as a command."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.e2e.program import running

pytestmark = pytest.mark.timeout(60)


async def test_any_port_on_all_interfaces_is_one_port_and_that_is_told(
    session: aiohttp.ClientSession,
) -> None:
    async with running("simulate", "--listen=:0") as cloud:
        line = await cloud.line("The stand-in cloud is at ")
        told = re.search(r"http://0\.0\.0\.0:(\d+);", line)  # and not that of a second socket
        assert told
        async with session.get(f"http://127.0.0.1:{told[1]}/_simulator/stats") as answer:
            assert answer.status == 200
