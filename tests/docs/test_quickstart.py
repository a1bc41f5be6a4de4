"""The quick start, followed to the letter with a real Prometheus and a real Alertmanager."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.docs.blocks import ROOT, blocks, consoles
from tests.docs.commands import steps
from tests.docs.sandbox import Sandbox

pytestmark = pytest.mark.timeout(240)

PAGE = ROOT / "docs" / "quickstart.md"


def test_whoever_follows_it_has_alerts_in_alertmanager(
    machine: Callable[[], AbstractContextManager[Sandbox]],
) -> None:
    with machine() as reader:
        reader.follow(consoles(PAGE))
        assert not (reader.directory / "quickstart").exists()


def test_nothing_of_it_is_left_out() -> None:
    assert consoles(PAGE) == blocks(PAGE)
    given = [step.command for block in blocks(PAGE) if not block.saved_as for step in steps(block)]
    programs = ("simulate", "run", "prometheus ", "alertmanager ")
    assert all(any(program in command for command in given) for program in programs)
