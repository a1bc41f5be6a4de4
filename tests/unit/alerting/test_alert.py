from dataclasses import asdict, fields, replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import Alert, AlertState, fingerprint_of
from tests.unit.alerting.examples import AT, HOUR, firing, pending_again, resolved

texts = st.text(max_size=5)
label_sets = st.dictionaries(texts, texts, max_size=4)


def test_the_fingerprint_is_fixed_for_all_releases() -> None:
    assert fingerprint_of({"alertname": "A", "project": "payments"}) == (
        "db6680dfcaf43636eea30422eb81d682"
    )


@given(label_sets, st.randoms(use_true_random=False))
def test_the_order_of_labels_is_not_in_the_fingerprint(
    labels: dict[str, str], random: Random
) -> None:
    items = list(labels.items())
    random.shuffle(items)
    assert fingerprint_of(dict(items)) == fingerprint_of(labels)


@given(label_sets, label_sets)
def test_other_labels_have_another_fingerprint(one: dict[str, str], other: dict[str, str]) -> None:
    assert (fingerprint_of(one) == fingerprint_of(other)) == (one == other)


def test_text_that_runs_together_is_told_apart() -> None:
    assert fingerprint_of({"ab": "c"}) != fingerprint_of({"a": "bc"})


def test_text_that_is_not_unicode_has_a_fingerprint() -> None:
    assert fingerprint_of({"a": "\ud800"}) != fingerprint_of({"a": "\ud801"})


def test_the_key_is_that_of_the_finding() -> None:
    assert firing().key == ("overdue", "gh-main")


def test_an_alert_of_the_project_itself_has_no_authorization_in_its_key() -> None:
    alert = replace(firing(), labels={"check": "blind"})
    assert alert.key == ("blind", "")


def test_a_firing_alert_has_no_ended_episode() -> None:
    assert firing().ended_episode is None


def test_a_resolved_alert_is_its_own_ended_episode() -> None:
    alert = resolved(firing(), AT + HOUR)
    assert alert.ended_episode == alert


def test_a_pending_alert_that_never_fired_has_no_ended_episode() -> None:
    assert replace(firing(), state=AlertState.PENDING, fired_at=None).ended_episode is None


def test_a_pending_alert_remembers_when_it_fired_and_ended() -> None:
    episode = pending_again(resolved(firing(), AT + HOUR), AT + 2 * HOUR).ended_episode
    assert episode is not None
    assert episode.state is AlertState.RESOLVED
    assert (episode.since, episode.active_at, episode.resolved_at) == (AT, AT, AT + HOUR)


def test_what_is_seen_again_differs_in_nothing_but_the_instant() -> None:
    values: dict[str, Any] = {field.name: f"the {field.name}" for field in fields(Alert)}
    assert Alert(**values).seen_again(AT) == Alert(**{**values, "last_seen_at": AT})


def test_an_alert_is_made_of_plain_values() -> None:
    values = asdict(firing())
    assert values["labels"] == firing().labels
    assert values["state"] == "firing"
