from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.web.pages.age_plot import HEIGHT, WIDTH, plot_age
from tests.unit.web.pages.examples import DAY, NOW, listed_as


def listed_at(updated_at: datetime) -> HistoryEntry:
    listed = listed_as("one", updated_at=updated_at)
    return HistoryEntry(NOW, "p", HistoryKind.AUTHORIZATION_CHANGED, "one", listed=listed)


def points(line: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in line.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_the_line_grows_from_the_renewal_to_now() -> None:
    plot = plot_age([], NOW - 40 * DAY, NOW + 50 * DAY, NOW)
    assert plot
    assert points(plot.line) == [(0, HEIGHT), (plot.now_x, plot.now_y)]
    assert plot.limit_y is not None
    assert plot.limit_y < plot.now_y, "the limit lies above"
    assert (plot.age, plot.limit, plot.renewals, plot.stale_x) == (40 * DAY, 90 * DAY, 0, None)


def test_each_renewal_in_the_history_is_a_tooth() -> None:
    history = [listed_at(NOW - days * DAY) for days in (300, 200, 200, 100)]
    plot = plot_age(history, NOW - 100 * DAY, NOW - 10 * DAY, NOW)
    assert plot
    assert plot.renewals == 2
    assert [y for _, y in points(plot.line)].count(HEIGHT) == 3
    assert plot.stale_x is not None
    assert plot.stale_x < plot.now_x


def test_what_lies_in_the_future_or_long_ago_is_left_out() -> None:
    history = [listed_at(NOW + DAY), listed_at(NOW - 366 * DAY)]
    plot = plot_age(history, NOW - 5 * DAY, None, NOW)
    assert plot
    assert (plot.renewals, plot.limit, plot.limit_y) == (0, None, None)
    assert plot_age([], NOW, None, NOW) is None
    assert plot_age([], NOW + DAY, None, NOW) is None


@given(
    updated_at=st.datetimes().map(lambda at: at.replace(tzinfo=NOW.tzinfo)),
    stale_at=st.none() | st.datetimes().map(lambda at: at.replace(tzinfo=NOW.tzinfo)),
    history=st.lists(st.datetimes().map(lambda at: listed_at(at.replace(tzinfo=NOW.tzinfo)))),
)
def test_whatever_was_listed_the_plot_stays_within_its_frame(
    updated_at: datetime, stale_at: datetime | None, history: list[HistoryEntry]
) -> None:
    plot = plot_age(history, updated_at, stale_at, NOW)
    if plot is None:
        assert updated_at >= NOW
        return
    for x, y in [*points(plot.line), *points(plot.ahead), (plot.now_x, plot.now_y)]:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert all(0 <= tick.at <= HEIGHT for tick in plot.ages)
    assert all(0 <= tick.at <= WIDTH for tick in plot.times)
    assert len(plot.ages) <= 5
    assert len(plot.times) <= 5
