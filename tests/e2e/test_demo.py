from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.metrics import Scrape, scrape
from tests.e2e.program import Program, finished, running
from tests.prometheus import prometheus_of, scraping

pytestmark = pytest.mark.timeout(60)

FAMILIES = {
    "servicestage_git_authorization_info",
    "servicestage_git_authorization_status",
    "servicestage_git_authorization_created_timestamp_seconds",
    "servicestage_git_authorization_updated_timestamp_seconds",
    "servicestage_git_authorization_stale_timestamp_seconds",
    "servicestage_git_authorization_verified",
    "servicestage_git_authorizations",
    "auditd_project_info",
    "auditd_project_up",
    "auditd_project_last_success_timestamp_seconds",
    "auditd_project_last_attempt_timestamp_seconds",
    "auditd_polls",
    "auditd_poll_failures",
    "auditd_poll_duration_seconds",
    "auditd_poll_schedule_lag_seconds",
    "auditd_findings",
    "auditd_config_last_reload_successful",
    "auditd_config_last_reload_success_timestamp_seconds",
    "auditd_credential_expiry_timestamp_seconds",
    "auditd_clock_skew_seconds",
    "auditd_event_loop_lag_seconds",
    "auditd_build_info",
    "process_resident_memory_bytes",
    "python_info",
}


async def demo_url(program: Program) -> str:
    return (await program.line("  metrics ")).split()[1].removesuffix("/metrics")


async def complete_scrape(session: aiohttp.ClientSession, url: str) -> Scrape:
    while True:
        seen = await scrape(session, url)
        if len(seen.values("auditd_project_up")) == 5 and seen.families >= FAMILIES:
            return seen
        await asyncio.sleep(0.1)


async def test_the_demo_shows_every_family_and_promtool_has_nothing_to_say(
    session: aiohttp.ClientSession, promtool: Path
) -> None:
    async with running("demo", "--web.listen-address=127.0.0.1:0") as program:
        seen = await complete_scrape(session, await demo_url(program))
    assert set(seen.values("auditd_project_up")) == {1.0}
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=seen.text.encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_a_real_prometheus_scrapes_the_demo(
    session: aiohttp.ClientSession, prometheus: Path, tmp_path: Path
) -> None:
    async with running("demo", "--web.listen-address=127.0.0.1:0") as program:
        url = await demo_url(program)
        await complete_scrape(session, url)
        content = scraping(url.removeprefix("http://"))
        async with prometheus_of(prometheus, tmp_path, content) as server:
            names: set[str] = set()
            while "auditd_project_up" not in names:
                await asyncio.sleep(0.2)
                result = await server.query(
                    "sum by (__name__) ({__name__=~'servicestage_.+|auditd_.+'})"
                )
                names = {series["metric"]["__name__"] for series in result}
            values = {series["metric"]["__name__"]: series["value"][1] for series in result}
            assert values["auditd_project_up"] == "5"
            assert names >= {name for name in FAMILIES if name.startswith("servicestage_")}


async def test_half_a_minute_of_the_demo_tells_the_whole_story() -> None:
    code, introduction, log = await finished(
        "demo", "--duration=24s", "--web.listen-address=127.0.0.1:0"
    )
    assert code == 0
    assert re.search(r"http://127\.0\.0\.1:\d+/metrics", introduction)
    for story in (
        r"finding\.flagged .*authorization=gh-main check=overdue",
        r"finding\.flagged .*authorization=reports-github check=unauthenticated",
        r"finding\.cleared .*authorization=gh-main check=overdue",
        r"authorization\.added .*authorization=data-trial",
        r"authorization\.removed .*authorization=data-trial",
        r"finding\.flagged .*authorization=payments-bitbucket check=broken",
        r"finding\.flagged .*check=stale",
        r"poll\.failed .*project=ap-southeast-1_partners .*reason=server",
        r"finding\.flagged .*project=ap-southeast-1_partners check=blind",
        r"daemon\.stopped",
    ):
        assert re.search(story, log), story
    assert "Traceback" not in log


async def test_a_port_that_is_taken_is_told_with_its_remedy() -> None:
    async with running("demo", "--web.listen-address=127.0.0.1:0") as program:
        address = (await demo_url(program)).removeprefix("http://")
        code, _, error = await finished("demo", f"--web.listen-address={address}")
    assert code == 2
    assert address in error
    assert "choose another port" in error
