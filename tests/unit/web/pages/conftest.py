from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from auditd.web.address import Address
from auditd.web.listener import listen
from auditd.web.pages.site import Site, load_site
from tests.unit.web.pages.fakes import Alerts, Fleet
from tests.unit.web.pages.scene import Browser, Scene


@pytest.fixture(scope="session")
def site() -> Site:
    return load_site()


@pytest.fixture
def scene(site: Site) -> Scene:
    return Scene(site)


@pytest.fixture
def fleet(scene: Scene) -> Fleet:
    return scene.fleet


@pytest.fixture
def alerts(scene: Scene) -> Alerts:
    return scene.alerts


@pytest.fixture
async def browser(scene: Scene) -> AsyncIterator[Browser]:
    async with (
        listen(scene.app(), [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as session,
    ):
        yield Browser(session)
