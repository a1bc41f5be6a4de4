"""`completion`: what makes a shell complete this command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_PROGRAM = "servicestage-auditd"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete this command.

    bash: into ~/.local/share/bash-completion/completions/servicestage-auditd; zsh: into
    _servicestage-auditd in a directory of fpath; fish: into
    ~/.config/fish/completions/servicestage-auditd.fish. Packages bring these files.
    """
    kind = get_completion_class(shell)
    assert kind  # noqa: S101 -- click knows each of the choices
    variable = f"_{_PROGRAM.replace('-', '_').upper()}_COMPLETE"
    script = kind(ctx.find_root().command, {}, _PROGRAM, variable).source()
    click.echo(script.rstrip("\n"))
