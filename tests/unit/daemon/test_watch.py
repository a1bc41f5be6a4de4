from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from auditd.config.settings import Settings
from auditd.daemon.loader import Loader
from auditd.daemon.watch import Watch, plan_watch
from tests.unit.config.shipped import CATALOG

Read = Callable[..., Settings]


class FakeCloud:
    """Remembers by which rates it goes. What was prepared must be by the same."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def prepare(self, _specs: object, *, requests_per_second: float) -> float:
        return requests_per_second

    def adopt(self, prepared: float, *, requests_per_second: float, concurrency: int) -> None:
        assert prepared == requests_per_second
        assert concurrency == 32
        self.rates.append(requests_per_second)


class FakePoller:
    """Takes any policy."""

    def adopt(self, policy: object) -> None:
        """It is of no interest here."""


def watch_on(cloud: FakeCloud, settings: Settings) -> Watch:
    return Watch(
        plan_watch(settings, CATALOG),
        CATALOG,
        transport=cast("Any", None),
        cloud=cast("Any", cloud),
        fleet=cast("Any", None),
        poller=cast("Any", FakePoller()),
        on_warnings=lambda _: None,
    )


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_settings(**given: Any) -> Settings:
        file = tmp_path / "auditd.yaml"
        discovery = [{"type": "file", "files": ["projects.yaml"]}]
        file.write_text(yaml.safe_dump({"global": given, "discovery": discovery}))
        return Loader(file, CATALOG, {}, on_secret=lambda _: None).read()

    return read_settings


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


def test_the_rate_is_divided_by_the_replicas_that_live(cloud: FakeCloud, read: Read) -> None:
    watch = watch_on(cloud, read(requests_per_second=12))
    assert watch.shares == 1
    for shares in (3, 4, 1):
        watch.divide(shares)
        assert watch.shares == shares
    assert cloud.rates == [4.0, 3.0, 12.0]


def test_as_many_replicas_as_before_change_nothing(cloud: FakeCloud, read: Read) -> None:
    watch = watch_on(cloud, read())
    watch.divide(1)
    watch.divide(2)
    watch.divide(2)
    assert cloud.rates == [5.0]


def test_a_reload_divides_the_new_rate_as_well(cloud: FakeCloud, read: Read) -> None:
    watch = watch_on(cloud, read())
    watch.divide(4)
    settings = read(requests_per_second=100)
    watch.adopt(watch.prepare(settings))
    assert cloud.rates == [2.5, 25.0]
