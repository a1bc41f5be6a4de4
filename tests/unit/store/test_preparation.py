from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from auditd.audit.snapshot import ProjectSnapshot
from auditd.store import sqlite
from auditd.store.backup import Backups
from auditd.store.errors import StoreHeldError, StoreUnavailableError
from auditd.store.migration import HEAD, upgrade
from auditd.store.preparation import OpeningKind
from auditd.store.sqlite import open_engine
from tests.unit.store.examples import (
    START,
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    an_alert,
    failed,
    fired,
    opened,
    query,
)

RUBBISH = b"rubbish" * 1000


@pytest.fixture
async def written(path: Path, clock: Clock) -> Path:
    """A closed database with several pages, and its backup, made before the last delivery."""
    async with opened(path, clock) as store:
        for number in range(20):
            alert = an_alert(f"p{number}")
            await store.record_poll(a_snapshot(f"p{number}"), [alert], [fired(alert)], [])
        await store.backup()
        await store.record_flush(a_group("ops:{}", "f"), a_delivery())
    return path


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _backups(path: Path) -> list[Path]:
    return list(path.parent.glob("state.db.backup-*"))


async def test_a_directory_is_made_for_its_owner_only(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "new" / "state.db"
    async with opened(path, clock) as store:
        await store.backup()
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert len(modes) == 5  # the database, its two side files, the lock, the backup


async def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="must be writable"):
        async with opened(tmp_path / "file" / "state.db", clock):
            pass


