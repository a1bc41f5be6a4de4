"""The kinds of hook that are shipped, written in a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditd.config.problem import ConfigError
from tests.unit.config.shipped import load_beside

TEXT = """\
credentials: [{{name: prod, type: sdk_chain}}]
discovery: [{{type: iam, credential: prod}}]
alerting:
  route: {{hook: ops}}
  hooks: [{{name: ops, {hook}}}]
"""


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        ("type: webhook, url: h.example", ": url must be an address that begins with https://"),
        ("type: webhook, url: https://h, headers: {Host: x}", ": headers cannot have Host"),
        ("type: slack, url: https://h, language: fr", ".language: expected en or zh"),
        ("type: alertmanager, urls: []", ": urls must not be empty"),
        ("type: exec, command: []", ": command must name a program"),
        ("type: pagerduty", ".routing_key: this key or routing_key_file is required"),
        ("type: wecom, url_file: none", ".url_file: the secret file "),
        ("type: smtp, host: h, to: [a@b]", ".from: this key is required"),
        ("type: smn, credential: prod, topic_urn: x", ": topic_urn must look like urn:smn:"),
        (
            "type: smn, credential: prd, topic_urn: urn:smn:a:b:c",
            ".credential: no credential has this name; did you mean 'prod'?",
        ),
    ],
)
def test_a_mistake_in_a_hook_is_told(tmp_path: Path, hook: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_beside(tmp_path, TEXT.format(hook=hook))
    assert f": alerting.hooks[0]{problem}" in str(caught.value)


@pytest.mark.parametrize(
    ("hook", "warnings"),
    [
        ("type: webhook, url: 'https://hooks.acme.example/auditd'", 0),
        ("type: webhook, url: 'https://h.example', secret: x", 1),
        ("type: slack, url: 'https://h.example/services/T0/B0/XXXXXXXXXXXXXXXX'", 1),
        ("type: apprise, url: 'tgram://123456:ABC/1'", 1),
    ],
)
def test_a_key_in_a_file_that_others_can_read_is_warned_of(
    tmp_path: Path, hook: str, warnings: int
) -> None:
    path = tmp_path / "servicestage-auditd.yaml"
    path.touch()
    path.chmod(0o644)
    assert len(load_beside(tmp_path, TEXT.format(hook=hook)).warnings) == warnings
