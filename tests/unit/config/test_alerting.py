from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.mute import Range, TimeSpan
from auditd.alerting.route import build_tree
from auditd.config.alerting import Alerting
from auditd.config.problem import ConfigError
from auditd.config.settings import Settings

TEXT = """\
credentials: [{name: prod, type: sdk_chain}]
discovery: [{type: iam, credential: prod}]
alerting:
  route:
    hook: ops
    group_by: [project, alertname]
    group_wait: 0s
    repeat_interval: 4h
    routes:
      - matchers: ['severity="critical"', 'team=~"pay.*"']
        hook: am
        continue: true
        routes:
          - mute_time_intervals: [night]
            active_time_intervals: [night]
            routes: [{hook: page}]
  hooks:
    - name: ops
      type: webhook
      url: https://h.example
      secret_file: [new, old]
      payload: cloudevents
    - {name: am, type: alertmanager, urls: [http://a:9093, http://b:9093]}
    - {name: page, type: exec, command: [/bin/page, now]}
  time_intervals:
    - name: night
      time_intervals:
        - times: [{start_time: "20:00", end_time: "24:00"}]
          weekdays: ["Monday:friday", sunday]
          days_of_month: ["1:5", -1, "-3:-1"]
          months: [january, "4:june"]
          years: [2027, "2028:2030"]
          location: Asia/Shanghai
"""


HOOK = "hooks: [{name: ops, type: exec, command: [/bin/true]}]"
LEAST = f"""\
credentials: [{{name: prod, type: sdk_chain}}]
discovery: [{{type: iam, credential: prod}}]
alerting:
  route: {{hook: ops}}
  {HOOK}
"""


@pytest.fixture
def alerting(load_text: Callable[..., Settings], tmp_path: Path) -> Alerting:
    (tmp_path / "new").write_text("n")
    (tmp_path / "old").write_text("o")
    alerting = load_text(TEXT).alerting
    assert alerting
    return alerting


def test_a_tree_of_routes_is_read_to_its_leaves(alerting: Alerting) -> None:
    route = alerting.route
    assert (route.hook, route.group_by) == ("ops", ("project", "alertname"))
    assert (route.group_wait, route.group_interval) == (timedelta(0), None)
    (critical,) = route.routes
    assert critical.continue_
    assert critical.matchers == (
        Matcher("severity", Operator.EQUAL, "critical"),
        Matcher("team", Operator.FITS, "pay.*"),
    )
    (quiet,) = critical.routes
    assert (quiet.mute_time_intervals, quiet.active_time_intervals) == (("night",), ("night",))
    assert quiet.routes[0].hook == "page"


def test_a_tree_can_be_built_of_what_was_read(alerting: Alerting) -> None:
    tree = build_tree(alerting.route, alerting.time_intervals)
    (assignment,) = tree.assign({"severity": "critical", "team": "payments"})
    assert assignment.settings.hook == "page"


def test_each_type_of_hook_has_its_own_options(alerting: Alerting) -> None:
    ops, am, page = alerting.hooks
    assert ops.options.payload == "cloudevents"
    assert [secret.reveal() for secret in ops.options.secret] == ["n", "o"]
    assert am.options.urls == ("http://a:9093", "http://b:9093")
    assert page.options.command == ("/bin/page", "now")
    assert (page.name, page.type) == ("page", "exec")


def test_time_intervals_are_ranges_of_numbers(alerting: Alerting) -> None:
    (span,) = alerting.time_intervals[0].time_intervals
    assert isinstance(span, TimeSpan)
    assert (span.times[0].start_time, span.times[0].end_time) == (
        timedelta(hours=20),
        timedelta(hours=24),
    )
    assert span.weekdays == (Range(1, 5), Range(0, 0))
    assert span.days_of_month == (Range(1, 5), Range(-1, -1), Range(-3, -1))
    assert span.months == (Range(1, 1), Range(4, 6))
    assert span.years == (Range(2027, 2027), Range(2028, 2030))


def test_alerts_link_to_the_console_and_to_no_runbook(load_text: Callable[..., Settings]) -> None:
    alerting = load_text(LEAST).alerting
    assert alerting
    assert alerting.runbook_url == ""
    assert alerting.console_url == "https://console.huaweicloud.com/servicestage/"


@pytest.mark.parametrize("link", ["", "https://wiki.acme.example/auditd/"])
def test_links_are_taken_as_they_are_written(load_text: Callable[..., Settings], link: str) -> None:
    alerting = load_text(f"{LEAST}  runbook_url: '{link}'\n  console_url: '{link}'\n").alerting
    assert alerting
    assert (alerting.runbook_url, alerting.console_url) == (link, link)


@pytest.mark.parametrize("link", ["wiki", "https://w.example/#top", "https://w.example/?a=b"])
def test_what_alerts_cannot_add_to_is_no_link(
    load_text: Callable[..., Settings], link: str
) -> None:
    with pytest.raises(ConfigError, match=r"alerting\.console_url: .*an? address"):
        load_text(f"{LEAST}  console_url: '{link}'\n")


def test_a_hook_names_a_credential_that_exists(load_text: Callable[..., Settings]) -> None:
    text = LEAST.replace("type: exec, command: [/bin/true]", "type: smn, credential: %s")
    assert load_text(text % "prod").alerting
    with pytest.raises(ConfigError, match=r"hooks\[0\]\.credential: no credential has this name"):
        load_text(text % "prdo")
