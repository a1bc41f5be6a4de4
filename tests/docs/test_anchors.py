"""Each alert has its runbook, each runbook its alert, and what alerts link to is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from auditd.alerting.matcher import parse_matcher
from auditd.audit.blind import BLIND_ALERT
from auditd.daemon.catalog import load_catalog
from tests.docs.blocks import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks.md"
RULES = ROOT / "deploy" / "prometheus" / "rules"
PARTS = ("What it means.", "What breaks.", "See it.", "What to do.", "Silence.")


def sections() -> dict[str, str]:
    """By alertname."""
    parts = re.split(r"(?m)^### (\w+)$", RUNBOOKS.read_text("utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def own_alerts() -> set[str]:
    checks = load_catalog().checks.values()
    return {plugin.build(plugin.options()).alertname for plugin in checks} | {BLIND_ALERT}


def rules() -> list[dict[str, Any]]:
    documents = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(RULES.glob("*.yaml"))]
    groups = [group for document in documents for group in document["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert len(rules()) > 30
    assert sections().keys() == own_alerts() | {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("name", sections())
def test_a_runbook_says_all_that_is_needed(name: str) -> None:
    text = sections()[name]
    assert [part for part in PARTS if f"**{part}**" not in text] == []
    assert text.count("```promql") == 1
    assert text.count("```console") == 1


@pytest.mark.parametrize("name", sections())
def test_a_runbook_says_how_its_alert_is_silenced(name: str) -> None:
    silence = sections()[name].rpartition("**Silence.**")[2]
    matchers = next(re.finditer(r"`([^`]*alertname=[^`]*)`", silence))[1]
    parsed = [parse_matcher(matcher) for matcher in matchers.split()]
    assert [one for one in parsed if one.matches({"alertname": name})]


def test_what_the_rules_link_to_is_the_anchor_of_their_alert() -> None:
    for rule in rules():
        link = urlsplit(rule["annotations"]["runbook_url"])
        assert Path(link.path).name == "runbooks.html"
        assert link.fragment == rule["alert"].lower()


@pytest.mark.parametrize("name", sorted(own_alerts()))
def test_what_the_daemon_links_to_is_an_anchor_too(name: str) -> None:
    """It adds the alertname as it is, and anchors of headings are lower case."""
    assert f'<span id="{name}"></span>' in RUNBOOKS.read_text("utf-8")
