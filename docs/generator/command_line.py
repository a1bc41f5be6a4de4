"""The commands, as their help says."""

from __future__ import annotations

from collections.abc import Iterator

import click

from auditd.cli import main
from auditd.cli.exits import Exit
from docs.generator.markdown import code, fence, table

_COLUMNS = 80
_MEANINGS = {
    Exit.FINE: "fine; a daemon was told to stop",
    Exit.FINDINGS: "findings at or above `--fail-on`, or a failed test or verification",
    Exit.USAGE: "bad usage or configuration",
    Exit.BLIND: "a project could not be polled, so that its silence means nothing",
    Exit.STORAGE: "the storage is held by another daemon or damaged, or a newer release has it",
}


def page() -> str:
    """The page."""
    root = click.Context(
        main,
        info_name="servicestage-auditd",
        help_option_names=["-h", "--help"],
        terminal_width=_COLUMNS,
        max_content_width=_COLUMNS,
    )
    text = "# Command line\n\n" + fence("text", main.get_help(root))
    text += "## Exit codes\n\n"
    rows = [(code(int(number)), _MEANINGS[number]) for number in Exit]
    text += table(("code", "meaning"), rows)
    return text + "".join(_section(context) for context in _leaves(root))


def _leaves(context: click.Context) -> Iterator[click.Context]:
    """The commands that do something, in the order of the help."""
    group = context.command
    if not isinstance(group, click.Group):
        yield context
        return
    for name in group.list_commands(context):
        if found := group.get_command(context, name):
            yield from _leaves(click.Context(found, info_name=name, parent=context))


def _section(context: click.Context) -> str:
    words = " ".join(context.command_path.split()[1:])
    return f"## `{words}`\n\n" + fence("text", context.command.get_help(context))
