from __future__ import annotations

from datetime import UTC, datetime, timedelta

from auditd.simulator.lockout import Lockout

NOW = datetime(2026, 1, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fail(lockout: Lockout, times: int, *, now: datetime = NOW) -> None:
    for _ in range(times):
        lockout.fail("AK", now)


def test_the_failure_at_the_limit_locks_and_not_the_one_before() -> None:
    lockout = Lockout(limit=6, lock=300 * SECOND)
    fail(lockout, 5)
    assert not lockout.is_locked("AK", NOW)
    fail(lockout, 1)
    assert lockout.is_locked("AK", NOW)
    assert lockout.locked(NOW) == ["AK"]


def test_one_subject_does_not_lock_another() -> None:
    lockout = Lockout(limit=1, lock=300 * SECOND)
    fail(lockout, 1)
    assert not lockout.is_locked("other", NOW)


def test_a_lock_ends_after_its_time_and_counting_begins_anew() -> None:
    lockout = Lockout(limit=2, lock=300 * SECOND)
    fail(lockout, 2)
    assert lockout.is_locked("AK", NOW + 299 * SECOND)
    later = NOW + 300 * SECOND
    assert lockout.locked(later) == []
    assert not lockout.is_locked("AK", later)
    fail(lockout, 1, now=later)
    assert not lockout.is_locked("AK", later)


def test_success_forgets_the_failures() -> None:
    lockout = Lockout(limit=2, lock=300 * SECOND)
    fail(lockout, 1)
    lockout.succeed("AK")
    fail(lockout, 1)
    assert not lockout.is_locked("AK", NOW)


def test_failures_outside_the_window_do_not_count() -> None:
    lockout = Lockout(limit=2, lock=300 * SECOND, window=60 * SECOND)
    fail(lockout, 1)
    fail(lockout, 1, now=NOW + 60 * SECOND)
    assert not lockout.is_locked("AK", NOW + 60 * SECOND)
    fail(lockout, 1, now=NOW + 119 * SECOND)
    assert lockout.is_locked("AK", NOW + 119 * SECOND)
