"""What commands about the daemon's state have in common: flags, and ends that say why."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from auditd.cli import options
from auditd.cli.exits import Exit, stop
from auditd.cli.loading import load_or_stop
from auditd.config.settings import Catalog, Settings
from auditd.daemon.running import Fault, RunningDaemonError
from auditd.daemon.state_access import describe_holder, storage_url
from auditd.store.errors import StoreError
from auditd.store.reader import Reader, open_reader

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Place:
    """The configuration, and where the state of its daemon is."""

    settings: Settings
    catalog: Catalog
    url: str

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader of the state, or the end of the command."""
        try:
            with open_reader(self.url) as reader:
                yield reader
        except StoreError as error:
            stop(Exit.STORAGE, str(error))

    def ask(self, work: Coroutine[Any, Any, _R]) -> _R:
        """What the running daemon answers, or the end of the command."""
        try:
            return asyncio.run(work)
        except RunningDaemonError as error:
            if error.fault is Fault.UNREACHABLE:
                stop(Exit.FINDINGS, f"{error}; {self._who_holds()}")
            stop(Exit.USAGE if error.fault is Fault.MISTAKEN else Exit.FINDINGS, str(error))

    def _who_holds(self) -> str:
        try:
            return describe_holder(self.url)
        except StoreError as error:
            return str(error)


_storage_url = click.option(
    "--storage.url",
    "storage_override",
    type=options.StorageUrlType(),
    help="Overrides storage.url of the file.",
)


def at_place(work: Callable[..., _R]) -> Callable[..., _R]:
    """Give a command the flags that say which daemon is meant, and the place they stand for."""

    @options.config_file
    @_storage_url
    @wraps(work)
    def command(config_file: Path, storage_override: str | None, **arguments: Any) -> _R:
        settings, catalog = load_or_stop(config_file)
        place = Place(settings, catalog, storage_url(settings, storage_override))
        return work(place, **arguments)

    return command


class WebUrlType(options.ExternalUrlType):
    """http(s)://HOST[:PORT][/PATH]."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or fail as a usage error."""
        url = super().convert(value, param, ctx)
        if not url.startswith("http"):
            self.fail("write http://HOST:PORT, with the path of --web.external-url", param, ctx)
        return url


def _user() -> str | None:
    """Who runs this; None where the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


web_url = click.option(
    "--web.url",
    "web_url",
    type=WebUrlType(),
    default="http://127.0.0.1:9877",
    show_default=True,
    help="Where the running daemon is reached.",
)

output_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)

author = click.option(
    "--author",
    default=_user,
    required=True,
    show_default="you",
    metavar="NAME",
    help="Who does this.",
)

comment = click.option("--comment", required=True, metavar="TEXT", help="Why.")

limit = click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many are shown at most.",
)
