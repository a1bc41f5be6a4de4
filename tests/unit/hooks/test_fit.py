from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.hooks.fit import cut_lines, most_that_fit


@given(st.integers(0, 50), st.integers(-1, 60))
def test_the_largest_number_that_fits_is_found(count: int, limit: int) -> None:
    assert most_that_fit(count, lambda number: number <= limit) == max(0, min(count, limit))


def test_all_may_fit_where_a_part_with_its_remark_does_not() -> None:
    assert most_that_fit(3, lambda number: number == 3) == 3


def test_ten_thousand_are_tried_a_dozen_times() -> None:
    tried: list[int] = []

    def fits(number: int) -> bool:
        tried.append(number)
        return number <= 37

    assert most_that_fit(10_000, fits) == 37
    assert len(tried) < 20


@pytest.mark.parametrize(
    ("limit", "cut"), [(11, "one\ntwo\nsix"), (10, "one\ntwo\n…"), (9, "one\n…"), (4, "")]
)
def test_a_text_is_cut_between_lines(limit: int, cut: str) -> None:
    text = cut_lines("one\ntwo\nsix", lambda text: len(text) + text.count("…") <= limit)
    assert text == cut
