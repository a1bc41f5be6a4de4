from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from auditd.alerting.matcher import parse_matcher
from auditd.alerting.silence import Silence
from auditd.store.store import Store
from tests.unit.cli.conftest import now
from tests.unit.store.examples import (
    START,
    a_snapshot,
    an_acknowledgement,
    an_alert,
    resolved,
)

KNOWN = an_alert(name="known")
SILENCED = an_alert(name="silenced")
TOLD = an_alert(name="told")
OVER = resolved(an_alert(name="over"), START)


async def fire(store: Store) -> None:
    alerts = [KNOWN, SILENCED, TOLD, OVER]
    await store.record_poll(a_snapshot(), alerts, [], [])
    await store.acknowledge(an_acknowledgement(KNOWN))
    matcher = parse_matcher("authorization=silenced")
    end = now() + timedelta(hours=1)
    await store.put_silence(Silence("s1", (matcher,), START, end, "ada", "known"))


@pytest.fixture
def filled(site: Any) -> Any:
    site.fill(fire)
    return site


def listed(site: Any, *flags: str) -> dict[str, Any]:
    result = site.run("alerts", "list", "--format=json", *flags)
    return {
        alert["labels"]["authorization"]: alert["suppression"]
        for alert in json.loads(result.stdout)
    }


def test_what_is_open_is_listed_with_what_suppresses_it(filled: Any) -> None:
    assert listed(filled) == {"known": "acknowledged", "silenced": "silenced", "told": ""}


def test_flags_choose(filled: Any) -> None:
    assert set(listed(filled, "--state=resolved")) == {"over"}
    assert listed(filled, "--project=another") == {}


def test_the_table_has_whole_fingerprints_to_copy(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert TOLD.fingerprint in filled.run("alerts", "list").stdout


def test_the_daemon_is_told_that_somebody_knows(filled: Any, server: Any) -> None:
    server.body = b'{"status": "success", "data": {}}'
    flags = (f"--web.url={server.url}", "--author=ada", "--comment=on it")
    result = filled.run("alerts", "ack", TOLD.fingerprint, *flags)
    assert result.exit_code == 0
    path = f"POST /api/v1/alerts/{TOLD.fingerprint}/acknowledge"
    assert server.asked == [(path, {"author": "ada", "comment": "on it"})]


def test_an_unknown_alert_is_a_usage_error(site: Any, server: Any) -> None:
    server.status = 404
    server.body = b'{"status": "error", "errorType": "not_found", "error": "no such alert"}'
    result = site.run("alerts", "ack", "f", f"--web.url={server.url}", "--comment=x")
    assert result.exit_code == 2
    assert "answered 404: no such alert" in result.stderr


def test_without_a_daemon_it_is_said_that_none_runs(site: Any) -> None:
    result = site.run("alerts", "ack", "f", "--web.url=http://127.0.0.1:9", "--comment=x")
    assert result.exit_code == 1
    assert "no daemon answers at http://127.0.0.1:9: " in result.stderr
    assert "no daemon runs on the state in" in result.stderr
    assert [file.name for file in site.state.parent.iterdir()] == ["auditd.yaml"]