async def test_a_file_that_is_no_file_is_said(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot open the state"):
        async with opened(tmp_path, clock):
            pass


async def test_a_store_is_held_while_it_is_open(path: Path, clock: Clock) -> None:
    async with opened(path, clock):
        with pytest.raises(StoreHeldError):
            async with opened(path, clock):
                pass
    async with opened(path, clock) as store:
        assert store.opening.kind is OpeningKind.OPENED


async def test_the_newest_good_backup_takes_the_place_of_a_damaged_file(
    written: Path, clock: Clock
) -> None:
    (good,) = _backups(written)
    bad = good.with_name("state.db.backup-20270101T000000.000000Z")
    _write(bad, RUBBISH)
    _write(written, RUBBISH)
    async with opened(written, clock) as store:
        state = await store.load()
        assert store.opening.kind is OpeningKind.RESTORED
        assert f"restored {good.name}" in store.opening.detail
        assert len(state.snapshots) == 20
        assert state.pending == ()
        assert (await store.verify()).ok
    (aside,) = written.parent.glob("state.db.corrupt-*")
    assert aside.name in store.opening.detail
    assert _content(aside) == RUBBISH
    assert good.exists()


async def test_without_a_good_backup_the_state_is_empty(written: Path, clock: Clock) -> None:
    (backup,) = _backups(written)
    _write(backup, RUBBISH)
    _write(written, RUBBISH)
    async with opened(written, clock) as store:
        assert store.opening.kind is OpeningKind.REBUILT
        assert (await store.load()).snapshots == {}
        await store.record_poll(a_snapshot(), [], [], [])


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM trail_ends",
        "DELETE FROM alembic_version",
        "DROP TABLE alerts",
        "UPDATE alert_groups SET body = '{'",
        "UPDATE snapshots SET body = replace(body, 'critical', 'crucial')",
        "UPDATE history SET body = replace(body, 'overdue', 'overdose')",
        "UPDATE history SET body = '{}' WHERE aspect = 'list'",
        "UPDATE alerts SET body = CAST(x'ff' AS TEXT)",
        "UPDATE polls SET attempted_at = 'yesterday'",
        "UPDATE polls SET attempted_at = x'00'",
        "UPDATE polls SET sighted_at = NULL",
        "UPDATE deliveries SET state = 'pending', notification = 'null'",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
async def test_what_this_program_did_not_write_is_damage(
    written: Path, clock: Clock, damage: str
) -> None:
    query(written, damage)
    async with opened(written, clock) as store:
        assert store.opening.kind is OpeningKind.RESTORED
        assert len((await store.load()).snapshots) == 20


async def test_a_file_that_another_program_has_locked_is_left_alone(
    written: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sqlite._ENGINE["connect_args"], "timeout", 0.0)
    before = _content(written)
    with closing(sqlite3.connect(written)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            async with opened(written, clock):
                pass
    assert _content(written) == before


@pytest.mark.parametrize("kept_bytes", [1, 100, 4096, 30_000])
async def test_a_file_that_was_cut_short_is_damage(
    written: Path, clock: Clock, kept_bytes: int
) -> None:
    _write(written, _content(written)[:kept_bytes])
    async with opened(written, clock) as store:
        assert store.opening.kind is OpeningKind.RESTORED
        assert len((await store.load()).snapshots) == 20


@pytest.mark.parametrize("round_", [1, 2])
@pytest.mark.parametrize("part", ["", "-wal"])
async def test_a_hundred_damaged_files_can_all_be_opened(
    written: Path, clock: Clock, tmp_path: Path, part: str, round_: int
) -> None:
    source = random.Random(f"{part} {round_}")
    kinds = set()
    live = tmp_path / "live"
    async with opened(written, clock) as store:  # an open store has a write-ahead log
        await store.record_poll(a_snapshot("p1", user="z"), [], [], [])
        shutil.copytree(written.parent, live, ignore=shutil.ignore_patterns("live", "*.lock"))
    for number in range(25):
        path = tmp_path / str(number) / "state.db"
        shutil.copytree(live, path.parent)
        _flip_bits(path.with_name(f"state.db{part}"), source)
        async with opened(path, clock) as store:
            kinds.add(store.opening.kind)
            await store.record_poll(a_snapshot(), [], [], [])
        shutil.rmtree(path.parent)
    assert kinds <= {OpeningKind.OPENED, OpeningKind.RESTORED}
    assert OpeningKind.OPENED in kinds


def _flip_bits(path: Path, source: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(source.choice([1, 8, 3000])):
        content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    path.write_bytes(content)


async def test_a_newer_schema_is_refused_and_left_alone(written: Path, clock: Clock) -> None:
    query(written, "UPDATE alembic_version SET version_num = '0999'")
    before = _content(written)
    with pytest.raises(StoreUnavailableError, match="newer release"):
        async with opened(written, clock):
            pass
    assert _content(written) == before


async def test_an_older_schema_is_brought_up_to_ours_after_a_backup(
    path: Path, clock: Clock
) -> None:
    _make_older(path, "INSERT INTO switched_off VALUES ('ops', '410')")
    async with opened(path, clock) as store:
        assert store.opening.kind is OpeningKind.OPENED
        assert (await store.load()).switched_off == {"ops": "410"}
        await store.switch_on("ops")
        assert (await store.verify()).checked == 1
    (backup,) = _backups(path)
    assert query(backup, "SELECT version_num FROM alembic_version") == [("0001",)]


_LATER_TABLES = (
    *("history", "commits", "revision", "changes", "replicas", "claims", "discoveries"),
    "keys",
)
_LISTS_IN_SNAPSHOTS = """
    UPDATE snapshots SET body = json_set(
        json_remove(body, '$.is_listed'), '$.stale_at', json('{}'),
        '$.authorizations', json(iif(json_extract(body, '$.is_listed'), (
            SELECT json_group_object("authorization", json_extract(body, '$.listed'))
            FROM history AS past
            WHERE past.project = snapshots.project AND aspect = 'list' AND ended_at IS NULL
        ), 'null'))
    )
    """
_LATER_COLUMNS = ("polls.number", "deliveries.owner", "deliveries.tried")


async def test_what_was_known_before_there_was_a_history_stands_from_then_on(
    path: Path, clock: Clock
) -> None:
    """As if the first polls of this release had found it."""
    unseen = failed(ProjectSnapshot(a_project("c")), START)
    later = failed(a_snapshot("b"), START + timedelta(hours=1))
    async with opened(path, clock) as store:
        for snapshot in (a_snapshot("a"), a_snapshot("b"), unseen, later):
            await store.record_poll(snapshot, [], [], [])
        expected = [await store.history(name) for name in "abc"]
    query(path, _LISTS_IN_SNAPSHOTS)
    for table in _LATER_TABLES:
        query(path, f"DROP TABLE {table}")
    for column in _LATER_COLUMNS:
        query(path, "ALTER TABLE {} DROP COLUMN {}".format(*column.split(".")))
    query(path, "UPDATE alembic_version SET version_num = '0002'")
    query(path, "INSERT INTO snapshots SELECT 'd', '0', body FROM snapshots WHERE project = 'c'")
    query(path, "INSERT INTO polls (project, failures_in_a_row) VALUES ('d', 0)")
    async with opened(path, clock) as store:
        for name, entries in zip("abc", expected, strict=True):
            migrated = await store.history(name)
            assert {replace(entry, seq=0) for entry in migrated} == {
                replace(entry, seq=0) for entry in entries
            }
        assert await store.history("d") == ()
        await store.record_poll(a_snapshot("b", at=START + timedelta(hours=2)), [], [], [])
        assert len(await store.history("b")) == 4


async def test_a_migration_that_fails_leaves_all_as_it_was(path: Path, clock: Clock) -> None:
    _make_older(path, "CREATE TABLE trail_ends (x)")
    before = query(path, "SELECT * FROM sqlite_schema")
    with pytest.raises(StoreUnavailableError, match=f"from schema 0001 to {HEAD}"):
        async with opened(path, clock):
            pass
    assert query(path, "SELECT * FROM sqlite_schema") == before


def _make_older(path: Path, statement: str) -> None:
    """A database of the first schema, in which the statement was run."""
    engine = open_engine(path)
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(text(statement))
    engine.dispose()


async def test_a_backup_is_due_when_the_last_one_is_old_or_of_the_future(
    path: Path, clock: Clock
) -> None:
    async with opened(path, clock) as store:
        await store.back_up_if_due()
        clock.move(timedelta(minutes=59))
        await store.back_up_if_due()
        assert len(_backups(path)) == 1
        clock.move(timedelta(minutes=1))
        await store.back_up_if_due()
        assert len(_backups(path)) == 2
        clock.move(-timedelta(days=1))
        await store.back_up_if_due()
        assert len(_backups(path)) == 3


async def test_only_the_newest_backups_are_kept(path: Path, clock: Clock) -> None:
    async with opened(path, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
        for _ in range(26):
            clock.move(timedelta(hours=1))
            await store.backup()
    newest_first = Backups(path, 24).newest_first()
    assert len(newest_first) == 24
    assert Backups(path, 24).newest_at() == clock.at
    shutil.copyfile(newest_first[0], path)
    async with opened(path, clock) as store:
        assert (await store.load()).snapshot_of(a_project()) == a_snapshot(at=START)
