from __future__ import annotations

import json
from email import message_from_string
from typing import Any

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.store.lock import held
from auditd.store.store import Store
from tests.unit.cli.conftest import SECRET
from tests.unit.store.examples import a_delivery, a_group, settled

PAGE = {"name": "page", "type": "exec", "command": ["/bin/sh", "-c", "cat > /dev/null"]}
TOKEN = "Bearer not-a-real-token"
ROUTING_KEY = "R0FAKEFAKEFAKEFAKEFAKE"
ROBOT = "https://robots.example/send?access_token=not-a-real-token"


def webhook(url: str) -> dict[str, Any]:
    return {
        "name": "ops",
        "type": "webhook",
        "url": f"{url}/secret-path",
        "secret": [SECRET],
        "authorization": TOKEN,
    }


HOOKS = [
    webhook("http://127.0.0.1:9"),
    {"name": "am", "type": "alertmanager", "urls": ["http://127.0.0.1:9", "http://[::1]:9/am"]},
    PAGE,
    {"name": "pd", "type": "pagerduty", "routing_key": ROUTING_KEY},
    {"name": "slack", "type": "slack", "url": ROBOT},
    {"name": "feishu", "type": "feishu", "url": ROBOT, "secret": SECRET},
    {"name": "ding", "type": "dingtalk", "url": ROBOT, "secret": SECRET},
    {"name": "wecom", "type": "wecom", "url": ROBOT},
    {
        "name": "smn",
        "type": "smn",
        "topic_urn": f"urn:smn:cn-north-4:{'0' * 32}:alerts",
        "credential": "keys",
    },
    {
        "name": "mail",
        "type": "smtp",
        "host": "mail.invalid",
        "from": "auditd@acme.example",
        "to": ["ops@acme.example"],
        "username": "auditd",
        "password": "not-a-real-password",
    },
]


async def owe(store: Store) -> None:
    """A pending and a dead delivery of `ops`, a dead one of a hook that is gone."""
    await store.record_flush(a_group(), a_delivery("d1"))
    await store.settle(settled(a_delivery("d1"), DeliveryState.DEAD))
    await store.record_flush(a_group(), a_delivery("d2"))
    await store.record_flush(a_group("old:{}"), a_delivery("d3", "old:{}", "old"))
    await store.settle(settled(a_delivery("d3", "old:{}", "old"), DeliveryState.DEAD))
    await store.switch_off("page", "it answered 410")


def listed(site: Any) -> dict[str, Any]:
    result = site.run("hooks", "list", "--format=json")
    assert result.exit_code == 0
    return {hook.pop("name"): hook for hook in json.loads(result.stdout)}


def test_hooks_are_listed_before_the_daemon_was_ever_started(site: Any) -> None:
    site.configure(PAGE)
    assert listed(site) == {"page": {"type": "exec", "switched_off": "", "pending": 0, "dead": 0}}
    assert not site.state.exists()


def test_hooks_are_listed_with_what_they_are_owed(site: Any) -> None:
    site.configure(webhook("http://127.0.0.1:9"), PAGE)
    site.fill(owe)
    assert listed(site) == {
        "ops": {"type": "webhook", "switched_off": "", "pending": 1, "dead": 1},
        "page": {"type": "exec", "switched_off": "it answered 410", "pending": 0, "dead": 0},
        "old": {"type": "", "switched_off": "", "pending": 0, "dead": 1},
    }
    assert "(not configured)" in site.run("hooks", "list").stdout


def test_a_hook_that_was_switched_off_says_why(site: Any) -> None:
    site.configure(webhook("http://127.0.0.1:9"), PAGE)
    site.fill(owe)
    lines = [line.split() for line in site.run("hooks", "list").stdout.splitlines()]
    assert lines[0] == ["HOOK", "TYPE", "PENDING", "DEAD", "STATE"]
    assert lines[1] == ["ops", "webhook", "1", "1", "on"]
    assert lines[2] == ["page", "exec", "0", "0", "off:", "it", "answered", "410"]


