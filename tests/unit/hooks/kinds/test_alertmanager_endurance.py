"""Twenty minutes between two polls, during which a real Alertmanager must go on believing us.

Alertmanager's clock cannot be hurried, so ours is: a second stands for a minute. The loop of the
refresher runs 60 times as fast, so that it posts every second. And its wall clock is behind by
so much that the four minutes for which a post is good end four seconds after the post.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditd.alerting.events import DeliveryEvent, StateSent
from auditd.alerting.route import Route, build_tree
from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.alertmanager import GOOD_FOR, AlertmanagerHook, AlertmanagerOptions
from auditd.hooks.refresher import INTERVAL_SECONDS, Refresher
from tests.unit.hooks.fakes import alert_of, surroundings_of
from tests.unit.hooks.kinds.hurry import SPEED, HurriedLoop
from tests.unit.hooks.kinds.test_alertmanager_real import Alertmanager

MINUTES = 20
_GOOD_FOR = GOOD_FOR / SPEED
_LAG = GOOD_FOR - _GOOD_FOR


def real_now() -> datetime:
    return datetime.now(UTC)


def our_now() -> datetime:
    return real_now() - _LAG


async def live(peer: Alertmanager, http: HttpClient) -> None:
    posts: list[StateSent] = []
    posted = asyncio.Event()

    def note(event: DeliveryEvent) -> None:
        if isinstance(event, StateSent):
            posts.append(event)
            posted.set()

    options = AlertmanagerOptions(urls=(peer.url,))
    hook = AlertmanagerHook("am", options, surroundings_of(http, emit=note))
    alert = alert_of("a")
    refresher = Refresher(hook, lambda: [alert], build_tree(Route(hook="am")), now=our_now)
    refreshing = asyncio.create_task(refresher.run())
    await posted.wait()
    first_end = datetime.fromisoformat((await peer.active())["a"]["endsAt"])
    assert first_end < real_now() + _GOOD_FOR

    while len(posts) < MINUTES:
        assert "a" in await peer.active(), f"it ended after {len(posts)} posts"
        await asyncio.sleep(INTERVAL_SECONDS / 5)
    assert real_now() > first_end + 3 * _GOOD_FOR

    refreshing.cancel()
    await asyncio.wait({refreshing})
    last_end = datetime.fromisoformat((await peer.active())["a"]["endsAt"])
    while await peer.active():
        assert real_now() < last_end + timedelta(seconds=5)
        await asyncio.sleep(INTERVAL_SECONDS / 5)
    assert real_now() >= last_end


@pytest.mark.timeout(90)
def test_an_alert_stays_active_for_as_long_as_it_is_posted_again_and_ends_soon_after(
    alertmanager: tuple[str, ...], tmp_path: Path
) -> None:
    async def run() -> None:
        async with HttpClient() as http:
            peer = Alertmanager(alertmanager, tmp_path, http)
            await peer.start()
            try:
                await live(peer, http)
            finally:
                await peer.kill()

    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        runner.run(run())
