"""In real shells, with the scripts that are shipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditd.cli import main
from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.timeout(60)

SHARE = ROOT / "deploy" / "wheel" / "share"
SCRIPTS = {
    "bash": SHARE / "bash-completion" / "completions" / "servicestage-auditd",
    "zsh": SHARE / "zsh" / "site-functions" / "_servicestage-auditd",
    "fish": SHARE / "fish" / "vendor_completions.d" / "servicestage-auditd.fish",
}
BASH = """
source "$1"
COMP_WORDS=(${2})
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_servicestage_auditd_completion servicestage-auditd
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = r"""
fpath=("${1:h}" $fpath)
compadd() { print -rl -- ${(P)argv[-1]} }  # what only the line editor can call
_describe() { print -rl -- ${(P)argv[3]} }
words=(${=2}); CURRENT=$#words
autoload -Uz _servicestage-auditd
_servicestage-auditd
"""


def complete(shell: str, line: str) -> list[str]:
    """The words that a shell offers for the last word of a line."""
    if not (program := shutil.which(shell)):
        pytest.skip(f"there is no {shell} here; tests/tools/install brings it")
    script = str(SCRIPTS[shell])
    command = {
        "bash": [program, "--norc", "-c", BASH, "bash", script, line],
        "zsh": [program, "-f", "-c", ZSH, "zsh", script, line],
        "fish": [program, "--no-config", "-c", f"source {script}; complete -C '{line}'"],
    }[shell]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.stderr == ""
    return [offered.split("\t")[0].split(":")[0] for offered in done.stdout.split("\n") if offered]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_that_is_shipped_is_the_one_that_is_printed(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell], catch_exceptions=False).stdout
    assert SCRIPTS[shell].read_text() == printed


@pytest.mark.parametrize("shell", SCRIPTS)
def test_commands_are_completed(shell: str) -> None:
    assert complete(shell, "servicestage-auditd ch") == ["check"]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_choices_are_completed(shell: str) -> None:
    assert complete(shell, "servicestage-auditd replay --format j") == ["json"]


def test_subcommands_and_flags_are_completed() -> None:
    assert complete("bash", "servicestage-auditd deliveries re") == ["replay"]
    assert "--config.file" in complete("bash", "servicestage-auditd check --conf")


def test_packagers_commands_are_not_offered() -> None:
    assert complete("bash", "servicestage-auditd ma") == []