def test_a_hook_is_switched_on_though_no_daemon_runs(site: Any) -> None:
    site.configure(webhook("http://127.0.0.1:9"), PAGE)
    site.fill(owe)
    result = site.run("hooks", "enable", "page")
    assert result.exit_code == 0
    assert result.stdout.startswith("page is on again: ")
    assert result.stdout.endswith(" when it is started\n")
    assert listed(site)["page"]["switched_off"] == ""
    assert site.run("hooks", "enable", "page").stdout == "page is on\n"


def test_the_running_daemon_is_asked_to_switch_a_hook_on(site: Any, server: Any) -> None:
    site.configure(PAGE)
    site.fill(owe)
    server.body = b'{"status": "success"}'
    with held(site.state):
        result = site.run("hooks", "enable", "page", f"--web.url={server.url}")
        assert listed(site)["page"]["switched_off"] == "it answered 410"
    assert result.exit_code == 0
    assert server.asked == [("POST /api/v1/hooks/page/enable", {})]
    assert result.stdout == "page is on again: the daemon sends what it is owed\n"


def test_only_configured_hooks_are_switched_on(site: Any) -> None:
    site.configure(PAGE)
    site.fill(owe)
    result = site.run("hooks", "enable", "pages")
    assert result.exit_code == 2
    assert "there is no hook 'pages' in alerting.hooks; did you mean 'page'?" in result.stderr
    assert site.run("hooks", "enable", "old").exit_code == 2


def test_switching_on_makes_no_state(site: Any) -> None:
    site.configure(PAGE)
    assert site.run("hooks", "enable", "page").exit_code == 4
    assert not site.state.exists()


def test_without_hooks_there_is_nothing_to_list(site: Any) -> None:
    assert listed(site) == {}


def test_a_damaged_state_is_told_by_the_exit_code(site: Any) -> None:
    site.state.write_bytes(b"no database at all" * 1000)
    assert site.run("hooks", "list").exit_code == 4


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["type"])
def test_every_kind_shows_a_test_alert_without_secrets(site: Any, hook: dict[str, Any]) -> None:
    site.configure(hook)
    result = site.run("hooks", "render", hook["name"])
    assert result.exit_code == 0
    assert "TEST" in result.stdout
    for secret in (SECRET, TOKEN, ROUTING_KEY, ROBOT, "not-a-real", "secret-path"):
        assert secret not in result.output


def test_the_payload_alone_is_on_standard_output(site: Any) -> None:
    site.configure(webhook("http://127.0.0.1:9"))
    result = site.run("hooks", "render", "ops")
    payload = json.loads(result.stdout)
    assert payload["data"]["alerts"][0]["labels"]["alertname"] == "HookTest"
    head = dict(line.split(": ", 1) for line in result.stderr.splitlines()[1:])
    assert result.stderr.startswith("POST ***\n")
    assert head["Authorization"] == "***"
    assert head["webhook-id"] == payload["data"]["id"]
    assert head["webhook-signature"].startswith("v1,")


def test_every_peer_is_shown(site: Any) -> None:
    site.configure(HOOKS[1])
    result = site.run("hooks", "render", "am")
    posts = [line for line in result.stderr.splitlines() if line.startswith("POST ")]
    assert posts == [
        "POST http://127.0.0.1:9/api/v2/alerts",
        "POST http://[::1]:9/am/api/v2/alerts",
    ]
    assert len(result.stdout.splitlines()) == 2


def test_a_mail_is_shown_as_it_would_be_sent(site: Any) -> None:
    site.configure(HOOKS[-1])
    mail = message_from_string(site.run("hooks", "render", "mail").stdout)
    assert mail["To"] == "ops@acme.example"
    assert "HookTest" in mail["Subject"]


