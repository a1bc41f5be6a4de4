"""A machine of its own for the commands of one page.

It is made of Linux namespaces: the ports that a page names are free, whatever runs beside it; there
is no network beyond the machine; and all that was started is gone at the end.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block
from tests.docs.commands import Step, steps

DEADLINE_SECONDS = 45.0
_OWN = ("unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc")
_LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS, UP
os.execvp(sys.argv[1], sys.argv[1:])
"""
# Recursive, because there may be a machine of another test below the checkout, with mounts of its
# own: without them the kernel binds no directory here.
_SHELL = """
mount -t tmpfs none /run && mkdir /run/secrets && cp "$HOME"/secrets/* /run/secrets/ || exit 1
mount --rbind "$0" "$0" && mount -o remount,bind,ro "$0" || exit 1
while IFS= read -r -d '' -u 3 command && IFS= read -r -d '' -u 3 output; do
  (exit "${status:-0}")
  eval "$command" </dev/null >"$output" 2>&1 3<&- 4>&-
  status=$?
  echo "$status" >&4
done
"""


class Sandbox:
    """A shell that is given one command after another. `directory` is where it begins."""

    def __init__(self, directory: Path, outputs: Path, write: int, read: int) -> None:
        self.directory = directory
        self._outputs = outputs
        self._write = os.fdopen(write, "w")
        self._read = read
        self._answered = b""
        self._count = 0

    def follow(self, blocks: Sequence[Block]) -> None:
        """Do what a reader does: save the files, give the commands, compare what is shown."""
        for block in blocks:
            if block.saved_as:
                self.save(block.saved_as, block.text)
            else:
                given = steps(block)
                for step, after in zip_longest(given, given[1:]):
                    is_explained = after is not None and after.command.startswith("echo $?")
                    place = f"{block.file.relative_to(ROOT)}:{step.line}"
                    self._do(step, place, may_fail=is_explained)

    def save(self, name: str, text: str) -> None:
        """As an editor does that was started in the shell."""
        where, _ = self.run("pwd")
        file = Path(where.strip()) / name
        assert file.resolve().is_relative_to(self.directory.parent.resolve()), name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, command: str) -> tuple[str, int]:
        """What it showed, and its exit code."""
        output = self._give(command)
        status = self._status(command, output)
        return output.read_text(errors="replace"), status

    def _do(self, step: Step, place: str, *, may_fail: bool) -> None:
        output = self._give(step.command)
        status = self._status(place, output)
        if step.command.rstrip().endswith("&"):
            self._await(output, step.shown)
        said = _said(output)
        if step.shown:
            assert shows(said, step.shown), f"{place}: $ {step.command}\nshows:\n{said}"
        assert status == 0 or may_fail, f"{place}: $ {step.command}\nended {status}:\n{said}"

    def _give(self, command: str) -> Path:
        self._count += 1
        output = self._outputs / f"{self._count}.txt"
        self._write.write(f"{command}\0{output}\0")
        self._write.flush()
        return output

    def _status(self, what: str, output: Path) -> int:
        os.set_blocking(self._read, False)
        until = time.monotonic() + DEADLINE_SECONDS
        while b"\n" not in self._answered:
            try:
                piece = os.read(self._read, 100)
                assert piece, f"{what}: the shell has ended:\n{_said(output)}"
                self._answered += piece
            except BlockingIOError:
                if time.monotonic() > until:
                    pytest.fail(f"{what}: no end in {DEADLINE_SECONDS} s:\n{_said(output)}")
                time.sleep(0.02)
        line, _, self._answered = self._answered.partition(b"\n")
        return int(line)

    def _await(self, output: Path, shown: Sequence[str]) -> None:
        """What was started with `&` shows it a little later."""
        until = time.monotonic() + DEADLINE_SECONDS
        while shown and not shows(_said(output), shown) and time.monotonic() < until:
            time.sleep(0.05)

    def close(self) -> None:
        """The shell ends, and with it all that it started."""
        self._write.close()
        os.close(self._read)


def shows(said: str, shown: Sequence[str]) -> bool:
    """Whether the output is as shown: `...` stands for anything in a line, or for any lines."""
    pattern = ""
    for line in shown:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        else:
            pieces = (re.escape(piece.strip()) for piece in line.split("..."))
            pattern += r"[ ]*" + "[^\n]*".join(pieces).replace(r"\ ", "[ ]+") + "[ ]*\n"
    return bool(re.fullmatch(pattern + r"\s*", said.rstrip() + "\n"))


def _said(output: Path) -> str:
    return output.read_text(errors="replace") if output.exists() else ""


@contextmanager
def sandbox(place: Path, tools: dict[str, str]) -> Iterator[Sandbox]:
    """A checkout to work in, with its environment made, and `tools`: name -> shell command."""
    home, binaries, outputs = place / "home", place / "bin", place / "outputs"
    for directory in (home / "secrets", binaries, outputs):
        directory.mkdir(parents=True)
    for name, command in tools.items():
        (binaries / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (binaries / name).chmod(0o755)
    for name in ("access_key", "secret_key", "slack"):
        (home / "secrets" / name).write_text("https://hooks.acme.example/not-a-secret\n")
    path = f"{binaries}:{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TERM": "dumb"}
    given, to_give = os.pipe()
    to_read, answered = os.pipe()
    shell = f"exec 3<&{given} 4>&{answered}\n{_SHELL}"
    process = subprocess.Popen(
        [*_OWN, "--kill-child", sys.executable, "-c", _LOOPBACK_UP, "bash", "-c", shell, str(ROOT)],
        cwd=checkout(place / "servicestage-auditd"),
        env=environment,
        pass_fds=(given, answered),
    )
    os.close(given)
    os.close(answered)
    opened = Sandbox(place / "servicestage-auditd", outputs, to_give, to_read)
    try:
        yield opened
    finally:
        opened.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def checkout(place: Path) -> Path:
    """This checkout as `make setup` leaves it. What it shares with ours cannot be written to."""
    environment = place / ".venv"
    environment.mkdir(parents=True)
    for name in ("config", "deploy", "docs", "requirements", "auditd", "tests"):
        (place / name).symlink_to(ROOT / name)
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / name)
    (environment / "bin").symlink_to(Path(sys.prefix) / "bin")
    for stamp in (".run", ".dev"):  # newer than all that make compares them with
        (environment / stamp).touch()
    return place


def can_be_made() -> bool:
    """Whether this machine lets us have namespaces."""
    return not subprocess.run([*_OWN, "true"], check=False, capture_output=True).returncode
