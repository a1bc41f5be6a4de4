"""What Prometheus' own tools say of the rules and examples in deploy/prometheus."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]  # published without types
import pytest
import yaml

from auditd.audit import checks
from auditd.audit.blind import BLIND_ALERT
from auditd.telemetry import families
from auditd.telemetry.family import Family

HOME = Path(__file__).parent.parent.parent / "deploy" / "prometheus"
DASHBOARDS = HOME.parent / "grafana" / "dashboards"
RULE_FILES = sorted((HOME / "rules").glob("*.yaml"))
RUNBOOKS = "https://servicestage-auditd.readthedocs.io/en/latest/runbooks.html"
GROUPS = [group for file in RULE_FILES for group in yaml.safe_load(file.read_text())["groups"]]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDS = [rule for group in GROUPS for rule in group["rules"] if "record" in rule]


def run(*command: str | Path) -> str:
    """What the command says; it must end well and say nothing on standard error."""
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HOME)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_promtool_accepts_the_rules(promtool: Path) -> None:
    said = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)
    assert sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", said))) == len(ALERTS + RECORDS)


@pytest.mark.parametrize(
    "file", sorted((HOME / "tests").glob("*.yaml")), ids=lambda file: file.stem
)
def test_each_rule_fires_beyond_its_boundary_and_not_on_it(promtool: Path, file: Path) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", file)


def test_each_band_of_each_alert_is_in_a_unit_test() -> None:
    told = "".join(file.read_text() for file in (HOME / "tests").glob("*.yaml"))
    for alert in ALERTS:
        name, severity = alert["alert"], alert["labels"]["severity"]
        assert re.search(rf'alertname="{name}",alertstate="firing".*severity="{severity}"', told), (
            name,
            severity,
        )


def test_promtool_accepts_the_example_configuration(promtool: Path) -> None:
    said = run(promtool, "check", "config", HOME / "prometheus.yml")
    assert f"{len(RULE_FILES)} rule files found" in said


def test_amtool_accepts_the_example_of_alertmanager(alertmanager: tuple[str, ...]) -> None:
    amtool = shutil.which("amtool", path=f"/usr/bin:{Path(alertmanager[-1]).parent}")
    assert amtool
    run(amtool, "check-config", HOME / "alertmanager.yml")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_where_to_read_on(alert: Mapping[str, Any]) -> None:
    assert re.match("Auditd|GitAuthorization", alert["alert"])
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in {"warning", "critical"}
    annotations = alert["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert annotations["runbook_url"] == f"{RUNBOOKS}#{alert['alert'].lower()}"
    for text in (annotations["summary"], annotations["description"]):
        assert text.endswith(".")
        assert "\n" not in text


def test_a_recording_rule_is_named_by_level_metric_and_operation() -> None:
    for record in RECORDS:
        level, metric, operation = record["record"].split(":")
        assert re.fullmatch("[a-z_]+", level)
        assert re.search(rf"\b{metric}(_total)?\b", record["expr"])
        assert operation


def test_every_metric_in_a_rule_is_one_that_the_daemon_exposes() -> None:
    exposed = {
        family.sample_name for family in vars(families).values() if isinstance(family, Family)
    }
    exposed |= {"auditd_poll_schedule_lag_seconds_bucket"}
    for rule in ALERTS + RECORDS:
        named = set(re.findall(r"(?<![:\w])(?:auditd|servicestage)_\w+(?![:\w])", rule["expr"]))
        assert named <= exposed, rule


def test_what_the_daemon_alerts_on_itself_has_the_same_name_here() -> None:
    sources = Path(checks.__file__).parent.glob("*.py")
    own = {name for file in sources for name in re.findall(r'"(Git\w+)"', file.read_text())}
    assert len(own) == 9
    assert own | {f"Auditd{BLIND_ALERT}"} <= {alert["alert"] for alert in ALERTS}


def test_the_mixin_renders_the_same_rules_and_dashboards() -> None:
    mixin = _mixin("import 'mixin.libsonnet'")
    assert mixin["rules"]["groups"] == GROUPS
    assert mixin["dashboards"] == {
        f"auditd-{file.stem}.json": json.loads(file.read_text())
        for file in DASHBOARDS.glob("*.json")
    }


def test_the_mixin_puts_another_job_and_other_runbooks_into_them() -> None:
    other = "{ selector: 'job=\"mine\"', runbooks: 'https://wiki.example/runbooks' }"
    rendered = json.dumps(_mixin(f"(import 'mixin.libsonnet') + {{ _config+:: {other} }}"))
    assert 'job=\\"servicestage-auditd' not in rendered
    assert RUNBOOKS not in rendered
    assert 'up{job=\\"mine\\"}' in rendered
    assert "https://wiki.example/runbooks#auditddown" in rendered


def _mixin(expression: str) -> Any:
    code = (
        f"local it = {expression}; {{rules: it.prometheusAlerts, dashboards: it.grafanaDashboards}}"
    )
    return json.loads(_jsonnet.evaluate_snippet("test", code, jpathdir=[str(HOME)]))
