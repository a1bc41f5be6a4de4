from __future__ import annotations

import sys

import pytest

from auditd.daemon.threads import brief_turns


def test_turns_are_brief_inside_and_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    with brief_turns():
        assert sys.getswitchinterval() == pytest.approx(0.001)
    assert sys.getswitchinterval() == pytest.approx(before)
    assert before > 0.001
