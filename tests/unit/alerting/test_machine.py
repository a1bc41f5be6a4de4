"""Polls, flushes, silences and reloads in any order, held against what one hook believes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.flush import flush
from auditd.alerting.grouping import Group, admit, next_flush_at, regroup
from auditd.alerting.hush import Hush
from auditd.alerting.inhibition import blind_projects
from auditd.alerting.life import advance
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.notification import Notification, NotificationReason, NotifiedStatus
from auditd.alerting.route import Route, build_tree
from auditd.alerting.rules import CheckRule, Rules
from auditd.alerting.silence import Silence
from auditd.audit.finding import Finding, Severity
from tests.unit.alerting.examples import (
    AT,
    HOUR,
    MINUTE,
    by_fingerprint,
    failed,
    listed,
    overdue,
    stale,
)

PLAIN = Rules(
    checks={"overdue": CheckRule("Expired."), "stale": CheckRule("Old.")}, flap_limit=1000
)
SLOW = Rules(
    checks={
        "overdue": CheckRule("Expired.", keep_firing_for=5 * MINUTE),
        "stale": CheckRule("Old.", for_=5 * MINUTE),
    },
    flap_limit=2,
    flap_window=20 * MINUTE,
)
FINDINGS = [overdue("gh-main"), overdue("gh-side"), stale(), stale(severity=Severity.CRITICAL)]
CRITICAL = Matcher("severity", Operator.EQUAL, "critical")
TREES = [
    build_tree(Route(hook="ops", group_wait=MINUTE)),
    build_tree(Route(hook="ops", group_by=("alertname",), group_wait=MINUTE)),
    build_tree(Route(hook="ops", routes=(Route(group_by=("...",), matchers=(CRITICAL,)),))),
]


class Alerting(RuleBasedStateMachine):
    """What a store and a clock do around the pure steps.

    `believed` is the model: for each group the alerts of which the hook was last told that they
    fire. A resolve that is lost leaves one in it; a doubled firing adds one twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = AT
        self.alerts: Mapping[str, Alert] = {}
        self.groups: Mapping[str, Group] = {}
        self.tree = TREES[0]
        self.silences: tuple[Silence, ...] = ()
        self.seen = listed()
        self.believed: dict[str, set[str]] = {}

    @initialize(rules=st.sampled_from([PLAIN, SLOW]))
    def configure(self, rules: Rules) -> None:
        self.terms = rules

    @rule(found=st.lists(st.sampled_from(FINDINGS), unique_by=lambda finding: finding.key))
    def poll(self, found: list[Finding]) -> None:
        self.seen = listed(*found)
        self._advance()
        if self.terms is PLAIN:
            firing = {one.key for one in self._firing()}
            assert firing == {finding.key for finding in found}

    @rule(is_blind=st.booleans())
    def fail(self, *, is_blind: bool) -> None:
        seen = tuple(finding for finding in self.seen.findings if finding.check != "blind")
        self.seen = failed(replace(self.seen, findings=seen), is_blind=is_blind)
        before = {one.fingerprint for one in self._firing() if one.key[1]}
        self._advance()
        assert {one.fingerprint for one in self._firing() if one.key[1]} == before

    @rule(minutes=st.integers(-10, 30))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self._flush_due()

    @rule(minutes=st.integers(1, 30))
    def silence(self, minutes: int) -> None:
        ends_at = self.now + timedelta(minutes=minutes)
        self.silences = (Silence("s", (CRITICAL,), self.now, ends_at, "ops", "-"),)

    @rule(tree=st.sampled_from(TREES))
    def reload(self, tree: object) -> None:
        self.tree = next(one for one in TREES if one is tree)
        self.groups = regroup(self.groups, self._firing(), self.tree, self.now)

    @invariant()
    def the_groups_know_what_the_hook_believes(self) -> None:
        for key, group in self.groups.items():
            known = {name for name, member in group.members.items() if member.told_at}
            assert known == self.believed.get(key, set())

    def teardown(self) -> None:
        """All is well again, and after a while the hook believes so."""
        self.now += HOUR
        self.silences = ()
        for _ in range(3):
            self.seen = listed()
            self._advance()
            self.now += 6 * MINUTE + self.terms.flap_window
            self._flush_due()
        assert not any(self.believed.values())
        assert not any(group.members for group in self.groups.values())
        self.now += self.terms.retention
        assert advance(self.alerts.values(), self.seen, self.terms, self.now) == ((), ())

    def _firing(self) -> list[Alert]:
        return [one for one in self.alerts.values() if one.state is AlertState.FIRING]

    def _advance(self) -> None:
        alerts, transitions = advance(self.alerts.values(), self.seen, self.terms, self.now)
        assert advance(alerts, self.seen, self.terms, self.now) == (alerts, ())
        self.alerts = by_fingerprint(*alerts)
        groups = dict(self.groups)
        for change in transitions:
            if change.alert.state is AlertState.FIRING:
                for found in self.tree.assign(change.alert.labels):
                    group = groups.get(found.group_key)
                    name = change.alert.fingerprint
                    groups[found.group_key] = admit(group, found, name, self.now)
        self.groups = groups

    def _flush_due(self) -> None:
        hush = Hush(self.silences, blind_projects=blind_projects(self.alerts.values()))
        after = {}
        for key, group in self.groups.items():
            own = self.tree.settings_of(group.route_id)
            after[key] = group
            if next_flush_at(group, own, self.now) <= self.now:
                after[key], told = flush(group, self.alerts, own, hush, now=self.now)
                if told:
                    self._receive(told)
        self.groups = {key: group for key, group in after.items() if group.members}

    def _receive(self, told: Notification) -> None:
        believed = self.believed.setdefault(told.group_key, set())
        fires = {one.fingerprint for one in told.alerts if one.status is NotifiedStatus.FIRING}
        ended = {one.fingerprint for one in told.alerts if one.status is NotifiedStatus.RESOLVED}
        assert ended <= believed
        assert not fires & ended
        match told.reason:
            case NotificationReason.NEW:
                assert fires - believed
            case NotificationReason.RESOLVED:
                assert ended
                assert fires <= believed
            case NotificationReason.REPEAT:
                assert fires
                assert fires <= believed
                assert not ended
        self.believed[told.group_key] = (believed | fires) - ended


TestAlerting = Alerting.TestCase
TestAlerting.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
