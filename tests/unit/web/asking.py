"""Asks the API about a small fleet."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

API = "/api/v1"


async def get(client: ClientSession, path: str, **query: Any) -> Any:
    async with client.get(API + path, params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def error(client: ClientSession, path: str) -> tuple[int, str, str]:
    async with client.get(API + path) as response:
        document = await response.json()
    return response.status, document["errorType"], document["error"]
