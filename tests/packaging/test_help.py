from __future__ import annotations

import subprocess
import sys

import click
import pytest

from auditd.cli import main

CONTEXT = click.Context(main)


@pytest.mark.parametrize("name", main.list_commands(CONTEXT))
def test_what_the_index_says_of_a_command_is_what_it_says_itself(name: str) -> None:
    command = main.get_command(CONTEXT, name)
    index = {line.split()[0]: line.split(None, 1)[1] for line in _index()}
    assert command
    assert index[name] == command.get_short_help_str(limit=1000)


def _index() -> list[str]:
    formatter = click.HelpFormatter(width=1000)
    main.format_commands(CONTEXT, formatter)
    return formatter.getvalue().strip().split("\n")[1:]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["version"], ["completion", "fish"]]
)
def test_what_asks_nothing_of_the_daemon_loads_nothing_of_it(arguments: list[str]) -> None:
    """This is what makes it quick: 60 ms of processor time, and 1.3 s with all of it."""
    program = f"""
import sys
from auditd.cli import main
main({arguments!r}, standalone_mode=False)
loaded = {{name.split(".")[0] for name in sys.modules}}
rooms = {{name for name in sys.modules if name.startswith("auditd.") and "cli" not in name}}
print(rooms | loaded & {{"aiohttp", "sqlalchemy", "huaweicloudsdkcore", "rich", "jinja2"}},
      file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "set()\n"
