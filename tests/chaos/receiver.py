"""A process that takes webhooks, and refuses some of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import BinaryIO

from aiohttp import web

from tests.chaos.chronicle import Chronicle

REFUSES = 0.1
"""The share of posts that are answered with 503."""


@contextmanager
def receiving(seed: int, lifetime_seconds: int) -> Iterator[int]:
    """The port of a receiver that lives until the context ends, or for so long at most.

    The path of a post is that of the chronicle in which it is entered.
    """
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reads)
        signal.alarm(lifetime_seconds)
        asyncio.run(_serve(Random(seed), os.fdopen(writes, "wb")))
    os.close(writes)
    try:
        with os.fdopen(reads, "rb") as port:
            yield int(port.readline())
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


async def _serve(random: Random, port: BinaryIO) -> None:
    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if random.random() < REFUSES:
            return web.Response(status=503)
        chronicle = Chronicle(Path(request.path))
        chronicle.accepted("web", request.headers["webhook-id"], body)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/{chronicle:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with port:
        port.write(b"%d\n" % runner.addresses[0][1])
    await asyncio.Event().wait()
