"""Simulator and daemon in one process, without configuration and without a cloud account."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from auditd.daemon.options import ServiceOptions
from auditd.daemon.service import serve
from auditd.daemon.signals import Stop
from auditd.daemon.watch import utc_now
from auditd.simulator.loading import load_scenario
from auditd.simulator.receiver import Received, Receiver
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
alerting:
  route:
    {{hook: receiver, group_by: [project], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}}
  hooks:
    - {{name: receiver, type: webhook, url: "{receiver}", secret: ["{secret}"]}}
storage: {{url: "sqlite:///{state}"}}
"""
_SECRET = "whsec_" + base64.b64encode(b"a secret of the demo, no secret!").decode()


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Where the demo can be looked at."""

    daemon: Sequence[Address]
    cloud: str
    receiver: str


async def demonstrate(
    listen_addresses: Sequence[Address],
    duration: timedelta | None,
    stop: Stop,
    *,
    on_listening: Callable[[DemoPlace], None],
    on_received: Callable[[Received], None],
) -> None:
    """Run until `stop` is asked for, or for `duration`; `on_received` is told of each webhook.

    Raises:
        ListenError: an address cannot be listened on.
    """
    simulator = Simulator(load_scenario(), now=utc_now)
    told = Receiver(_SECRET, show=on_received, now=utc_now)
    async with simulator.serve() as cloud, told.serve() as receiver:
        with TemporaryDirectory(prefix="auditd-demo-") as directory:
            config_file = _write_configuration(Path(directory), cloud.url, receiver)
            options = ServiceOptions(
                config_file=config_file, listen_addresses=listen_addresses, log_format="console"
            )
            if duration is not None:
                loop = asyncio.get_running_loop()
                loop.call_later(duration.total_seconds(), stop.request, "the duration is over")
            await serve(
                options,
                stop,
                lambda daemon: on_listening(DemoPlace(daemon, cloud.url, receiver)),
            )


def _write_configuration(directory: Path, cloud: str, receiver: str) -> Path:
    file = directory / "demo.yaml"
    file.touch(mode=0o600)
    state = directory / "state.db"
    text = _CONFIGURATION.format(cloud=cloud, receiver=receiver, secret=_SECRET, state=state)
    file.write_text(text, encoding="utf-8")
    return file
