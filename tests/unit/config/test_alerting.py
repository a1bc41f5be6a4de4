from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.config.alerting import AlertmanagerOptions, ExecOptions, Payload, WebhookOptions
from auditd.config.matcher import Matcher, Operator, parse_matcher
from auditd.config.settings import Settings
from auditd.config.time_interval import Range

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
        routes: [{mute_time_intervals: [night], routes: [{hook: page}]}]
  hooks:
    - name: ops
      type: webhook
      url: https://h.example
      secret_file: [new, old]
      payload: cloudevents
    - {name: am, type: alertmanager, urls: [http://a:9093/, http://b:9093]}
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


@pytest.fixture
def settings(load_text: Callable[..., Settings], tmp_path: Path) -> Settings:
    (tmp_path / "new").write_text("n")
    (tmp_path / "old").write_text("o")
    return load_text(TEXT)


def test_a_tree_of_routes_is_read_to_its_leaves(settings: Settings) -> None:
    assert settings.alerting
    route = settings.alerting.route
    assert (route.hook, route.group_by) == ("ops", ("project", "alertname"))
    assert (route.group_wait, route.group_interval) == (timedelta(0), None)
    (critical,) = route.routes
    assert critical.continue_
    assert critical.matchers == (
        Matcher("severity", Operator.EQUAL, "critical"),
        Matcher("team", Operator.FITS, "pay.*"),
    )
    assert critical.routes[0].mute_time_intervals == ("night",)
    assert critical.routes[0].routes[0].hook == "page"


def test_each_type_of_hook_has_its_own_options(settings: Settings) -> None:
    assert settings.alerting
    ops, am, page = settings.alerting.hooks
    assert isinstance(ops.options, WebhookOptions)
    assert ops.options.payload is Payload.CLOUDEVENTS
    assert [secret.reveal() for secret in ops.options.secret] == ["n", "o"]
    assert am.options == AlertmanagerOptions(("http://a:9093", "http://b:9093"))
    assert page.options == ExecOptions(("/bin/page", "now"))
    assert (page.name, page.type) == ("page", "exec")


def test_time_intervals_are_ranges_of_numbers(settings: Settings) -> None:
    assert settings.alerting
    (span,) = settings.alerting.time_intervals[0].time_intervals
    assert (span.times[0].start_time, span.times[0].end_time) == (
        timedelta(hours=20),
        timedelta(hours=24),
    )
    assert span.weekdays == (Range(1, 5), Range(0, 0))
    assert span.days_of_month == (Range(1, 5), Range(-1, -1), Range(-3, -1))
    assert span.months == (Range(1, 1), Range(4, 6))
    assert span.years == (Range(2027, 2027), Range(2028, 2030))


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("a=b", Matcher("a", Operator.EQUAL, "b")),
        (' a != "b c" ', Matcher("a", Operator.NOT_EQUAL, "b c")),
        ("a=~b.*", Matcher("a", Operator.FITS, "b.*")),
        ('a!~""', Matcher("a", Operator.FITS_NOT, "")),
        ('a="=~"', Matcher("a", Operator.EQUAL, "=~")),
        (r'a="q\"\\\n\d"', Matcher("a", Operator.EQUAL, 'q"\\\n\\d')),
        ("a=", Matcher("a", Operator.EQUAL, "")),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher


@pytest.mark.parametrize("text", ["", "a", "=b", "a-b=c", 'a="b', 'a="b",c="d"', "a=~("])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|regular expression"):
        parse_matcher(text)


@given(st.text())
def test_any_quoted_value_is_read_back(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert parse_matcher(f'a="{quoted}"').value == value
