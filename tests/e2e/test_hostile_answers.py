from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.metrics import scrape
from tests.e2e.program import Program, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)

TIMEOUT_SECONDS = 2
MEBIBYTE = 2**20

FAULTS = {
    "truncated": ({"type": "truncate", "keep": 0.5}, "malformed"),
    "html": ({"type": "html"}, "malformed"),
    "missing list": ({"type": "listing", "change": "missing_list"}, "malformed"),
    "gzip bomb": ({"type": "gzip_bomb", "mebibytes": 2048}, "too_large"),
    "endless": ({"type": "endless"}, "too_large"),
    "slow drip": ({"type": "drip", "size": 1, "pause": "200ms"}, "timeout"),
    "no answer": ({"type": "delay", "delay": "5m"}, "timeout"),
    "reset": ({"type": "reset"}, "connect"),
    "redirect": ({"type": "redirect", "location": "https://elsewhere.example/"}, "redirect"),
    "throttled": ({"type": "throttle", "limit": "limit:200,time:5 minute"}, "throttled"),
    "server error": ({"type": "status", "status": 502}, "server"),
    "forbidden": ({"type": "status", "status": 403}, "forbidden"),
}


def peak_bytes(program: Program) -> int:
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_hostile_answer_moves_one_counter_and_leaves_what_was_known(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    fault: str,
) -> None:
    effect, reason = FAULTS[fault]
    rules = [{"after": 1, "operation": "list_authorizations", "effect": effect}]
    async with simulate(make_scenario(faults=rules)) as cloud:
        file = write(
            "auditd.yaml",
            make_configuration(cloud.url, poll_interval="4s", poll_timeout=f"{TIMEOUT_SECONDS}s"),
        )
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("poll.finished", project="p0")
            url = await daemon.url()
            before, memory_before = await scrape(session, url), peak_bytes(daemon)
            failed = await daemon.event("poll.failed", project="p0")
            after, memory_after = await scrape(session, url), peak_bytes(daemon)
            assert failed["reason"] == reason
            assert failed["duration_seconds"] <= TIMEOUT_SECONDS + 1
            assert after.total("auditd_poll_failures_total") == 1
            assert after.total("auditd_poll_failures_total", reason=reason) == 1
            assert memory_after - memory_before <= 32 * MEBIBYTE
            for family in (
                "servicestage_git_authorization_status",
                "servicestage_git_authorization_updated_timestamp_seconds",
                "servicestage_git_authorizations",
                "auditd_findings",
            ):
                assert after.values(family) == before.values(family)
            assert after.values("auditd_project_up") == [0.0]


async def test_three_failures_blind_the_project_and_one_list_heals_it(
    simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession
) -> None:
    rules = [
        {
            "after": 1,
            "operation": "list_authorizations",
            "count": 3,
            "effect": {"type": "status", "status": 500},
        }
    ]
    async with simulate(make_scenario(faults=rules)) as cloud:
        file = write(
            "auditd.yaml", make_configuration(cloud.url, poll_interval="1s", poll_timeout="1s")
        )
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            flagged = await daemon.event("finding.flagged", check="blind")
            assert flagged["severity"] == "critical"
            await daemon.event("finding.cleared", check="blind")
            seen = await scrape(session, await daemon.url())
            assert seen.values("auditd_project_up") == [1.0]
            assert seen.total("auditd_poll_failures_total") == 3
            # What was found before the failures was neither cleared nor found again.
            assert len(daemon.told("finding.flagged", check="overdue")) == 1
            assert daemon.told("finding.cleared", check="overdue") == []
