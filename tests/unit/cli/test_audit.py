from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from auditd.store.lock import held
from auditd.store.store import Store
from auditd.store.trail import GENESIS, TrailEvent, TrailKind, append, link
from tests.unit.cli.conftest import now


async def enter(store: Store) -> None:
    """One entry of a week ago, then two of now."""
    old = TrailEvent(now() - timedelta(days=7), TrailKind.CONFIG_LOADED, "old.yaml")
    await store._write(lambda connection: append(connection, [old]))
    await store.configuration_loaded("new.yaml", {"projects": "3"})
    await store.switch_off("ops", "it answered 410")


@pytest.fixture
def filled(site: Any) -> Any:
    site.fill(enter)
    return site


def test_the_newest_entries_come_first(filled: Any) -> None:
    entries = json.loads(filled.run("audit", "log", "--format=json").stdout)
    assert [entry["subject"] for entry in entries] == ["ops", "new.yaml", "old.yaml"]


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--since=1h", ["ops", "new.yaml"]),
        ("--kind=config.loaded", ["new.yaml", "old.yaml"]),
        ("--limit=1", ["ops"]),
    ],
)
def test_flags_choose(filled: Any, flag: str, expected: list[str]) -> None:
    entries = json.loads(filled.run("audit", "log", flag, "--format=json").stdout)
    assert [entry["subject"] for entry in entries] == expected


def test_the_table_has_the_details(filled: Any) -> None:
    assert "reason=it answered 410" in filled.run("audit", "log").stdout


def test_foreign_text_does_not_steer_the_terminal(site: Any) -> None:
    site.fill(lambda store: store.switch_off("ops", "\x1b[2J\x1b]0;owned\x07\nnext"))
    out = site.run("audit", "log").stdout
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_a_trail_that_is_as_it_was_entered_is_verified(filled: Any) -> None:
    with held(filled.state):
        result = filled.run("audit", "verify")
    assert (result.exit_code, result.stdout) == (0, "3 entries are what was entered\n")


def test_the_first_changed_entry_is_named(filled: Any) -> None:
    with closing(sqlite3.connect(filled.state)) as connection, connection:
        connection.execute("UPDATE trail SET detail = replace(detail, '3', '4') WHERE seq >= 2")
    result = filled.run("audit", "verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("entry 2 is not what was entered")


def test_the_export_can_be_verified_without_this_program(filled: Any) -> None:
    lines = filled.run("audit", "export").stdout_bytes.splitlines()
    previous = GENESIS
    for line in lines:
        entry = json.loads(line)
        stated = entry.pop("hash")
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = link(previous, canonical.encode())
        assert stated == previous
    assert len(lines) == 3


@pytest.mark.parametrize("verb", ["log", "verify", "export"])
def test_a_damaged_state_is_told_by_its_exit_code(filled: Any, verb: str) -> None:
    filled.state.write_bytes(b"no database at all" * 1000)
    result = filled.run("audit", verb)
    assert result.exit_code == 4
    assert "is damaged" in result.stderr
