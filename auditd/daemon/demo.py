"""Simulator and daemon in one process, without configuration and without a cloud account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from auditd.daemon.service import ServiceOptions, serve
from auditd.daemon.signals import Stop
from auditd.daemon.watch import utc_now
from auditd.simulator.loading import load_scenario
from auditd.simulator.server import Simulator
from auditd.web.address import Address

_CONFIGURATION = """\
global: {{poll_interval: 2s, poll_timeout: 2s, blind_after: 2}}
credentials:
  - name: platform
    type: aksk
    access_key: DEMOACCESSKEY0000001
    secret_key: demo/not+a+secret/0000000000000000000000
    iam_endpoint: {cloud}
  - name: console
    type: iam_password
    domain: acme
    user: auditor
    password: demo-not-a-secret
    iam_endpoint: {cloud}
discovery:
  - {{type: iam, credential: platform, endpoint: {cloud}, verify: true, refresh_interval: 10s}}
  - {{type: iam, credential: console, endpoint: {cloud}, refresh_interval: 10s}}
checks:
  stale: {{max_age: 90d, tiers: [{{max_age: 180d, severity: critical}}]}}
"""


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Where the demo can be looked at."""

    daemon: Sequence[Address]
    cloud: str


async def demonstrate(
    listen_addresses: Sequence[Address],
    duration: timedelta | None,
    stop: Stop,
    on_listening: Callable[[DemoPlace], None],
) -> None:
    """Run until `stop` is asked for, or for `duration`.

    Raises:
        ListenError: an address cannot be listened on.
    """
    simulator = Simulator(load_scenario(), now=utc_now)
    async with simulator.serve() as cloud:
        with TemporaryDirectory(prefix="auditd-demo-") as directory:
            config_file = _write_configuration(Path(directory), cloud.url)
            options = ServiceOptions(
                config_file=config_file, listen_addresses=listen_addresses, log_format="console"
            )
            if duration is not None:
                loop = asyncio.get_running_loop()
                loop.call_later(duration.total_seconds(), stop.request, "the duration is over")
            await serve(options, stop, lambda daemon: on_listening(DemoPlace(daemon, cloud.url)))


def _write_configuration(directory: Path, cloud: str) -> Path:
    file = directory / "demo.yaml"
    file.touch(mode=0o600)
    file.write_text(_CONFIGURATION.format(cloud=cloud), encoding="utf-8")
    return file
