from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.program import running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)


async def test_silences_and_acknowledgements_are_kept_across_a_restart(
    simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession
) -> None:
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url))
        command = ("run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0")
        async with running(*command) as daemon:
            await daemon.event("alert.fired", authorization="lapsed")
            api = f"{await daemon.url()}/api/v1"
            async with session.get(f"{api}/alerts") as answer:
                alerts = (await answer.json())["data"]
            (overdue,) = [it for it in alerts if it["labels"]["check"] == "overdue"]
            silence = {
                "matchers": ['authorization="lapsed"'],
                "ends_at": "2999-01-01T00:00:00Z",
                "author": "me",
                "comment": "PLAT-42",
            }
            async with session.post(f"{api}/silences", json=silence) as answer:
                assert answer.status == 200, await answer.text()
            acknowledgement = {"author": "me", "comment": "on it"}
            async with session.post(
                f"{api}/alerts/{overdue['fingerprint']}/acknowledge", json=acknowledgement
            ) as answer:
                assert answer.status == 200, await answer.text()
        async with running(*command) as daemon:
            await daemon.event("daemon.ready")
            api = f"{await daemon.url()}/api/v1"
            async with session.get(f"{api}/silences") as answer:
                (kept,) = (await answer.json())["data"]
            assert kept["comment"] == "PLAT-42"
            async with session.get(f"{api}/alerts") as answer:
                shown = {
                    it["fingerprint"]: it["suppression"] for it in (await answer.json())["data"]
                }
            assert "silenced" in shown[overdue["fingerprint"]]
