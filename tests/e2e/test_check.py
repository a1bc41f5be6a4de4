from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.metrics import Scrape
from tests.e2e.program import finished
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)

Write = Callable[[str, Any], Path]


async def check(simulate: Any, write: Write, *arguments: str, **scenario: Any) -> Any:
    projects = scenario.pop("projects", 3)
    async with simulate(make_scenario(projects, **scenario)) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url, projects))
        return await finished("check", f"--config.file={file}", *arguments)


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 1), ("warning", 1), ("info", 1)])
async def test_findings_at_or_above_the_threshold_are_exit_code_1(
    simulate: Any, write: Write, fail_on: str, code: int
) -> None:
    assert (await check(simulate, write, f"--fail-on={fail_on}"))[0] == code


async def test_findings_below_the_threshold_are_printed_and_fine(
    simulate: Any, write: Write
) -> None:
    async with simulate(make_scenario(1)) as cloud:
        configuration = make_configuration(cloud.url, 1)
        configuration["checks"] = {"overdue": {"severity": "warning"}}
        file = write("auditd.yaml", configuration)
        code, out, _ = await finished("check", f"--config.file={file}", "--fail-on=critical")
    assert code == 0
    assert "lapsed" in out


async def test_a_project_that_cannot_be_polled_is_exit_code_3_and_named(
    simulate: Any, write: Write
) -> None:
    faults = [{"project": "cn-north-4_p1", "effect": {"type": "status", "status": 503}}]
    code, out, _ = await check(simulate, write, faults=faults)
    assert code == 3
    assert "p1" in out
    assert "server" in out


async def test_a_baseline_leaves_only_what_is_new(
    simulate: Any, write: Write, tmp_path: Path
) -> None:
    _, report, _ = await check(simulate, write, "--format=json")
    baseline = tmp_path / "baseline.json"
    baseline.write_text(report)
    code, out, _ = await check(simulate, write, f"--baseline={baseline}", "--format=json")
    assert code == 0
    assert json.loads(out)["findings"] == []


async def test_a_baseline_that_is_none_is_a_usage_error(
    simulate: Any, write: Write, tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text("[]")
    code, _, err = await check(simulate, write, f"--baseline={baseline}")
    assert code == 2
    assert str(baseline) in err


async def test_only_the_named_projects_are_polled(simulate: Any, write: Write) -> None:
    _, out, _ = await check(simulate, write, "--project=p1", "--format=json")
    assert [project["project"] for project in json.loads(out)["projects"]] == ["p1"]


async def test_an_unknown_project_is_a_usage_error_with_the_nearest_name(
    simulate: Any, write: Write
) -> None:
    code, _, err = await check(simulate, write, "--project=pp1")
    assert code == 2
    assert "'pp1'" in err
    assert "did you mean 'p1'?" in err


async def test_the_prometheus_format_is_what_the_daemon_would_expose(
    simulate: Any, write: Write
) -> None:
    _, out, _ = await check(simulate, write, "--format=prometheus")
    seen = Scrape(out)
    assert seen.values("auditd_project_up") == [1.0] * 3
    assert seen.total("servicestage_git_authorization_status", status="overdue") == 3
    assert "process_resident_memory_bytes" not in seen.families


async def test_no_progress_is_drawn_where_nobody_watches(simulate: Any, write: Write) -> None:
    _, _, err = await check(simulate, write)
    assert err == ""


async def test_a_discovery_that_fails_is_exit_code_3(write: Write) -> None:
    configuration = make_configuration("http://127.0.0.1:1", 1)
    configuration["discovery"] = [{"type": "iam", "credential": "keys"}]
    file = write("auditd.yaml", configuration)
    code, _, err = await finished("check", f"--config.file={file}")
    assert code == 3
    assert "iam/keys" in err


async def test_discover_lists_what_each_credential_can_see(simulate: Any, write: Write) -> None:
    scenario = make_scenario(3)
    scenario["projects"][1]["enabled"] = False
    scenario["projects"].append({"name": "MOS"})
    async with simulate(scenario) as cloud:
        configuration = make_configuration(cloud.url, 1)
        file = write("auditd.yaml", configuration)
        code, out, _ = await finished("discover", f"--config.file={file}", "--format=json")
    assert code == 0
    notes = {project["name"]: project["note"] for project in json.loads(out)}
    assert notes == {
        "cn-north-4_p0": "watched as p0",
        "cn-north-4_p1": "disabled",
        "cn-north-4_p2": "not watched",
        "MOS": "no ServiceStage in this region",
    }


async def test_a_table_that_nobody_watches_has_a_line_for_each_finding(
    simulate: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    _, out, _ = await check(simulate, write, projects=1)
    assert len(out.splitlines()) == 4  # a heading, two findings, the counts


async def test_both_ways_to_validate_say_the_same(write: Write) -> None:
    file = write("auditd.yaml", make_configuration("http://127.0.0.1:9"))
    file.chmod(0o644)
    both = [
        await finished("config", "check", str(file)),
        await finished("run", f"--config.file={file}", "--config.check"),
    ]
    assert both[0] == both[1]
    assert both[0][0] == 0
    assert "chmod 600" in both[0][2]


async def test_a_throttled_credential_is_said_and_waited_for(simulate: Any, write: Write) -> None:
    faults = [{"count": 1, "effect": {"type": "throttle", "retry_after": "1s"}}]
    code, _, err = await check(simulate, write, faults=faults)
    assert code == 3
    assert re.fullmatch(
        r"credential 'keys' is throttled: waiting until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", err
    )
