from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.mute import Range, TimeInterval, TimeOfDay, TimeSpan


def hours(first: float, last: float) -> TimeOfDay:
    return TimeOfDay(timedelta(hours=first), timedelta(hours=last))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        ("2026-06-01T08:59:59", False),
        ("2026-06-01T09:00:00", True),
        ("2026-06-01T16:59:59", True),
        ("2026-06-01T17:00:00", False),
    ],
)
def test_a_time_of_day_has_its_start_and_not_its_end(at: str, *, is_in: bool) -> None:
    assert TimeSpan(times=(hours(9, 17),)).contains(utc(at)) is is_in


def test_the_day_can_be_had_to_its_last_instant() -> None:
    night = TimeSpan(times=(hours(22, 24), hours(0, 6)))
    assert night.contains(utc("2026-06-01T23:59:59.999999"))
    assert night.contains(utc("2026-06-01T05:59:59"))
    assert not night.contains(utc("2026-06-01T06:00:00"))


def test_weekdays_count_from_sunday() -> None:
    weekend = TimeSpan(weekdays=(Range(0, 0), Range(6, 6)))
    days = [utc(f"2026-06-{day:02}T12:00:00") for day in range(1, 8)]  # Monday to Sunday
    assert [weekend.contains(day) for day in days] == [False] * 5 + [True] * 2


@pytest.mark.parametrize(
    ("days", "at", "is_in"),
    [
        (Range(-1, -1), "2026-02-28T12:00:00", True),
        (Range(-1, -1), "2028-02-28T12:00:00", False),
        (Range(-1, -1), "2028-02-29T12:00:00", True),
        (Range(-3, -1), "2026-04-28T12:00:00", True),
        (Range(-3, -1), "2026-04-27T12:00:00", False),
        (Range(1, -1), "2026-04-15T12:00:00", True),
        (Range(10, -10), "2026-04-21T12:00:00", True),
        (Range(10, -10), "2026-04-22T12:00:00", False),
        (Range(31, 31), "2026-04-30T12:00:00", False),
        (Range(29, 31), "2026-04-30T12:00:00", True),
        (Range(-31, -30), "2026-02-01T12:00:00", False),
        (Range(-31, -28), "2026-02-01T12:00:00", True),
    ],
)
def test_days_of_the_month_count_from_either_end(days: Range, at: str, *, is_in: bool) -> None:
    assert TimeSpan(days_of_month=(days,)).contains(utc(at)) is is_in


def test_months_and_years_include_both_ends() -> None:
    span = TimeSpan(months=(Range(5, 8),), years=(Range(2026, 2027),))
    found = [
        (year, month)
        for year in range(2025, 2029)
        for month in range(1, 13)
        if span.contains(datetime(year, month, 1, tzinfo=UTC))
    ]
    assert found == [(year, month) for year in (2026, 2027) for month in (5, 6, 7, 8)]


def test_all_that_is_given_must_fit() -> None:
    span = TimeSpan(times=(hours(0, 24),), weekdays=(Range(1, 5),), months=(Range(6, 6),))
    assert span.contains(utc("2026-06-01T12:00:00"))
    assert not span.contains(utc("2026-06-06T12:00:00"))
    assert not span.contains(utc("2026-07-01T12:00:00"))


def test_times_are_those_of_the_place() -> None:
    office = TimeSpan(times=(hours(9, 17),), weekdays=(Range(1, 5),), location="Asia/Shanghai")
    assert office.contains(utc("2026-06-01T01:00:00"))  # Monday 09:00 there
    assert not office.contains(utc("2026-06-01T00:59:59"))
    assert not office.contains(utc("2026-06-05T17:00:00"))  # Saturday 01:00 there


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        ("2026-03-28T00:59:59", False),  # 01:59:59, winter
        ("2026-03-28T01:00:00", True),  # 02:00, winter
        ("2026-03-29T00:59:59", False),  # 01:59:59, the last second of winter
        ("2026-03-29T01:00:00", False),  # 03:00: there is no hour from 02:00 on
        ("2026-03-30T00:00:00", True),  # 02:00, summer
        ("2026-03-30T01:00:00", False),  # 03:00, summer
    ],
)
def test_an_hour_that_is_skipped_is_never_in(at: str, *, is_in: bool) -> None:
    span = TimeSpan(times=(hours(2, 3),), location="Europe/Berlin")
    assert span.contains(utc(at)) is is_in


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        ("2026-10-24T23:59:59", False),  # 01:59:59, summer
        ("2026-10-25T00:00:00", True),  # 02:00, summer
        ("2026-10-25T01:00:00", True),  # 02:00 again, winter
        ("2026-10-25T01:59:59", True),
        ("2026-10-25T02:00:00", False),  # 03:00, winter
    ],
)
def test_an_hour_that_is_repeated_is_in_twice(at: str, *, is_in: bool) -> None:
    span = TimeSpan(times=(hours(2, 3),), location="Europe/Berlin")
    assert span.contains(utc(at)) is is_in


def test_one_span_that_fits_is_enough() -> None:
    interval = TimeInterval(
        "odd", (TimeSpan(months=(Range(1, 1),)), TimeSpan(months=(Range(3, 3),)))
    )
    assert interval.contains(utc("2026-03-01T00:00:00"))
    assert not interval.contains(utc("2026-02-01T00:00:00"))


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 -- hypothesis adds the zone
def test_a_span_that_says_nothing_has_every_instant(at: datetime) -> None:
    assert TimeSpan().contains(at)


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis adds the zone
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Asia/Kolkata"]),
    st.integers(1, 23),
)
def test_two_halves_of_the_day_are_the_day(at: datetime, location: str, middle: int) -> None:
    halves = [
        TimeSpan(times=(part,), location=location).contains(at)
        for part in (hours(0, middle), hours(middle, 24))
    ]
    assert halves.count(True) == 1
