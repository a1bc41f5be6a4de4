from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.e2e.metrics import scrape
from tests.e2e.program import Program, running
from tests.e2e.scenarios import make_configuration, make_scenario
from tests.e2e.test_alerts import Receiver, configure

pytestmark = pytest.mark.timeout(60)

Write = Callable[[str, Any], Path]


def daemon(file: Path) -> AbstractAsyncContextManager[Program]:
    return running("run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0")


def hang_up(program: Program) -> None:
    program.process.send_signal(signal.SIGHUP)


@pytest.fixture
async def receiver() -> Any:
    taking = Receiver()
    async with taking.serve():
        yield taking


async def test_a_hangup_adds_and_removes_projects_and_keeps_the_others(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    async with simulate(make_scenario(3)) as cloud:
        three = make_configuration(cloud.url, 3)
        configuration = {**configure(cloud.url, receiver), "global": three["global"]}
        file = write("auditd.yaml", {**configuration, "projects": three["projects"][:2]})
        async with daemon(file) as program:
            await program.event("alert.fired", project="p0", alertname="GitAuthorizationOverdue")
            await program.event("daemon.ready", seen=2)
            write("auditd.yaml", {**configuration, "projects": three["projects"][1:]})
            hang_up(program)
            reloaded = await program.event("config.reloaded")
            assert reloaded["projects_added"] == reloaded["projects_removed"] == 1
            assert "projects_changed" not in reloaded
            await program.event("alert.resolved", project="p0", reason="project_removed")
            await program.event("poll.finished", project="p2")
            await receiver.told("resolved", "GitAuthorizationOverdue", "lapsed")
            seen = await scrape(session, await program.url())
            assert len(program.told("poll.finished", project="p1")) == 1
    assert seen.total("auditd_config_last_reload_successful") == 1
    assert seen.total("auditd_project_info", project="p0") == 0
    assert seen.total("auditd_project_info", project="p2") == 1
    assert seen.total("auditd_polls_total", project="p1") == 1


async def test_a_bad_configuration_is_told_with_its_place_and_the_old_one_runs_on(
    simulate: Any, write: Write, session: aiohttp.ClientSession
) -> None:
    async with simulate(make_scenario()) as cloud:
        good = make_configuration(cloud.url, poll_interval="1s", poll_timeout="1s")
        file = write("auditd.yaml", good)
        async with daemon(file) as program:
            await program.event("daemon.ready")
            url = await program.url()
            write("auditd.yaml", {**good, "projects": [{**good["projects"][0], "regio": "x"}]})
            hang_up(program)
            rejected = await program.event("config.rejected")
            assert rejected["level"] == "error"
            assert rejected["message"].startswith(f"{file}:")
            assert "did you mean 'region'?" in rejected["message"]
            seen = await scrape(session, url)
            assert seen.total("auditd_config_last_reload_successful") == 0
            polls = seen.total("auditd_polls_total", project="p0")
            while (await scrape(session, url)).total("auditd_polls_total", project="p0") <= polls:
                await asyncio.sleep(0.1)
            write("auditd.yaml", good)
            await program.event("config.reloaded")  # nobody asked: the file is watched
            seen = await scrape(session, url)
            assert seen.total("auditd_config_last_reload_successful") == 1
            assert "Traceback" not in program.text


async def test_a_swapped_symlink_and_a_new_included_file_are_noticed(
    simulate: Any, tmp_path: Path
) -> None:
    """As Kubernetes mounts a ConfigMap: `..data` leads to a directory that is never changed."""
    async with simulate(make_scenario(2)) as cloud:
        both = make_configuration(cloud.url, 2)
        storage = {"url": f"sqlite:///{tmp_path / 'state.db'}"}
        main = {**both, "projects": both["projects"][:1], "storage": storage}
        for name in ("first", "second"):
            (tmp_path / name / "more").mkdir(parents=True)
            text = yaml.safe_dump({**main, "include": ["more/*.yaml"]})
            (tmp_path / name / "auditd.yaml").write_text(text)
        more = yaml.safe_dump({"projects": both["projects"][1:]})
        (tmp_path / "second" / "more" / "p1.yaml").write_text(more)
        (tmp_path / "..data").symlink_to("first")
        async with daemon(tmp_path / "..data" / "auditd.yaml") as program:
            await program.event("daemon.ready")
            (tmp_path / "new").symlink_to("second")
            (tmp_path / "new").replace(tmp_path / "..data")
            assert (await program.event("config.reloaded"))["projects_added"] == 1
            await program.event("poll.finished", project="p1")


async def test_a_disabled_check_resolves_its_alerts_at_once_without_the_network(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    async with simulate(make_scenario()) as cloud:
        hourly = make_configuration(cloud.url)["global"]
        configuration = {**configure(cloud.url, receiver), "global": hourly}
        file = write("auditd.yaml", configuration)
        async with daemon(file) as program:
            await receiver.told("firing", "GitAuthorizationOverdue", "lapsed")
            await receiver.told("firing", "GitAuthorizationStale", "old")
            before = await cloud.stats()
            write("auditd.yaml", {**configuration, "checks": {"overdue": {"enabled": False}}})
            hang_up(program)
            assert (await program.event("config.reloaded"))["checks_changed"] == 1
            await program.event("finding.cleared", check="overdue")
            await program.event("alert.resolved", check="overdue", reason="check_disabled")
            await receiver.told("resolved", "GitAuthorizationOverdue", "lapsed")
            assert await cloud.stats() == before
            seen = await scrape(session, await program.url())
    assert seen.total("auditd_findings", check="overdue") == 0
    assert seen.total("auditd_findings", check="stale") == 1
    assert ("resolved", "GitAuthorizationStale", "old") not in receiver.alerts()


async def test_what_a_removed_hook_is_owed_is_given_up_and_told(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    receiver.status = 503
    other = Receiver()
    async with simulate(make_scenario()) as cloud, other.serve():
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            owed = await program.event("delivery.retried", hook="ops")
            renamed = configure(cloud.url, other)
            renamed["alerting"]["hooks"][0]["name"] = "other"
            renamed["alerting"]["route"]["hook"] = "other"
            write("auditd.yaml", renamed)
            hang_up(program)
            reloaded = await program.event("config.reloaded")
            assert (reloaded["hooks_added"], reloaded["hooks_removed"]) == (1, 1)
            await program.event("delivery.dead", id=owed["id"], death="hook_removed")
            await other.told("firing", "GitAuthorizationOverdue", "lapsed")
            await program.event("delivery.sent", hook="other")
            seen = await scrape(session, await program.url())
    assert seen.total("auditd_notifications_total", hook="ops") == 0
    assert seen.total("auditd_notifications_total", hook="other") >= 1


async def test_what_needs_a_restart_is_said(simulate: Any, write: Write) -> None:
    async with simulate(make_scenario()) as cloud:
        configuration = make_configuration(cloud.url)
        file = write("auditd.yaml", configuration)
        async with daemon(file) as program:
            await program.event("daemon.ready")
            elsewhere = {"url": f"sqlite:///{file.parent / 'other.db'}"}
            write("auditd.yaml", {**configuration, "storage": elsewhere})
            hang_up(program)
            await program.event("config.reloaded", warning="storage.url changed; restart to use it")


async def test_reloads_while_everything_is_under_way_lose_nothing(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    projects = 12
    wanted = {(it, f"p{number}") for it in ("firing", "resolved") for number in range(projects)}
    async with simulate(make_scenario(projects)) as cloud:
        base = make_configuration(cloud.url, projects, poll_interval="1s", poll_timeout="1s")
        alerting = configure(cloud.url, receiver)["alerting"]

        def variant(number: int) -> dict[str, Any]:
            """Other hook options, another rate, another number of places and one label more."""
            hook = {**alerting["hooks"][0], "headers": {"X-Number": str(number)}}
            rates = {"requests_per_second": 1000 - number, "concurrency": 2 + number % 5}
            last = {**base["projects"][-1], "labels": {"number": str(number)}}
            return {
                **base,
                "global": {**base["global"], **rates},
                "projects": [*base["projects"][:-1], last],
                "alerting": {**alerting, "hooks": [hook]},
            }

        file = write("auditd.yaml", variant(0))
        async with daemon(file) as program:
            await program.event("daemon.started")
            for number in range(1, 16):
                write("auditd.yaml", variant(number))
                hang_up(program)
                while len(program.told("config.reloaded")) < number:
                    await asyncio.sleep(0.01)
            for number in range(projects):
                await program.event("alert.fired", project=f"p{number}", check="overdue")
                url = f"{cloud.url}/_simulator/authorizations/cn-north-4_p{number}"
                change = {"name": "lapsed", "set": {"status": "normal"}}
                async with session.post(url, json=change) as answer:
                    answer.raise_for_status()
            for number in range(projects):
                await program.event(
                    "alert.resolved", project=f"p{number}", check="overdue", reason="cleared"
                )
            async with asyncio.timeout(30), receiver._news:
                await receiver._news.wait_for(lambda: wanted <= _told_of_overdue(receiver))
            assert program.told("config.rejected") == []
            assert program.told("library.logged") == []
            assert "Traceback" not in program.text
    ids = [webhook_id for webhook_id, _ in receiver.taken]
    assert len(set(ids)) == len(ids)


def _told_of_overdue(receiver: Receiver) -> set[tuple[str, str]]:
    """Status and project of all that was told."""
    return {
        (alert["status"], alert["labels"]["project"])
        for _, payload in receiver.taken
        for alert in payload["data"]["alerts"]
        if alert["labels"]["check"] == "overdue"
    }
