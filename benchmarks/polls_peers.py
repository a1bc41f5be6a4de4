"""What the daemon's polls are compared with: what else one would write to see the same lists.

    python -m benchmarks.polls_peers loop|sdk|threads URL IDS_FILE ROUNDS [CONCURRENCY]

prints one line of JSON for each round: microseconds of processor time a list, seconds a round.
Each decodes every list, looks for what is overdue or stale, and keeps the lists.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time, time

import aiohttp
import msgspec

_STALE_MILLISECONDS = 90 * 86_400_000


class Entry(msgspec.Struct, gc=False):
    """What is kept of an authorization."""

    name: str
    repo_type: str
    repo_host: str
    repo_user: str
    token_type: str
    create_time: int
    update_time: int
    tag: str | None
    status: int


class Listing(msgspec.Struct):
    """An answer."""

    authorizations: list[Entry]
    count: int


def _wrong(update_time: int, status: int, now: float) -> bool:
    return status != 0 or now - update_time > _STALE_MILLISECONDS


async def _loop(url: str, ids: list[str], rounds: int, concurrency: int) -> None:
    """Plain aiohttp and msgspec."""
    decoder = msgspec.json.Decoder(Listing)
    places = asyncio.Semaphore(concurrency)
    lists: dict[str, tuple[list[Entry], int]] = {}

    async def poll(session: aiohttp.ClientSession, project_id: str) -> None:
        async with (
            places,
            session.get(
                f"{url}/v1/{project_id}/git/auths", headers={"X-Auth-Token": "token"}
            ) as answer,
        ):
            entries = decoder.decode(await answer.read()).authorizations
        now = time() * 1000
        wrong = sum(_wrong(entry.update_time, entry.status, now) for entry in entries)
        lists[project_id] = entries, wrong

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for _ in range(rounds):
            worked, began = process_time(), perf_counter()
            await asyncio.gather(*(poll(session, project_id) for project_id in ids))
            _tell(worked, began, len(ids))


def _sdk(url: str, ids: list[str], rounds: int, threads: int) -> None:
    """The vendor's client, a client for each project and round, as its samples do."""
    # Imported here, because it takes seconds.
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415
    from huaweicloudsdkservicestage.v2 import (  # noqa: PLC0415
        ListAuthorizationsRequest,
        ServiceStageClient,
    )

    lists: dict[str, tuple[list[object], int]] = {}

    def poll(project_id: str) -> None:
        builder = ServiceStageClient.new_builder()
        client = (
            builder.with_credentials(BasicCredentials("AK", "SK", project_id))
            .with_endpoint(url)
            .build()
        )
        entries = client.list_authorizations(ListAuthorizationsRequest()).authorizations
        now = time() * 1000
        wrong = sum(_wrong(entry.update_time, int(entry.status), now) for entry in entries)
        lists[project_id] = entries, wrong

    for _ in range(rounds):
        worked, began = process_time(), perf_counter()
        _each(poll, ids, threads)
        _tell(worked, began, len(ids))


def _each(poll: Callable[[str], None], ids: list[str], threads: int) -> None:
    if threads == 1:
        for project_id in ids:
            poll(project_id)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(poll, ids))


def _tell(worked: float, began: float, count: int) -> None:
    cpu_us = (process_time() - worked) / count * 1e6
    line = json.dumps({"cpu_us": cpu_us, "seconds": perf_counter() - began})
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Be the peer that the first argument names."""
    kind, url, ids_file, rounds, *rest = sys.argv[1:]
    ids = Path(ids_file).read_text(encoding="utf-8").split()
    if kind == "loop":
        asyncio.run(_loop(url, ids, int(rounds), int(rest[0]) if rest else 32))
    else:
        _sdk(url, ids, int(rounds), 1 if kind == "sdk" else int(rest[0]) if rest else 32)


if __name__ == "__main__":
    main()
