"""`config check|schema|example`: all about configuration files, without the network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from auditd.cli.loading import validate_or_stop
from auditd.config.example import example_text
from auditd.config.schema import json_schema
from auditd.daemon.catalog import load_catalog


@click.group("config")
def command() -> None:
    """Validate a configuration; print its schema or an example."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Validate FILE and all that it includes, offline. Every error is shown in one pass."""
    validate_or_stop(file)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema, for editors that complete and check YAML."""
    click.echo(json.dumps(json_schema(load_catalog()), indent=2, ensure_ascii=False))


@command.command("example")
def example() -> None:
    """Print a commented example that shows every key once."""
    click.echo(example_text(), nl=False)
