"""`man`: the manual page, made of what `--help` of each command says. For those who make packages.

click-man, which does the like, does not see commands that are imported when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

import click

from auditd import __version__

_NAME = "servicestage-auditd"
_DATE = "2026-11-26"
"""When it was last looked through: a date of today would make every build another one."""
_COLUMNS = 76
_EXITS = (
    ("0", "fine; a daemon was told to stop"),
    ("1", "findings at or above --fail-on, or a failed test or verification"),
    ("2", "bad usage or configuration"),
    ("3", "a project could not be polled, so that its silence means nothing"),
    ("4", "the storage is held by another daemon, or damaged"),
)
_FILES = (
    ("/etc/servicestage-auditd/auditd.yaml", "the configuration, by custom"),
    ("/var/lib/servicestage-auditd/state.db", "where state is kept unless storage.url says else"),
)


@click.command("man", hidden=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Print the manual page servicestage-auditd(1)."""
    for line in _page(ctx.find_root()):
        click.echo(line)


def _page(root: click.Context) -> Iterator[str]:
    """The page in the macros of man(7), which every reader of manual pages knows."""
    group = root.command
    summary, _, rest = _paragraphs(group)[0].partition(". ")
    yield f'.TH {_NAME.upper()} 1 {_DATE} "{_NAME} {__version__}" "User Commands"'
    yield ".ad l"
    yield ".nh"
    yield ".SH NAME"
    yield from _sentences(f"{_NAME} - {_first_lower(summary.rstrip('.'))}")
    yield ".SH SYNOPSIS"
    yield f".B {_escape(_NAME)}"
    yield ".I command"
    yield "[\\fIoptions\\fR]"
    yield ".SH DESCRIPTION"
    yield from _prose([*filter(None, [rest]), *_paragraphs(group)[1:-1]])
    yield ".SH COMMANDS"
    for context in _leaves(root):
        yield from _section(context)
    yield ".SH EXIT STATUS"
    yield from _entries(_EXITS)
    yield ".SH FILES"
    yield from _entries(_FILES)


def _leaves(ctx: click.Context) -> Iterator[click.Context]:
    """The commands that do something, in the order of the help."""
    group = ctx.command
    if not isinstance(group, click.Group):
        yield ctx
        return
    for name in group.list_commands(ctx):
        if found := group.get_command(ctx, name):
            yield from _leaves(click.Context(found, info_name=name, parent=ctx))


def _section(ctx: click.Context) -> Iterator[str]:
    words = ctx.command_path.split()[1:]
    arguments = [
        it.make_metavar(ctx) for it in ctx.command.params if isinstance(it, click.Argument)
    ]
    yield f".SS {_escape(' '.join([*words, *arguments]))}"
    yield from _prose(_paragraphs(ctx.command))
    records = (it.get_help_record(ctx) for it in ctx.command.params if isinstance(it, click.Option))
    yield from _entries(record for record in records if record)


def _paragraphs(command: click.Command) -> list[str]:
    return [" ".join(part.split()) for part in (command.help or "").split("\n\n")]


def _prose(paragraphs: list[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield from _sentences(paragraph)


def _entries(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in entries:
        yield ".TP"
        yield f".B {_escape(term)}"
        yield from _sentences(meaning)


def _sentences(text: str) -> Iterator[str]:
    """Each sentence begins a line, so that readers can space them as they like."""
    for sentence in " ".join(text.split()).replace(". ", ".\n").split("\n"):
        for line in wrap(sentence, _COLUMNS, break_on_hyphens=False, break_long_words=False):
            yield _text(line)


def _text(line: str) -> str:
    escaped = _escape(line)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escape(text: str) -> str:
    """What roff takes literally, hyphens that can be copied; a line may end behind a bar."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("|", "|\\:")


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]