def test_the_global_labels_are_on_the_test_alert(site: Any) -> None:
    site.configure(PAGE)
    with site.file.open("a") as file:
        file.write("global: {labels: {cluster: blue}}\n")
    assert '"cluster":"blue"' in site.run("hooks", "render", "page").stdout


@pytest.mark.parametrize("verb", ["render", "test"])
def test_the_nearest_name_is_suggested(site: Any, verb: str) -> None:
    site.configure(PAGE)
    result = site.run("hooks", verb, "pages")
    assert result.exit_code == 2
    assert "there is no hook 'pages' in alerting.hooks; did you mean 'page'?" in result.stderr


@pytest.mark.parametrize("verb", ["render", "test"])
def test_a_hook_that_cannot_be_built_is_a_usage_error(site: Any, verb: str) -> None:
    site.configure({**HOOKS[-1], "title": "{{"})
    result = site.run("hooks", verb, "mail")
    assert result.exit_code == 2
    assert "hook 'mail': title is not a valid Jinja2 template" in result.stderr


def test_a_test_sends_an_alert_and_its_end(site: Any, server: Any) -> None:
    site.configure(webhook(server.url))
    server.body = b"thanks"
    result = site.run("hooks", "test", "ops")
    assert result.exit_code == 0
    assert [body["type"] for _, body in server.asked] == ["alerts.firing", "alerts.resolved"]
    (_, firing), (_, resolved) = server.asked
    assert firing["data"]["id"] != resolved["data"]["id"]
    fired, ended = (body["data"]["alerts"][0] for body in (firing, resolved))
    assert fired["fingerprint"] == ended["fingerprint"]
    assert fired["annotations"]["summary"].startswith("TEST: ")
    assert result.stdout.count("the receiver answered 200: thanks") == 2


def test_a_failed_test_says_what_came_back_and_sends_no_end(site: Any, server: Any) -> None:
    site.configure(webhook(server.url))
    server.status = 403
    server.body = f"{TOKEN} may not".encode()
    result = site.run("hooks", "test", "ops")
    assert result.exit_code == 1
    assert len(server.asked) == 1
    assert "firing: not taken" in result.stdout
    assert "the receiver answered 403: *** may not" in result.stdout


def test_a_receiver_that_is_not_there_fails_the_test(site: Any) -> None:
    site.configure(webhook("http://127.0.0.1:9"))
    result = site.run("hooks", "test", "ops")
    assert result.exit_code == 1
    assert "the receiver refused or closed the connection" in result.stdout
    assert "secret-path" not in result.output


def test_a_program_is_run(site: Any) -> None:
    kept = site.state.with_name("kept")
    site.configure({**PAGE, "command": ["/bin/sh", "-c", f"cat >> {kept}"]})
    result = site.run("hooks", "test", "page")
    assert result.exit_code == 0
    assert "the program ended with 0" in result.stdout
    assert kept.read_text().count('"type":"alerts.') == 2


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (400, 1), (503, 1)])
def test_an_alertmanager_is_told_both(site: Any, server: Any, status: int, exit_code: int) -> None:
    site.configure({"name": "am", "type": "alertmanager", "urls": [server.url]})
    server.status = status
    result = site.run("hooks", "test", "am")
    assert result.exit_code == exit_code
    assert len(server.asked) == (2 if status == 200 else 1)
    assert ("not taken" in result.stdout) is (exit_code == 1)


def test_a_state_is_neither_needed_nor_made_to_try_a_hook_out(site: Any, server: Any) -> None:
    site.configure(webhook(server.url))
    site.run("hooks", "test", "ops")
    site.run("hooks", "render", "ops")
    assert not site.state.exists()


def test_a_hook_signs_with_a_configured_credential(site: Any, server: Any) -> None:
    server.body = b'{"message_id": "m1"}'
    site.configure({**HOOKS[8], "endpoint": server.url})
    result = site.run("hooks", "test", "smn")
    assert result.exit_code == 0, result.output
    assert len(server.asked) == 2
