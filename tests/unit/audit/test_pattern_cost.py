import re
from time import perf_counter

import pytest

from auditd.audit.pattern_cost import require_cheap


@pytest.mark.parametrize("pattern", ["", "legacy-.*", "(prod|test)-[a-z]+", r"\(a\)+\*\+", "a{3}"])
def test_ordinary_patterns_are_accepted(pattern: str) -> None:
    require_cheap(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+", "(([a-z]+)+)+!", "(a|a)*", "(a){9}", ".*.*.*.*x"])
def test_patterns_that_may_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="may take for ever"):
        require_cheap(pattern)


def test_the_costliest_that_is_accepted_is_done_in_time() -> None:
    require_cheap(".*a.*a.*!")
    started = perf_counter()
    assert not re.fullmatch(".*a.*a.*!", "a" * 200)
    assert perf_counter() - started < 1.0
