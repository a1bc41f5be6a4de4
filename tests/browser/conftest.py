"""A real Chromium that looks at pages which are served on the same event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from auditd.web.address import Address
from auditd.web.listener import listen
from auditd.web.pages.site import Site, load_site
from tests.browser.visit import Visits
from tests.conftest import _do_without
from tests.unit.web.pages.scene import Scene

AXE = Path(__file__).parent.parent.parent / ".tools" / "npm" / "axe-core" / "axe.min.js"
_FLAGS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site() -> Site:
    return load_site()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what keeps people out."""
    if not AXE.exists():
        _do_without("there is no axe-core here; tests/tools/install brings it")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium_binary() -> Path:
    binary = Path("/usr/bin/chromium")
    if not binary.exists():
        _do_without("there is no Chromium here; tests/tools/install brings it")
    return binary


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(chromium_binary: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_binary, args=_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def scene(site: Site) -> Scene:
    return Scene(site)


@pytest_asyncio.fixture(loop_scope="module")
async def visits(chromium: Browser, scene: Scene) -> AsyncIterator[Visits]:
    """Pages of the scene. At the end none of them has complained of anything."""
    async with listen(scene.app(), [Address("127.0.0.1", 0)]) as (bound,):
        visits = Visits(chromium, f"http://{bound}")
        yield visits
        await visits.end()
        scene.feed.close()
    assert visits.complaints == []
