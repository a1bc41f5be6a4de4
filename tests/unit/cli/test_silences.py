from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from auditd.alerting.matcher import parse_matcher
from auditd.alerting.silence import Silence
from auditd.store.store import Store
from tests.unit.cli.conftest import now

CREATED = b'{"status": "success", "data": {"id": "s7"}}'


async def silence(store: Store) -> None:
    matchers = (parse_matcher('team=~"pay.*"'), parse_matcher("severity!=critical"))
    at = now()
    over = Silence("s0", matchers, at - timedelta(hours=2), at - timedelta(hours=1), "ada", "x")
    await store.put_silence(over)
    await store.put_silence(
        Silence("s1", matchers, at, at + timedelta(hours=1), "ada", "moving house")
    )


def test_those_that_have_not_ended_are_listed(site: Any) -> None:
    site.fill(silence)
    silences = json.loads(site.run("silences", "list", "--format=json").stdout)
    assert [each["id"] for each in silences] == ["s1"]
    table = site.run("silences", "list").stdout
    assert 'team=~"pay.*", severity!="critical"' in table
    assert "moving house" in table


def test_the_daemon_is_asked_for_a_silence(site: Any, server: Any) -> None:
    server.body = CREATED
    flags = (f"--web.url={server.url}", "--duration=2h", "--author=ada", "--comment=moving")
    result = site.run("silences", "add", "project=payments", 'team=~"pay.*"', *flags)
    assert result.exit_code == 0
    assert result.stdout.startswith("s7 holds until ")
    [(request, asked)] = server.asked
    assert request == "POST /api/v1/silences"
    assert asked["matchers"] == ['project="payments"', 'team=~"pay.*"']
    assert (asked["author"], asked["comment"]) == ("ada", "moving")
    starts_at, ends_at = (datetime.fromisoformat(asked[key]) for key in ("starts_at", "ends_at"))
    assert ends_at - starts_at == timedelta(hours=2)
    assert abs(starts_at - now()) < timedelta(minutes=1)


def test_the_author_is_whoever_runs_the_command(
    site: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    server.body = CREATED
    site.run("silences", "add", "a=b", f"--web.url={server.url}", "--comment=x")
    assert server.asked[0][1]["author"] == "grace"


@pytest.mark.parametrize("matcher", ["payments", "=x", 'a=~"("', ""])
def test_what_is_no_matcher_is_refused_before_the_daemon_is_asked(
    site: Any, server: Any, matcher: str
) -> None:
    result = site.run("silences", "add", matcher, f"--web.url={server.url}", "--comment=x")
    assert (result.exit_code, server.asked) == (2, [])


def test_one_is_ended(site: Any, server: Any) -> None:
    server.body = b'{"status": "success"}'
    result = site.run("silences", "expire", "s/1", f"--web.url={server.url}", "--author=ada")
    assert result.exit_code == 0
    assert server.asked == [("DELETE /api/v1/silences/s%2F1", {"author": "ada"})]


@pytest.mark.parametrize(
    ("status", "exit_code"), [(400, 2), (404, 2), (409, 2), (403, 1), (500, 1), (503, 1)]
)
def test_the_exit_code_tells_whose_mistake_it_was(
    site: Any, server: Any, status: int, exit_code: int
) -> None:
    server.status = status
    server.body = b'{"status": "error", "errorType": "x", "error": "because"}'
    result = site.run("silences", "expire", "s1", f"--web.url={server.url}")
    assert result.exit_code == exit_code
    assert f"answered {status}: because" in result.stderr


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', b"{}", b"null", b"[" * 100_000])
def test_whatever_is_no_daemon_is_taken_for_none(site: Any, server: Any, body: bytes) -> None:
    server.body = body
    result = site.run("silences", "expire", "s1", f"--web.url={server.url}")
    assert result.exit_code == 1
    assert "is no daemon of this release" in result.stderr


@pytest.mark.parametrize("url", ["/only/a/path", "ftp://host", "http://user@host", "", "host:1"])
def test_only_an_address_of_the_web_will_do(site: Any, url: str) -> None:
    assert site.run("silences", "expire", "s1", f"--web.url={url}").exit_code == 2
