from __future__ import annotations

import pytest

from auditd.audit import checks
from auditd.audit.events import Event
from auditd.audit.plugin import load_plugins
from auditd.audit.run import Policy, build_policy
from tests.unit.polling.fakes import FakeCloud, WallClock, one_authorization


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud(one_authorization)


@pytest.fixture
def policy() -> Policy:
    """The default checks, as a fleet without configuration has them."""
    plugins = load_plugins(checks, "servicestage_auditd.checks")
    options = {name: plugin.options() for name, plugin in plugins.items()}
    return build_policy(plugins, options, blind_after=3)
