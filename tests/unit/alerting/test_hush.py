from dataclasses import replace

from auditd.alerting.hush import Hush, Suppression
from auditd.alerting.inhibition import blind_projects, is_inhibited
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.mute import TimeInterval, TimeSpan
from auditd.alerting.route import RouteSettings
from auditd.alerting.silence import Acknowledgement, Silence
from tests.unit.alerting.examples import AT, HOUR, firing, resolved

BLIND = firing("ProjectBlind", check="blind")
OTHER_PROJECT = firing(project="web")
SETTINGS = RouteSettings("ops")
MUTED = RouteSettings("ops", muted=(TimeInterval("always", (TimeSpan(),)),))
SILENCE = Silence(
    "s1", (Matcher("project", Operator.EQUAL, "payments"),), AT, AT + HOUR, "ops", "maintenance"
)
KNOWN = Acknowledgement(firing().fingerprint, AT, AT, "ops", "on it")


def test_a_project_is_blind_while_its_alert_fires() -> None:
    assert blind_projects([BLIND, OTHER_PROJECT]) == {"payments"}
    assert blind_projects([resolved(BLIND, AT)]) == frozenset()


def test_blindness_inhibits_the_other_alerts_of_its_project() -> None:
    blind = frozenset({"payments"})
    assert is_inhibited(firing(), blind)
    assert not is_inhibited(OTHER_PROJECT, blind)


def test_blindness_does_not_inhibit_itself() -> None:
    assert not is_inhibited(BLIND, frozenset({"payments"}))


def test_nothing_is_suppressed_without_a_reason() -> None:
    assert Hush().suppression(firing(), SETTINGS, AT) is None


def test_each_reason_is_told() -> None:
    by_all = Hush((SILENCE,), {KNOWN.fingerprint: KNOWN}, frozenset({"payments"}))
    assert by_all.suppression(firing(), MUTED, AT) is Suppression.SILENCED
    without_silence = replace(by_all, silences=())
    assert without_silence.suppression(firing(), MUTED, AT) is Suppression.INHIBITED
    without_blindness = replace(without_silence, blind_projects=frozenset())
    assert without_blindness.suppression(firing(), MUTED, AT) is Suppression.ACKNOWLEDGED
    assert Hush().suppression(firing(), MUTED, AT) is Suppression.MUTED


def test_an_acknowledgement_of_a_former_episode_suppresses_nothing() -> None:
    hush = Hush(acknowledgements={KNOWN.fingerprint: KNOWN})
    assert hush.suppression(firing(at=AT + HOUR), SETTINGS, AT) is None


def test_a_silence_that_is_over_suppresses_nothing() -> None:
    assert Hush((SILENCE,)).suppression(firing(), SETTINGS, AT + HOUR) is None
