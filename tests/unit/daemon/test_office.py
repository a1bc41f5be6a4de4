"""On a real board and a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.alerting.alert import AlertState
from auditd.alerting.matcher import parse_matcher
from auditd.daemon.alarms import Alarms, open_alarms
from auditd.daemon.loader import Loader
from auditd.daemon.office import Office
from auditd.daemon.watch import utc_now
from auditd.hooks.port import HttpRequest
from auditd.store.opening import open_store
from auditd.web.office import HookStanding
from tests.unit.config.shipped import CATALOG
from tests.unit.web.fakes import alert_of

HOUR = timedelta(hours=1)
CONFIGURATION = """
credentials: [{name: prod, type: token, token: x}]
projects:
  - name: payments
    project_id: 0123456789abcdef0123456789abcdef
    region: cn-north-4
    credential: prod
alerting:
  route: {hook: ops}
  hooks:
    - {name: ops, type: webhook, url: "http://127.0.0.1:9"}
    - {name: am, type: alertmanager, urls: ["http://127.0.0.1:9"]}
"""


async def _sign(
    request: HttpRequest, *, credential: str, project_id: str, region: str
) -> HttpRequest:
    return request


@asynccontextmanager
async def opened(directory: Path, switched_off: str = "") -> AsyncIterator[tuple[Office, Alarms]]:
    file = directory / "auditd.yaml"
    file.touch(mode=0o600)
    file.write_text(CONFIGURATION)
    settings = Loader(file, CATALOG, {}, on_secret=lambda _: None).read()
    url = f"sqlite:///{directory / 'state.db'}"
    async with open_store(url, now=utc_now, retention=timedelta(days=1)) as store:
        if switched_off:
            await store.switch_off("ops", switched_off)
        async with open_alarms(
            settings,
            CATALOG,
            store,
            sign=_sign,
            emit_alert=lambda _: None,
            emit_delivery=lambda _: None,
            external_url="",
        ) as (alarms, _):
            yield Office(alarms, store), alarms


async def test_every_hook_is_told_of_with_why_it_is_off(tmp_path: Path) -> None:
    async with opened(tmp_path, "it answered 410 Gone") as (office, alarms):
        alarms.dead["ops"] += 3
        assert await office.hooks() == [
            HookStanding("ops", "webhook", "it answered 410 Gone", pending=0, dead=3),
            HookStanding("am", "alertmanager", "", pending=0, dead=0),
        ]


async def test_a_hook_that_was_switched_on_stays_on(tmp_path: Path) -> None:
    async with opened(tmp_path, "it answered 410 Gone") as (office, alarms):
        assert alarms.deliverer.switched_off == {"ops"}
        await office.enable_hook("ops")
        await office.enable_hook("ops")  # one that is on may be asked for as well
        await office.enable_hook("am")
        assert not alarms.deliverer.switched_off
    async with opened(tmp_path) as (office, alarms):
        assert not alarms.deliverer.switched_off
        assert {hook.switched_off for hook in await office.hooks()} == {""}


async def test_an_unknown_hook_is_not_switched_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (office, _):
        with pytest.raises(LookupError, match="there is no hook 'pager'"):
            await office.enable_hook("pager")


async def test_alerts_are_known_by_project_with_what_suppresses_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as (office, alarms):
        ours, theirs = alert_of("gh-main"), alert_of("gh-main", "billing")
        ended = alert_of("gh-old", state=AlertState.RESOLVED)
        alarms.board.publish("payments", (ours, ended), ())
        alarms.board.publish("billing", (theirs,), ())
        now = utc_now()
        await office.create_silence(
            (parse_matcher("project=payments"),), now - HOUR, now + HOUR, "ann", ""
        )
        assert [it.fingerprint for it in office.known("payments")] == [
            ours.fingerprint,
            ended.fingerprint,
        ]
        assert list(office.known("nobody")) == []
        told = [(alert, office.suppression(alert)) for alert in office.known()]
        shown = {alert.fingerprint: text for alert, text in told}
        assert shown == {
            ours.fingerprint: "silenced",
            ended.fingerprint: "",
            theirs.fingerprint: "",
        }
