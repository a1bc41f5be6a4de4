"""`simulate`: the stand-in cloud."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from auditd.cli.exits import Exit, stop
from auditd.cli.options import AddressType
from auditd.daemon.signals import Stop, stopping_on_signals
from auditd.daemon.watch import utc_now
from auditd.simulator.loading import ScenarioError, load_scenario
from auditd.simulator.scenario import Scenario
from auditd.simulator.server import Simulator
from auditd.web.address import Address


@click.command("simulate")
@click.option(
    "--listen",
    "address",
    type=AddressType(),
    default="127.0.0.1:9878",
    show_default=True,
    help="Where the cloud is; port 0 takes any that is free.",
)
@click.option(
    "--scenario",
    "scenario_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the cloud holds and how it fails, in YAML; by default the demo's fleet.",
)
def command(address: Address, scenario_file: Path | None) -> None:
    """Stand in for ServiceStage and IAM, for trials, tests and dry runs."""
    try:
        asyncio.run(_simulate(address, load_scenario(scenario_file)))
    except ScenarioError as error:
        stop(Exit.USAGE, str(error))
    except OSError as error:
        stop(Exit.USAGE, f"cannot listen on {address}: {error.strerror}; choose another --listen")


async def _simulate(address: Address, scenario: Scenario) -> None:
    asked = Stop()
    with stopping_on_signals(asked):
        simulator = Simulator(scenario, now=utc_now)
        async with simulator.serve(_host_of(address), address.port) as bound:
            click.echo(
                f"The stand-in cloud is at {bound.url}; set it as endpoint and iam_endpoint."
            )
            click.echo(f"What it was asked is at {bound.url}/_simulator/stats.")
            await asked.wait()


def _host_of(address: Address) -> str:
    """For port 0 on all interfaces IPv4 alone: IPv6 would take another port, and one is told."""
    is_anywhere = not address.host and address.port == 0
    return "0.0.0.0" if is_anywhere else address.host  # noqa: S104 - it was asked for
