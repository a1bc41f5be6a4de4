"""What tests of every kind share: the real counterparts that tests/tools/install brings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

_ON_THE_LOOP = ["auditd.polling", "auditd.servicestage", "auditd.telemetry", "auditd.web"]
_UNPACKED = Path(__file__).parent.parent / ".tools" / "debian" / "usr" / "bin"


@pytest.fixture(autouse=True)
def _blocking_calls() -> Iterator[None]:
    """A call of the daemon's that blocks the event loop fails the test that makes it."""
    with blockbuster_ctx(_ON_THE_LOOP):
        yield


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The path of a real promtool."""
    return _counterpart("promtool")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """The path of a real Prometheus."""
    return _counterpart("prometheus")


def _counterpart(name: str) -> Path:
    if found := shutil.which(name, path=f"/usr/bin:{_UNPACKED}"):
        return Path(found)
    reason = f"there is no {name} here; tests/tools/install brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
