from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from auditd.cli import main
from auditd.store.lock import held
from auditd.store.opening import open_store
from tests.unit.cli.conftest import now
from tests.unit.store.examples import query


def run(source: str, target: str) -> Result:
    return CliRunner().invoke(main, ["storage", "copy", f"--from={source}", f"--to={target}"])


@pytest.fixture
def source(site: Any) -> str:
    site.fill(lambda store: store.switch_off("ops", "it answered 410"))
    return f"sqlite:///{site.state}"


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new.db'}"


def test_it_says_what_was_copied_and_what_to_do_next(source: str, target: str) -> None:
    result = run(source, target)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"{source.removeprefix('sqlite:///')}\ncopied to {target.removeprefix('sqlite:///')}\n"
        "rows: 1 switched off, 1 trail\n"
        "verified: every row, and 1 entries of the trail by their hashes\n"
        "Set storage.url to the new place, and start no daemon on the old one again.\n"
    )
    again = run(source, target)
    assert again.exit_code == 0
    assert "\nhad been copied before to " in again.stdout


def test_a_held_source_ends_with_4(source: str, target: str) -> None:
    with held(Path(source.removeprefix("sqlite:///"))):
        result = run(source, target)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "is held by the process with pid" in result.stderr


def test_a_target_in_use_ends_with_4(source: str, target: str) -> None:
    async def use() -> None:
        async with open_store(target, now=now, retention=timedelta(days=1)) as store:
            await store.switch_off("chat", "x")

    asyncio.run(use())
    result = run(source, target)
    assert result.exit_code == 4
    assert "name an empty database to copy to" in result.stderr


def test_a_changed_trail_ends_with_1(source: str, target: str) -> None:
    query(Path(source.removeprefix("sqlite:///")), "UPDATE trail SET subject = 'else'")
    result = run(source, target)
    assert result.exit_code == 1
    assert "nothing was copied" in result.stderr


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (("sqlite:////a", "sqlite:////a"), "are the same"),
        (("mysql://u:hunter2@db/x", "sqlite:////a"), "Invalid value for '--from'"),
        (("sqlite:////a", "postgresql+asyncpg://u:hunter2@db/x"), "Invalid value for '--to'"),
    ],
)
def test_places_that_are_none_end_with_2(ends: Sequence[str], said: str) -> None:
    result = run(*ends)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "hunter2" not in result.output


def test_a_password_is_never_said(source: str) -> None:
    result = run(source, "postgresql://auditd:hunter2@127.0.0.1:1/state")
    assert result.exit_code == 4
    assert "PostgreSQL on 127.0.0.1, port 1, database state" in result.stderr
    assert "hunter2" not in result.output


def test_a_person_sees_how_far_it_is(source: str, target: str) -> None:
    ours, its = pty.openpty()
    command = [str(Path(sys.executable).with_name("servicestage-auditd")), "storage", "copy"]
    subprocess.run(
        [*command, f"--from={source}", f"--to={target}"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=its,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(its)
    told = b""
    with suppress(OSError):  # at the end, as nobody has the other side any more
        while True:  # a terminal gives as much as it likes
            told += os.read(ours, 65536)
    os.close(ours)
    seen = told.decode()
    assert "copying and verifying" in seen
    assert "100%" in seen
