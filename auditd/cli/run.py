"""`run`: the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from auditd.cli import options
from auditd.cli.exits import Exit, stop
from auditd.cli.loading import validate_or_stop
from auditd.config.problem import ConfigError
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.options import ServiceOptions
from auditd.daemon.service import serve
from auditd.daemon.signals import Stop, leave_soon, stopping_on_signals
from auditd.daemon.web_security import read_security
from auditd.store.errors import StoreOutdatedError, StoreUnavailableError
from auditd.telemetry.log import Format
from auditd.web.address import Address
from auditd.web.listener import ListenError

_LEVELS = {
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}


@click.command("run")
@options.config_file
@click.option("--config.check", "check_only", is_flag=True, help="Validate offline and exit.")
@options.listen_addresses
@click.option(
    "--web.config.file",
    "web_config_file",
    type=click.Path(path_type=Path),
    help="TLS, users, headers and rate limit, in the format of Prometheus' exporter-toolkit.",
)
@click.option(
    "--web.health-listen-address",
    "health_addresses",
    type=options.AddressType(),
    multiple=True,
    help="Serve /-/healthy and /-/ready here too, open for everybody. Repeatable.",
)
@click.option(
    "--web.enable-lifecycle",
    "enable_lifecycle",
    is_flag=True,
    help="Allow reloads by POST /-/reload.",
)
@click.option(
    "--web.external-url",
    "external_url",
    type=options.ExternalUrlType(),
    default="",
    help="The URL under which people reach this daemon; its path prefixes every page.",
)
@click.option(
    "--log.level",
    "log_level",
    type=click.Choice(list(_LEVELS)),
    default="info",
    show_default=True,
    help="The least important level that is logged.",
)
@click.option(
    "--log.format",
    "log_format",
    type=click.Choice(["json", "console"]),
    help="By default console on a terminal and json elsewhere.",
)
@click.option(
    "--storage.url",
    "storage_url",
    type=options.StorageUrlType(),
    help="Overrides storage.url of the file.",
)
def command(
    config_file: Path,
    *,
    check_only: bool,
    listen_addresses: tuple[Address, ...],
    web_config_file: Path | None,
    health_addresses: tuple[Address, ...],
    enable_lifecycle: bool,
    external_url: str,
    log_level: str,
    log_format: Format | None,
    storage_url: str | None,
) -> None:
    """Poll every project on its schedule until SIGTERM or SIGINT."""
    if check_only:
        validate_or_stop(config_file)
        if web_config_file:
            _check_web_config(web_config_file)
        return
    service_options = ServiceOptions(
        config_file=config_file,
        listen_addresses=listen_addresses,
        health_addresses=health_addresses,
        web_config_file=web_config_file,
        enable_lifecycle=enable_lifecycle,
        external_url=external_url,
        log_level=_LEVELS[log_level],
        log_format=log_format,
        storage_url=storage_url,
    )
    try:
        asyncio.run(_run(service_options))
    except (ConfigError, ListenError, UnusableSettingError) as error:
        stop(Exit.USAGE, str(error))
    except (StoreOutdatedError, StoreUnavailableError) as error:
        stop(Exit.STORAGE, str(error))


async def _run(service_options: ServiceOptions) -> None:
    asked = Stop()
    with stopping_on_signals(asked):
        await serve(service_options, asked)
    leave_soon()


def _check_web_config(file: Path) -> None:
    try:
        read = read_security(file, on_secret=lambda _: None)
    except ConfigError as error:
        stop(Exit.USAGE, str(error))
    for warning in read.warnings:
        click.echo(f"warning: {warning}", err=True)
