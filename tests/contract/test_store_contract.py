"""What every store promises, whatever database is behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store.errors import StoreConflictError
from auditd.store.preparation import OpeningKind
from auditd.store.state import StoredState
from auditd.store.store import Store
from auditd.store.trail import TrailKind
from tests.unit.store.examples import (
    RETENTION,
    START,
    Clock,
    Reopen,
    a_delivery,
    a_group,
    a_project,
    a_silence,
    a_snapshot,
    an_acknowledgement,
    an_alert,
    failed,
    fired,
    lines_of,
    resolved,
    settled,
)

MINUTE = timedelta(minutes=1)


async def test_a_new_store_is_empty(store: Store) -> None:
    assert store.opening.kind is OpeningKind.NEW
    assert await store.load() == StoredState()
    assert store.is_writable


async def test_everything_is_there_after_a_restart(reopen: Reopen) -> None:
    snapshot, alert, delivery = a_snapshot(), an_alert(), a_delivery()
    group = a_group("ops:{}", alert.fingerprint)
    async with reopen() as store:
        await store.record_poll(snapshot, [alert], [fired(alert)], [group])
        await store.record_flush(group, delivery)
        await store.put_silence(a_silence())
        await store.acknowledge(an_acknowledgement(alert))
        await store.switch_off("ops", "410 Gone")
    async with reopen() as store:
        assert store.opening.kind is OpeningKind.OPENED
        state = await store.load()
        assert await store.load() == state
    assert state.snapshot_of(snapshot.project) == snapshot
    assert state.alerts == {"payments": (alert,)}
    assert state.groups == {group.key: group}
    assert state.pending == (delivery,)
    assert state.silences == (a_silence(),)
    assert state.acknowledgements == {alert.fingerprint: an_acknowledgement(alert)}
    assert state.switched_off == {"ops": "410 Gone"}


async def test_a_project_that_was_never_seen_or_has_another_id_is_blank(store: Store) -> None:
    await store.record_poll(a_snapshot(), [], [], [])
    state = await store.load()
    for project in (a_project("other"), a_project(project_id="4567")):
        assert state.snapshot_of(project) == ProjectSnapshot(project)


async def test_the_settings_of_a_project_are_those_of_today(store: Store) -> None:
    await store.record_poll(a_snapshot(), [], [], [])
    project = replace(a_project(), poll_interval=timedelta(hours=1))
    assert (await store.load()).snapshot_of(project) == replace(a_snapshot(), project=project)


async def test_a_snapshot_without_a_list_is_kept_as_such(store: Store) -> None:
    snapshot = failed(ProjectSnapshot(a_project()), START)
    await store.record_poll(snapshot, [], [], [])
    assert (await store.load()).snapshot_of(a_project()) == snapshot


async def test_a_later_poll_takes_the_place_of_an_earlier_one(store: Store) -> None:
    first, second = an_alert(name="a"), an_alert(name="b")
    await store.record_poll(a_snapshot(), [first, second], [], [])
    later = START + MINUTE
    ended = resolved(first, later)
    await store.record_poll(a_snapshot(at=later, user="y"), [ended], [], [])
    state = await store.load()
    assert state.snapshot_of(a_project()) == a_snapshot(at=later, user="y")
    assert state.alerts == {"payments": (ended,)}


async def test_when_alerts_were_last_seen_is_exact_for_each(reopen: Reopen) -> None:
    later = START + MINUTE
    seen, missed = an_alert(name="a", at=later), an_alert(name="b")
    async with reopen() as store:
        await store.record_poll(a_snapshot(), [replace(seen, last_seen_at=START), missed], [], [])
        await store.record_poll(a_snapshot(at=later), [seen, missed], [], [])
        even_later = replace(seen, last_seen_at=later + MINUTE)
        await store.record_poll(a_snapshot(at=later + MINUTE), [even_later, missed], [], [])
    async with reopen() as store:
        alerts = (await store.load()).alerts["payments"]
    assert {alert.fingerprint: alert for alert in alerts} == {
        alert.fingerprint: alert for alert in (even_later, missed)
    }


async def test_the_times_of_a_quiet_poll_are_there_once_saved(store: Store) -> None:
    await store.record_poll(a_snapshot(), [an_alert()], [], [])
    later = START + MINUTE
    await store.record_poll(a_snapshot(at=later), [an_alert(at=later)], [], [])
    await store.save()
    state = await store.load()
    assert state.snapshot_of(a_project()) == a_snapshot(at=later)
    assert state.alerts == {"payments": (an_alert(at=later),)}


async def test_a_group_without_members_is_gone(store: Store) -> None:
    await store.record_groups([a_group("a", "f"), a_group("b", "f")])
    await store.record_groups([a_group("a")])
    await store.record_flush(a_group("b"), None)
    assert (await store.load()).groups == {}


async def test_a_group_can_come_back_as_it_was(store: Store) -> None:
    group = a_group("a", "f")
    for each in (group, replace(group, members={}), group):
        await store.record_groups([each])
    assert (await store.load()).groups == {"a": group}


async def test_a_silence_is_replaced_and_expired(store: Store) -> None:
    await store.put_silence(a_silence())
    await store.put_silence(a_silence(hours=3))
    assert (await store.load()).silences == (a_silence(hours=3),)
    await store.expire_silence("s1", "bob")
    assert (await store.load()).silences == ()
    with pytest.raises(StoreConflictError):
        await store.expire_silence("s1", "bob")
    entries = await store.trail(kind=TrailKind.SILENCE_EXPIRED)
    assert [(entry.subject, entry.detail) for entry in entries] == [("s1", {"author": "bob"})]


async def test_of_a_project_that_left_only_its_untold_ends_are_kept(reopen: Reopen) -> None:
    alert = an_alert()
    ended = resolved(alert, START)
    async with reopen() as store:
        await store.record_poll(a_snapshot(), [alert, an_alert(name="b")], [], [])
        await store.record_poll(a_snapshot(at=START + MINUTE), [alert, an_alert(name="b")], [], [])
        await store.forget_project("payments", [ended], [fired(ended)])
    async with reopen() as store:
        state = await store.load()
        assert state.snapshot_of(a_project()) == ProjectSnapshot(a_project())
        assert state.alerts == {"payments": (ended,)}
        assert [entry.kind for entry in await store.trail()] == ["alert.resolved"]
        await store.forget_project("payments")
        assert (await store.load()).alerts == {}


async def test_a_project_that_comes_back_begins_anew(store: Store) -> None:
    await store.record_poll(a_snapshot(), [an_alert(name="a")], [], [])
    await store.forget_project("payments", [resolved(an_alert(name="a"), START)])
    await store.record_poll(a_snapshot(), [an_alert(name="b")], [], [])
    state = await store.load()
    assert state.alerts == {"payments": (an_alert(name="b"),)}
    assert state.snapshot_of(a_project()) == a_snapshot()


async def test_another_retention_counts_from_the_next_prune_on(store: Store, clock: Clock) -> None:
    await store.record_flush(a_group("a"), a_delivery("d1", "a"))
    await store.settle(settled(a_delivery("d1", "a"), DeliveryState.DELIVERED))
    clock.move(timedelta(days=2))
    await store.prune()
    assert await store.delivery("d1") is not None
    store.retention = timedelta(days=1)
    await store.prune()
    assert await store.delivery("d1") is None


async def test_what_is_older_than_the_retention_is_forgotten(store: Store, clock: Clock) -> None:
    alert = an_alert()
    await store.record_poll(a_snapshot(), [alert], [fired(alert)], [])
    await store.record_flush(a_group("a"), a_delivery("d1", "a"))
    await store.settle(settled(a_delivery("d1", "a"), DeliveryState.DELIVERED))
    await store.record_flush(a_group("b"), a_delivery("d2", "b"))
    await store.put_silence(a_silence())
    await store.acknowledge(an_acknowledgement(alert))
    await store.acknowledge(an_acknowledgement(an_alert(name="gone")))

    clock.move(RETENTION)
    await store.prune()
    assert await store.delivery("d1") is not None
    assert len(await store.trail()) == 5
    clock.move(timedelta(microseconds=1))
    await store.prune()
    state = await store.load()
    assert await store.delivery("d1") is None
    assert [delivery.id for delivery in state.pending] == ["d2"]
    assert state.silences == ()
    assert list(state.acknowledgements) == [alert.fingerprint]
    assert await store.trail() == ()


async def test_the_trail_tells_what_happened_newest_first(store: Store, clock: Clock) -> None:
    alert = an_alert()
    await store.record_poll(a_snapshot(), [alert], [fired(alert)], [])
    ended = resolved(alert, START)
    await store.record_poll(a_snapshot(), [ended], [fired(ended)], [])
    at = clock.move(MINUTE)
    await store.configuration_loaded("auditd.yaml", {"projects": "3", "nothing": ""})
    loaded, end, start = await store.trail()
    assert (loaded.kind, loaded.subject, loaded.at) == ("config.loaded", "auditd.yaml", at)
    assert loaded.detail == {"projects": "3"}
    assert (end.kind, end.detail["end_reason"]) == ("alert.resolved", "cleared")
    assert (start.kind, start.subject) == ("alert.fired", alert.fingerprint)
    assert start.detail == {
        "alertname": "GitAuthorizationOverdue",
        "authorization": "main",
        "project": "payments",
        "severity": "critical",
    }
    assert await store.trail(since=at) == (loaded,)
    assert await store.trail(kind=TrailKind.ALERT_FIRED) == (start,)
    assert await store.trail(limit=1) == (loaded,)


async def test_the_trail_is_verified_and_exported(store: Store) -> None:
    for number in range(3):
        await store.switch_off(f"hook{number}", "410")
    verdict = await store.verify()
    assert (verdict.ok, verdict.checked, verdict.first_bad_seq) == (True, 3, None)
    assert len(await lines_of(store.export())) == 3


async def test_any_text_can_be_stored(reopen: Reopen) -> None:
    """NUL, and what Python makes of a file name that is not UTF-8, are replaced."""
    hostile, stored = "a\0b\udcffc\U0001f511", "a\ufffdb\ufffdc\U0001f511"
    silence = replace(a_silence(), comment=hostile)
    delivery = settled(a_delivery(), DeliveryState.DEAD)
    async with reopen() as store:
        await store.configuration_loaded(hostile, {"text": hostile})
        await store.switch_off("ops", hostile)
        await store.put_silence(silence)
        await store.record_poll(a_snapshot(user=hostile), [], [], [])
        await store.record_flush(a_group("ops:{}", "f"), a_delivery())
        await store.settle(replace(delivery, last_error=hostile))
        assert (await store.verify()).ok
    async with reopen() as store:
        state = await store.load()
        assert state.switched_off == {"ops": stored}
        (loaded,) = await store.trail(kind=TrailKind.CONFIG_LOADED)
        assert (loaded.subject, loaded.detail) == (stored, {"text": stored})
        (dead,) = await store.deliveries()
        assert dead.last_error == stored
        assert state.silences[0].comment.replace("\0", "\ufffd") == stored
        assert (await store.verify()).ok


async def test_a_group_is_known_by_a_key_of_any_length(store: Store) -> None:
    keys = ["k" * 10_000 + end for end in ("a", "b")] + ["\U0001f511" * 400]
    for number, key in enumerate(keys):
        await store.record_flush(a_group(key, "f"), a_delivery(f"d{number}", key))
        with pytest.raises(StoreConflictError):
            await store.record_flush(a_group(key, "f"), a_delivery("other", key))
    state = await store.load()
    assert {*state.groups} == {*keys}
    assert [delivery.group_key for delivery in state.pending] == keys
    await store.settle(settled(a_delivery("d0", keys[0]), DeliveryState.DEAD))
    await store.record_flush(a_group(keys[0]), None)
    assert {*(await store.load()).groups} == {*keys[1:]}
    assert (await store.replay("d0")).group_key == keys[0]


async def test_texts_are_in_the_order_of_their_code_points(store: Store) -> None:
    hooks = ["B", "a", "Z-1", "_", "b", "\u00e4", "z 2"]
    for hook in hooks:
        await store.put_silence(a_silence(hook))
    assert [silence.id for silence in (await store.load()).silences] == sorted(hooks)
