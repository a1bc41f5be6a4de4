from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.finding import Severity
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.web.pages.age_limits import AgeLimit
from auditd.web.pages.age_plot import HEIGHT, WIDTH, plot_age
from tests.unit.web.pages.examples import DAY, NOW, listed_as

WARNING = AgeLimit(90 * DAY, Severity.WARNING)
CRITICAL = AgeLimit(180 * DAY, Severity.CRITICAL)


def listed_at(updated_at: datetime) -> HistoryEntry:
    listed = listed_as("one", updated_at=updated_at)
    return HistoryEntry(NOW, "p", HistoryKind.AUTHORIZATION_CHANGED, "one", listed=listed)


def points(line: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in line.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_the_line_grows_from_the_renewal_to_now() -> None:
    plot = plot_age([], NOW - 40 * DAY, [CRITICAL, WARNING], NOW)
    assert plot
    assert points(plot.line) == [(0, HEIGHT), (plot.now_x, plot.now_y)]
    assert [one.limit for one in plot.limits] == [WARNING, CRITICAL]
    assert plot.limits[1].y < plot.limits[0].y < plot.now_y, "the limits lie above"
    assert (plot.age, plot.renewals) == (40 * DAY, 0)
    assert [one.reached_x for one in plot.limits] == [None, None]


def test_each_renewal_in_the_history_is_a_tooth() -> None:
    history = [listed_at(NOW - days * DAY) for days in (300, 200, 200, 100)]
    plot = plot_age(history, NOW - 100 * DAY, [WARNING], NOW)
    assert plot
    assert plot.renewals == 2
    assert [y for _, y in points(plot.line)].count(HEIGHT) == 3
    (limit,) = plot.limits
    assert limit.reached_x is not None
    assert limit.reached_x < plot.now_x


def test_what_lies_in_the_future_or_long_ago_is_left_out() -> None:
    history = [listed_at(NOW + DAY), listed_at(NOW - 366 * DAY)]
    plot = plot_age(history, NOW - 5 * DAY, [], NOW)
    assert plot
    assert (plot.renewals, plot.limits) == (0, [])
    assert plot_age([], NOW, [], NOW) is None
    assert plot_age([], NOW + DAY, [], NOW) is None


@given(
    updated_at=st.datetimes().map(lambda at: at.replace(tzinfo=NOW.tzinfo)),
    limits=st.lists(st.integers(1, 10_000).map(lambda days: AgeLimit(days * DAY, Severity.INFO))),
    history=st.lists(st.datetimes().map(lambda at: listed_at(at.replace(tzinfo=NOW.tzinfo)))),
)
def test_whatever_was_listed_the_plot_stays_within_its_frame(
    updated_at: datetime, limits: list[AgeLimit], history: list[HistoryEntry]
) -> None:
    plot = plot_age(history, updated_at, limits, NOW)
    if plot is None:
        assert updated_at >= NOW
        return
    for x, y in [*points(plot.line), *points(plot.ahead), (plot.now_x, plot.now_y)]:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert all(0 <= tick.at <= HEIGHT for tick in plot.ages)
    assert all(0 <= tick.at <= WIDTH for tick in plot.times)
    for limit in plot.limits:
        assert 0 <= limit.y <= HEIGHT
        assert limit.reached_x is None or 0 <= limit.reached_x <= WIDTH
    assert len(plot.ages) <= 5
    assert len(plot.times) <= 5
