"""`version`: what is installed, as a bug report needs it."""

from __future__ import annotations

import platform
from importlib.metadata import version

import click

from auditd import __version__

_LIBRARIES = ("aiohttp", "apscheduler", "huaweicloudsdkcore", "prometheus-client", "structlog")


@click.command("version")
def command() -> None:
    """Print the versions of this program and of what it stands on."""
    click.echo(f"servicestage-auditd {__version__}")
    click.echo(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for library in _LIBRARIES:
        click.echo(f"{library} {version(library)}")
