"""Flags that several commands share."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from auditd.audit.duration import parse_duration
from auditd.config.settings import STORAGE_ADDRESS
from auditd.web.address import Address, parse_address
from auditd.web.external_url import check_external_url


class AddressType(click.ParamType[Address]):
    """HOST:PORT, [IPv6]:PORT or :PORT."""

    name = "HOST:PORT"

    def convert(
        self, value: str | Address, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Read it, or fail as a usage error."""
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DurationType(click.ParamType[timedelta]):
    """A Prometheus duration such as 30s or 1h30m."""

    name = "DURATION"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, or fail as a usage error."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ExternalUrlType(click.ParamType[str]):
    """http(s)://HOST[:PORT][/PATH], or only /PATH."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or fail as a usage error."""
        try:
            check_external_url(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class StorageUrlType(click.ParamType[str]):
    """Where state is kept. The value may hold a password, so no message shows it."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or fail as a usage error."""
        try:
            STORAGE_ADDRESS.check(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


config_file = click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The configuration, in YAML.",
)

listen_addresses = click.option(
    "--web.listen-address",
    "listen_addresses",
    type=AddressType(),
    multiple=True,
    default=("127.0.0.1:9877",),
    show_default=True,
    help="Where to serve metrics and health. May be given several times.",
)
