"""A directory for what a page names, and the machine that its commands are given to."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.docs.configuration import Readers
from tests.docs.sandbox import Sandbox, can_be_made, sandbox


@pytest.fixture
def readers(promtool: Path) -> Readers:
    return Readers(promtool, promtool.with_name("amtool"))


@pytest.fixture
def machine(
    tmp_path: Path, promtool: Path, prometheus: Path, alertmanager: tuple[str, ...]
) -> Callable[[], AbstractContextManager[Sandbox]]:
    """What makes the machine of one page, with Prometheus and Alertmanager installed."""
    if not can_be_made():
        reason = "no namespaces can be made here for the commands of the pages"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    tools = {
        "prometheus": str(prometheus),
        "promtool": str(promtool),
        "amtool": str(promtool.with_name("amtool")),
        "alertmanager": shlex.join(alertmanager),
    }
    return partial(sandbox, tmp_path / "machine", tools)
