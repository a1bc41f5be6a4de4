"""How commands read the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

import click

from auditd.cli.exits import Exit, stop
from auditd.config.load import load
from auditd.config.problem import ConfigError
from auditd.config.settings import Catalog, Settings
from auditd.daemon.catalog import load_catalog
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.planning import rehearse


def load_or_stop(config_file: Path) -> tuple[Settings, Catalog]:
    """The configuration, or the end of the command with every problem of it told."""
    catalog = load_catalog()
    try:
        settings = load(
            config_file,
            catalog,
            os.environ,
            on_secret=lambda _: None,
            monotonic=monotonic,
        )
    except ConfigError as error:
        stop(Exit.USAGE, str(error))
    return settings, catalog


def validate_or_stop(config_file: Path) -> None:
    """Say what a valid configuration holds, and what to think of in it; or end the command."""
    settings, catalog = load_or_stop(config_file)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    try:
        rehearse(settings, catalog)
    except UnusableSettingError as error:
        stop(Exit.USAGE, str(error))
    click.echo(f"{config_file}: valid: {_describe(settings)}")


def _describe(settings: Settings) -> str:
    """What a valid configuration holds, in half a sentence."""
    counts = [
        (len(settings.projects), "project"),
        (len(settings.discovery), "discovery source"),
        (len(settings.credentials), "credential"),
    ]
    return ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts)
