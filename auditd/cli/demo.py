"""`demo`: the main job on a simulated cloud, to be watched."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import click

from auditd.cli import options
from auditd.cli.exits import Exit, stop
from auditd.daemon.demo import DemoPlace, demonstrate
from auditd.daemon.signals import Stop, leave_soon, stopping_on_signals
from auditd.simulator.receiver import Received
from auditd.web.address import Address
from auditd.web.listener import ListenError


@click.command("demo")
@click.option(
    "--duration",
    type=options.DurationType(),
    help="Stop by itself after this time, for example 30s.",
)
@options.listen_addresses
def command(duration: timedelta | None, listen_addresses: tuple[Address, ...]) -> None:
    """Run simulator and daemon in one process: no configuration, no cloud account.

    A small fleet whose authorizations go overdue, lapse, recover, appear and vanish within half
    a minute. What the daemon finds is logged as it finds it.
    """
    try:
        asyncio.run(_demo(duration, listen_addresses))
    except ListenError as error:
        stop(Exit.USAGE, str(error))


async def _demo(duration: timedelta | None, listen_addresses: tuple[Address, ...]) -> None:
    asked = Stop()
    with stopping_on_signals(asked):
        await demonstrate(
            listen_addresses, duration, asked, on_listening=_introduce, on_received=_show
        )
    leave_soon()


def _introduce(place: DemoPlace) -> None:
    daemon = f"http://{place.daemon[0]}"
    click.echo(
        "servicestage-auditd watches a simulated cloud: five projects in three regions, whose\n"
        "trouble comes and goes every 30 seconds. What it finds follows below. Ctrl-C ends it.\n\n"
        f"  metrics    {daemon}/metrics\n"
        f"  health     {daemon}/-/healthy  {daemon}/-/ready\n"
        f"  the cloud  {place.cloud}/_simulator/stats\n"
        f"  alerts go to {place.receiver} and are shown here once their signature is verified\n"
    )


def _show(received: Received) -> None:
    """One webhook, an alert a line."""
    data = received.payload["data"]
    repeated = " (again)" if received.is_repeated else ""
    click.echo(f">>> {received.payload['type']} {received.id}{repeated}")
    for alert in data["alerts"]:
        labels, annotations = alert["labels"], alert["annotations"]
        about = " ".join(filter(None, (labels["project"], labels.get("authorization"))))
        click.echo(
            f"    {alert['status']:<8} {labels['severity']:<8} {labels['alertname']} {about}:"
            f" {annotations['summary']}"
        )
