"""`deliveries list|show|replay`: what hooks were owed, and what became of it."""

from __future__ import annotations

import asyncio

import click

from auditd.alerting.delivery import DeliveryState
from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.listing import Column, instant, print_json, print_listing
from auditd.cli.state import Place
from auditd.daemon.running import RunningDaemon
from auditd.daemon.state_access import replay_stored
from auditd.store.errors import StoreConflictError, StoreError, StoreHeldError
from auditd.web.api_view import DeliveryView, view_delivery, view_whole_delivery

_COLUMNS: tuple[Column[DeliveryView], ...] = (
    Column("ID", lambda delivery: delivery.id, is_whole=True),
    Column("HOOK", lambda delivery: delivery.hook),
    Column("STATE", lambda delivery: delivery.state),
    Column("ALERTS", lambda delivery: f"{delivery.alerts} {delivery.status}"),
    Column("ATTEMPTS", lambda delivery: str(delivery.attempts)),
    Column("CREATED", lambda delivery: instant(delivery.created_at)),
    Column("NEXT", lambda delivery: instant(delivery.next_at)),
    Column("SETTLED", lambda delivery: instant(delivery.settled_at)),
    Column("LAST ERROR", lambda delivery: delivery.last_error or "-"),
)


@click.group("deliveries")
def command() -> None:
    """Show what hooks were owed and what became of it; owe dead ones again."""


@command.command("list")
@state.at_place
@click.option("--state", "only", type=click.Choice([str(state) for state in DeliveryState]))
@click.option("--hook", metavar="NAME", help="Only what this hook is or was owed.")
@click.option("--before", metavar="ID", help="Only what is older than this delivery.")
@state.limit
@state.output_format
def list_deliveries(
    place: Place,
    *,
    only: str | None,
    hook: str | None,
    before: str | None,
    limit: int,
    output_format: str,
) -> None:
    """List deliveries, the newest first."""
    with place.reading() as reader:
        deliveries = reader.deliveries(
            state=DeliveryState(only) if only else None, hook=hook, limit=limit, before=before
        )
    print_listing([*map(view_delivery, deliveries)], _COLUMNS, output_format=output_format)


@command.command("show")
@click.argument("delivery_id", metavar="ID")
@state.at_place
def show(place: Place, delivery_id: str) -> None:
    """Print all of one delivery as JSON."""
    with place.reading() as reader:
        delivery = reader.delivery(delivery_id)
    if delivery is None:
        stop(Exit.USAGE, f"there is no delivery {delivery_id!r}, or not any more")
    print_json(view_whole_delivery(delivery))


@command.command("replay")
@click.argument("delivery_id", metavar="ID")
@state.at_place
@state.web_url
def replay(place: Place, delivery_id: str, *, web_url: str) -> None:
    """Owe a dead delivery again, with the same id.

    The running daemon does it. When none runs it is noted for the next one: run this as the
    daemon's user then.
    """
    with place.reading() as reader:
        reader.require_sound()  # so that nothing is made or repaired by this
    try:
        asyncio.run(replay_stored(place.settings, place.url, delivery_id))
    except StoreHeldError:
        place.ask(RunningDaemon(web_url).replay(delivery_id))
        click.echo(f"{delivery_id}: the daemon sends it again now")
    except StoreConflictError as error:
        stop(Exit.USAGE, str(error))
    except StoreError as error:
        stop(Exit.STORAGE, str(error))
    else:
        click.echo(f"{delivery_id}: the daemon will send it again when it is started")
