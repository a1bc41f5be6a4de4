"""What a console block asks for: its commands, what they show, and whether they exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import PurePath

import click

from auditd.cli import main
from tests.docs.blocks import ROOT, Block

NAME = "servicestage-auditd"
_ASSIGNMENT = re.compile(r"\w+=.*")
_TARGETS = frozenset(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
_ENDS = frozenset([";", "&", "&&", "|", "||", "(", ")", ";;"])
_REDIRECTION = re.compile(r"[<>&]*[<>][<>&]*")


@dataclass(frozen=True, slots=True)
class Step:
    """One command, maybe of several lines, and the lines that it shows."""

    line: int
    command: str
    shown: tuple[str, ...]


def steps(block: Block) -> list[Step]:
    """The commands of a block: each begins with `$ ` and goes on where its shell would ask."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        last = found[-1] if found else None
        if line.startswith("$ "):
            found.append(Step(number, line[2:], ()))
        elif last and not last.shown and not is_complete(last.command):
            more = line.removeprefix("> ")
            found[-1] = Step(last.line, f"{last.command}\n{more}", ())
        elif last:
            found[-1] = Step(last.line, last.command, (*last.shown, line))
        else:
            msg = f"{block}: {line!r}: a console block begins with a command, `$ ...`"
            raise AssertionError(msg)
    assert found, f"{block}: there is no command in it"
    return found


def is_complete(command: str) -> bool:
    """Whether a shell would ask for no more."""
    done = subprocess.run(
        ["bash", "-n"], input=command + "\n", capture_output=True, text=True, check=False
    )
    return not (command.endswith("\\") or done.returncode or "here-document" in done.stderr)


def check_shell(text: str, *, is_mention: bool = False) -> None:
    """Fail unless it is shell, and all of it that is ours exists; a mention may be incomplete."""
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in simple_commands(text):
        _check_ours(words, is_mention=is_mention)
        if words[0] == "make":
            targets = [word for word in words[1:] if not _ASSIGNMENT.fullmatch(word)]
            assert _TARGETS.issuperset(targets), f"the Makefile has no {targets}"


def simple_commands(text: str) -> Iterator[list[str]]:
    """The words of each command, without assignments before it and redirections."""
    for line in text.replace("\\\n", " ").splitlines():
        words: list[str] = []
        tokens = iter([*_tokens(line), ";"])
        for token in tokens:
            if _REDIRECTION.fullmatch(token):
                next(tokens)
                if words and words[-1].isdigit():
                    words.pop()  # the 2 of 2>
            elif token not in _ENDS:
                words.append(token)
            elif words := [*dropwhile(_ASSIGNMENT.fullmatch, words)]:
                yield words
                words = []


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return [*lexer]
    except ValueError:
        return []  # a quotation over several lines: it is none of our commands


def _check_ours(words: Sequence[str], *, is_mention: bool) -> None:
    """Each call of our command parses, wherever in the line it is (`sudo`, `docker run`)."""
    for place, word in enumerate(words):
        rest = list(words[place + 1 :])
        is_ours = PurePath(word).name == NAME and rest
        if is_ours and (place == 0 or rest[0] in main.list_commands(click.Context(main))):
            _parse(rest, is_mention=is_mention)
            return


def _parse(arguments: list[str], *, is_mention: bool) -> None:
    """Fail unless the command line takes them."""
    command: click.Command = main
    context = click.Context(main, info_name=NAME)
    while isinstance(command, click.Group) and not arguments[0].startswith("-"):
        name, *arguments = arguments
        found = command.get_command(context, name)
        assert found, f"{context.command_path} has no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
        if isinstance(command, click.Group) and not arguments:
            return
    try:
        command.make_context(context.info_name, arguments, parent=context.parent)
    except click.exceptions.Exit:
        pass  # --help or --version
    except click.ClickException as error:
        if is_mention and isinstance(error, click.MissingParameter):
            return
        msg = f"{context.command_path}: {error.format_message()}"
        raise AssertionError(msg) from None
