"""Daemons that come and go, as an orderly deployment has it."""

from __future__ import annotations

import time

import pytest

from tests.replicas.replica import Replica
from tests.replicas.stage import Stage, assert_sound

pytestmark = pytest.mark.timeout(600)


def test_from_two_to_five_to_one_nothing_is_missed_and_nothing_done_twice(stage: Stage) -> None:
    stage.begin(2)
    for size in (5, 1):
        while len(_living(stage)) < size:
            stage.add().wait_until_ready()
        time.sleep(4)
        while len(_living(stage)) > size:
            _living(stage)[0].stop()
        time.sleep(4)
    for _ in range(2):  # a rolling restart: the new one first
        stage.add().wait_until_ready()
        _living(stage)[0].stop()
        time.sleep(2)
    run = stage.conclude()
    assert not run.troubles
    assert_sound(run)


def _living(stage: Stage) -> list[Replica]:
    return [replica for replica in stage.replicas if not replica.ended]
