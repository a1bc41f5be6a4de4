"""What tests of every kind share: the real counterparts that tests/tools/install brings."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from blockbuster import blockbuster_ctx

from tests.postgres import installed_postgres, private_server, reset

_ON_THE_LOOP = ["auditd.polling", "auditd.servicestage", "auditd.telemetry", "auditd.web"]
_UNPACKED = Path(__file__).parent.parent / ".tools" / "debian" / "usr" / "bin"
_SHARE = _UNPACKED.parent / "share"
_MOUNT = 'mount --bind "$1" /usr/share && shift && exec "$@"'


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a test that should have run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _blocking_calls() -> Iterator[None]:
    """A call of the daemon's that blocks the event loop fails the test that makes it."""
    with blockbuster_ctx(_ON_THE_LOOP) as watched:
        for function in watched.functions.values():
            # It reads /proc, which the kernel makes up on the spot: nothing is waited for.
            function.can_block_in("prometheus_client/process_collector.py", "collect")
        yield


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The path of a real promtool."""
    return _counterpart("promtool")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """The path of a real Prometheus."""
    return _counterpart("prometheus")


@pytest.fixture(scope="session")
def alertmanager() -> tuple[str, ...]:
    """The command that starts a real Alertmanager, without its options."""
    binary = _counterpart("prometheus-alertmanager")
    if binary.parent != _UNPACKED:
        return (str(binary),)
    # Debian's looks for its templates in /usr/share, so it is shown that of the package there.
    seen = ("unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", str(_SHARE))
    if subprocess.run([*seen, "true"], check=False, capture_output=True).returncode:
        _do_without("no mount namespace can be made here for Debian's Alertmanager")
    return (*seen, str(binary))


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """Where the binaries of a real PostgreSQL are."""
    found = installed_postgres()
    if not found:
        _do_without("there is no PostgreSQL here; tests/tools/install brings it")
    return found


@pytest.fixture(scope="session")
def _postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if url := os.environ.get("AUDITD_TEST_POSTGRES_URL"):
        yield url
        return
    with private_server(request.getfixturevalue("postgres_binaries")) as server:
        yield server.url


@pytest.fixture
def postgres(_postgres_url: str) -> str:
    """The URL of an empty database; AUDITD_TEST_POSTGRES_URL names one that may be emptied."""
    reset(_postgres_url)
    return _postgres_url


def _counterpart(name: str) -> Path:
    found = shutil.which(name, path=f"/usr/bin:{_UNPACKED}")
    if not found:
        _do_without(f"there is no {name} here; tests/tools/install brings it")
    return Path(found)


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
