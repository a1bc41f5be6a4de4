"""`silences list|add|expire`: what people do not want to be told for a while."""

from __future__ import annotations

from datetime import timedelta

import click

from auditd.alerting.matcher import Matcher, parse_matcher
from auditd.audit.instant import format_instant
from auditd.cli import state
from auditd.cli.listing import Column, instant, print_listing
from auditd.cli.options import DurationType
from auditd.cli.state import Place
from auditd.daemon.running import RunningDaemon
from auditd.daemon.watch import utc_now
from auditd.web.api_view import SilenceView, view_silence

_COLUMNS: tuple[Column[SilenceView], ...] = (
    Column("ID", lambda silence: silence.id, is_whole=True),
    Column("MATCHERS", lambda silence: ", ".join(silence.matchers)),
    Column("STARTS", lambda silence: instant(silence.starts_at)),
    Column("ENDS", lambda silence: instant(silence.ends_at)),
    Column("AUTHOR", lambda silence: silence.author),
    Column("COMMENT", lambda silence: silence.comment),
)


class MatcherType(click.ParamType[Matcher]):
    """label="value", with the operators = != =~ !~."""

    name = "MATCHER"

    def convert(
        self, value: str | Matcher, param: click.Parameter | None, ctx: click.Context | None
    ) -> Matcher:
        """Read it, or fail as a usage error."""
        if isinstance(value, Matcher):
            return value
        try:
            return parse_matcher(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group("silences")
def command() -> None:
    """List silences, add one, or end one."""


@command.command("list")
@state.at_place
@state.output_format
def list_silences(place: Place, *, output_format: str) -> None:
    """List the silences that have not ended."""
    now = utc_now()
    with place.reading() as reader:
        silences = [
            view_silence(silence, now)
            for silence in reader.state().silences
            if silence.ends_at > now
        ]
    print_listing(silences, _COLUMNS, output_format=output_format)


@command.command("add")
@click.argument("matchers", type=MatcherType(), nargs=-1, required=True, metavar="MATCHER...")
@state.at_place
@state.web_url
@click.option(
    "--duration",
    type=DurationType(),
    default="1h",
    show_default=True,
    help="How long it holds, from now on.",
)
@state.author
@state.comment
def add(
    place: Place,
    matchers: tuple[Matcher, ...],
    *,
    web_url: str,
    duration: timedelta,
    author: str,
    comment: str,
) -> None:
    """Do not tell of alerts that fit every MATCHER, such as project=payments or team=~"pay.*"."""
    now = utc_now()
    created = RunningDaemon(web_url).create_silence(
        matchers=[str(matcher) for matcher in matchers],
        starts_at=now,
        ends_at=now + duration,
        author=author,
        comment=comment,
    )
    click.echo(f"{place.ask(created)} holds until {format_instant(now + duration)}")


@command.command("expire")
@click.argument("silence_id", metavar="ID")
@state.at_place
@state.web_url
@state.author
def expire(place: Place, silence_id: str, *, web_url: str, author: str) -> None:
    """End a silence now."""
    place.ask(RunningDaemon(web_url).expire_silence(silence_id, author))
    click.echo(f"{silence_id} has ended")
