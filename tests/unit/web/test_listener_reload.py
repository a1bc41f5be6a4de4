"""Reloads while requests come: nobody is served who must not be, and nobody else is lost."""

from __future__ import annotations

import asyncio
from itertools import cycle

from aiohttp import ClientSession, TCPConnector

from auditd.web.health import Readiness, make_health_app
from auditd.web.listener import open_listener
from tests.unit.web.secured import ADDRESS, LONG_AGO, Issuer, fetch

ISSUER, OTHER = Issuer(), Issuer()
RELOADS = 200
NAME = "scraper.example"


async def test_reloads_let_nobody_in_and_lose_no_request() -> None:
    rules = [await ISSUER.demanding(NAME), await ISSUER.demanding(NAME, "another.example")]
    good = ISSUER.client(ISSUER.authority.issue_cert(NAME))
    bad = [
        None,
        ISSUER.client(),
        ISSUER.client(OTHER.authority.issue_cert(NAME)),
        ISSUER.client(ISSUER.authority.issue_cert(NAME, not_after=LONG_AGO)),
        ISSUER.client(ISSUER.authority.issue_cert("evil.example")),
    ]
    served: list[int | None] = []
    let_in: list[int | None] = []
    is_over = asyncio.Event()
    async with open_listener(make_health_app(Readiness), [ADDRESS], rules[0]) as listener:
        (address,) = listener.addresses

        async def ask_anew() -> None:
            while not is_over.is_set():
                served.append(await fetch(address, good))

        async def ask_again() -> None:
            connector = TCPConnector(ssl=good)
            async with ClientSession(connector=connector) as client:
                while not is_over.is_set():
                    async with client.get(f"https://{address}/-/healthy") as response:
                        served.append(response.status)

        async def break_in() -> None:
            for context in cycle(bad):
                let_in.append(await fetch(address, context))
                if is_over.is_set() and len(let_in) >= len(bad):
                    return

        async with asyncio.TaskGroup() as group:
            for ask in (ask_anew, ask_again, break_in):
                group.create_task(ask())
            for rule, _ in zip(cycle(rules), range(RELOADS), strict=False):
                listener.reload(rule)
                await asyncio.sleep(0.005)
            is_over.set()
    assert len(served) > RELOADS / 2
    assert set(served) == {200}
    assert set(let_in) == {None}
