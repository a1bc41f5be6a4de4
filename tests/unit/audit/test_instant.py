from datetime import UTC, datetime, timedelta, timezone

from auditd.audit.instant import format_instant


def test_an_instant_is_written_in_utc_and_whole_seconds() -> None:
    berlin = timezone(timedelta(hours=2))
    assert format_instant(datetime(2026, 6, 1, 2, 3, 4, 999_999, berlin)) == "2026-06-01T00:03:04Z"


def test_the_first_year_has_four_digits() -> None:
    assert format_instant(datetime.min.replace(tzinfo=UTC)) == "0001-01-01T00:00:00Z"
