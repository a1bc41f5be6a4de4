"""What tests of every kind share: the real counterparts that tests/tools/install brings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_UNPACKED = Path(__file__).parent.parent / ".tools" / "debian" / "usr" / "bin"


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
