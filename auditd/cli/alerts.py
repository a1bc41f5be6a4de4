"""`alerts list|ack|reauthorize`: what fires, that somebody knows, and where it is renewed."""

from __future__ import annotations

import asyncio

import click

from auditd.alerting.alert import AlertState
from auditd.audit.failure import PollError
from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.listing import Column, print_listing
from auditd.cli.state import Place
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.once import DiscoveryError
from auditd.daemon.reauthorization import NotReauthorizableError, reauthorization_url
from auditd.daemon.running import RunningDaemon
from auditd.daemon.state_access import alert_views
from auditd.daemon.watch import utc_now
from auditd.web.api_view import AlertView

_COLUMNS: tuple[Column[AlertView], ...] = (
    Column("FINGERPRINT", lambda alert: alert.fingerprint, is_whole=True),
    Column("STATE", lambda alert: alert.state),
    Column("SEVERITY", lambda alert: alert.labels["severity"]),
    Column("ALERTNAME", lambda alert: alert.labels["alertname"]),
    Column("PROJECT", lambda alert: alert.labels["project"]),
    Column("AUTHORIZATION", lambda alert: alert.labels.get("authorization", "-")),
    Column("AGE", lambda alert: alert.annotations["age"]),
    Column("SUPPRESSED", lambda alert: alert.suppression or "-"),
)


@click.group("alerts")
def command() -> None:
    """List alerts, acknowledge one, or get the address where one is mended."""


@command.command("list")
@state.at_place
@click.option(
    "--state",
    "states",
    type=click.Choice([str(each) for each in AlertState]),
    multiple=True,
    default=(AlertState.FIRING.value, AlertState.PENDING.value),
    show_default=True,
    help="Which alerts. May be given several times.",
)
@click.option("--project", metavar="NAME", help="Only alerts of this project.")
@state.output_format
def list_alerts(
    place: Place, *, states: tuple[str, ...], project: str | None, output_format: str
) -> None:
    """List alerts, the more severe first. Resolved ones are kept for some days."""
    with place.reading() as reader:
        stored = reader.state()
    alerts = [
        alert
        for alert in alert_views(stored, utc_now())
        if alert.state in states and project in {None, alert.labels["project"]}
    ]
    print_listing(alerts, _COLUMNS, output_format=output_format)


@command.command("ack")
@click.argument("fingerprint")
@state.at_place
@state.web_url
@state.author
@state.comment
def acknowledge(place: Place, fingerprint: str, *, web_url: str, author: str, comment: str) -> None:
    """Say that you know of the firing alert FINGERPRINT: it is not told again until it ends."""
    place.ask(RunningDaemon(web_url).acknowledge(fingerprint, author=author, comment=comment))
    click.echo(f"{fingerprint} is acknowledged; its end will be told")


@command.command("reauthorize")
@click.argument("fingerprint")
@state.at_place
def reauthorize(place: Place, fingerprint: str) -> None:
    """Print where the OAuth authorization of the alert FINGERPRINT is granted again.

    ServiceStage is asked with the credential of the project. The address is good for one use, by
    somebody who is logged in to the Huawei Cloud console in the same browser: hand it to nobody.

    Exit codes: 0 it is printed; 2 bad usage or configuration; 3 ServiceStage did not give it.
    """
    with place.reading() as reader:
        stored = reader.state()
    work = reauthorization_url(place.settings, place.catalog, stored, fingerprint)
    try:
        click.echo(asyncio.run(work))
    except (NotReauthorizableError, UnusableSettingError) as error:
        stop(Exit.USAGE, str(error))
    except (PollError, DiscoveryError) as error:
        stop(Exit.BLIND, str(error))
