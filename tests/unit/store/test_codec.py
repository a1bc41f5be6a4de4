"""The stored examples are what an installed release wrote. When one of them does not fit any more,
the rows of everyone who updates do not either: add a migration, then a new example."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditd.alerting.delivery import Attempt, AttemptOutcome
from auditd.audit.failure import FailureReason
from auditd.store import codec
from tests.unit.store.examples import (
    START,
    a_group,
    a_notification,
    a_silence,
    a_snapshot,
    an_acknowledgement,
    an_alert,
    an_authorization,
    failed,
    resolved,
)

EXAMPLES = Path(__file__).parent / "stored"

SIGHT = codec.sight_of(failed(a_snapshot(), START))
ALERT = resolved(an_alert(), START)
EVENT = codec.Event(
    listed=an_authorization(),
    fields=("tag",),
    finding=a_snapshot().findings[0],
    reason=FailureReason.TIMEOUT,
)
TRIED = (
    Attempt(START, AttemptOutcome.FAILED, "hook 'ops': the receiver answered 503"),
    Attempt(START, AttemptOutcome.REPLAYED),
    Attempt(START, AttemptOutcome.DELIVERED),
)
VALUES = {
    "event": (codec.encode(EVENT), codec.decode_event, EVENT),
    "group": (codec.encode(a_group("k", "f")), codec.GROUP.decode, a_group("k", "f")),
    "notification": (
        codec.encode(a_notification()),
        codec.NOTIFICATION.decode,
        a_notification(),
    ),
    "tried": (codec.encode(TRIED), codec.TRIED.decode, TRIED),
    "silence": (codec.encode(a_silence()), codec.SILENCE.decode, a_silence()),
    "acknowledgement": (
        codec.encode(an_acknowledgement(an_alert())),
        codec.ACKNOWLEDGEMENT.decode,
        an_acknowledgement(an_alert()),
    ),
    "sight": (codec.encode(SIGHT), codec.SIGHT.decode, SIGHT),
    "alert": (codec.encode_alert(ALERT), lambda body: codec.decode_alert(body, START), ALERT),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_is_stored_is_read_as_it_was(name: str) -> None:
    encoded, decode, value = VALUES[name]
    assert decode(encoded) == value


@pytest.mark.parametrize("name", VALUES)
def test_what_a_release_stored_can_be_read(name: str) -> None:
    encoded, decode, value = VALUES[name]
    stored = (EXAMPLES / f"{name}.json").read_text().rstrip("\n")
    assert decode(stored) == value
    assert encoded == stored


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("body", ["", "{", "[]", "{}", "null", '"x"', "7"])
def test_what_nobody_stored_is_a_value_error(name: str, body: str) -> None:
    if (name, body) in {("event", "{}"), ("tried", "[]")}:
        return  # says that polls recovered, or that nothing was tried
    _, decode, _ = VALUES[name]
    with pytest.raises(ValueError):  # noqa: PT011 -- the message is the library's
        decode(body)


def test_a_bad_timestamp_is_a_value_error() -> None:
    body = codec.encode(EVENT).replace("in_seconds", "in_minutes")
    for decode in (codec.decode_event, codec.decode_listed):
        with pytest.raises(ValueError, match="RFC"):
            decode(body)
