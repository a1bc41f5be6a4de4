from dataclasses import replace
from datetime import datetime

import pytest

from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Acknowledgement, Silence
from tests.unit.alerting.examples import AT, HOUR, MINUTE, SECOND, firing, pending_again, resolved

PAYMENTS = Matcher("project", Operator.EQUAL, "payments")
SILENCE = Silence("s1", (PAYMENTS,), AT, AT + HOUR, "ops", "maintenance")


@pytest.mark.parametrize(
    ("at", "is_covered"),
    [
        (AT - SECOND, False),
        (AT, True),
        (AT + HOUR - SECOND, True),
        (AT + HOUR, False),
    ],
    ids=["before", "at its start", "in it", "at its end"],
)
def test_a_silence_has_its_start_and_not_its_end(at: datetime, *, is_covered: bool) -> None:
    assert SILENCE.covers(firing().labels, at) is is_covered


def test_a_silence_covers_what_fits_all_its_matchers() -> None:
    other = Matcher("severity", Operator.EQUAL, "warning")
    silence = replace(SILENCE, matchers=(PAYMENTS, other))
    assert not silence.covers(firing().labels, AT)
    assert silence.covers(firing(severity="warning").labels, AT)


@pytest.mark.parametrize("matchers", [(), (Matcher("team", Operator.FITS, ".*"),)])
def test_a_silence_of_everything_is_refused(matchers: tuple[Matcher, ...]) -> None:
    with pytest.raises(ValueError, match="or it silences all"):
        replace(SILENCE, matchers=matchers)


def test_a_silence_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        replace(SILENCE, ends_at=AT)


def test_an_acknowledgement_is_of_one_alert() -> None:
    alert = firing()
    acknowledgement = Acknowledgement(alert.fingerprint, AT, AT + MINUTE, "ops", "on it")
    assert acknowledgement.covers(alert)
    assert not acknowledgement.covers(firing(project="web"))


def test_an_acknowledgement_ends_with_the_episode() -> None:
    alert = firing()
    acknowledgement = Acknowledgement(alert.fingerprint, AT, AT + MINUTE, "ops", "on it")
    ended = resolved(alert, AT + HOUR)
    assert not acknowledgement.covers(ended)
    assert not acknowledgement.covers(pending_again(ended, AT + 2 * HOUR))
    assert not acknowledgement.covers(firing(at=AT + 2 * HOUR))
