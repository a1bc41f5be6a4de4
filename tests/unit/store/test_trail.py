from __future__ import annotations

import hashlib
import json
import random
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from auditd.store.store import Store
from auditd.store.trail import GENESIS
from auditd.store.verification import follow
from tests.unit.store.examples import RETENTION, Clock, lines_of, opened, query

COLUMNS = ("at", "kind", "subject", "detail", "hash")


@pytest.fixture
async def written(path: Path, clock: Clock) -> Path:
    """A database with three entries, closed."""
    async with opened(path, clock) as store:
        for number in range(3):
            await store.switch_off(f"hook{number}", "410 Gone")
    return path


async def test_a_program_that_knows_only_the_export_can_verify_it(
    store: Store, clock: Clock
) -> None:
    for number in range(3):
        clock.move(timedelta(minutes=1))
        await store.switch_off(f"hook{number}", "410 „weg“")
    previous = GENESIS
    for line in await lines_of(store.export()):
        assert line.endswith(b"}\n")
        entry = json.loads(line)
        claimed = entry.pop("hash")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256((previous + text).encode()).hexdigest()
        assert claimed == previous


@pytest.mark.parametrize("seq", [1, 2, 3])
@pytest.mark.parametrize("column", COLUMNS)
async def test_any_changed_text_is_named(
    written: Path, clock: Clock, column: str, seq: int
) -> None:
    change = f"UPDATE trail SET {column} = replace({column}, substr({column}, -2, 1), '~')"
    query(written, f"{change} WHERE seq = ?", seq)
    async with opened(written, clock) as store:
        verdict = await store.verify()
    assert (verdict.ok, verdict.first_bad_seq, verdict.checked) == (False, seq, seq - 1)
    assert "is not what was entered" in verdict.reason


async def test_any_flipped_bit_of_an_entry_is_named(written: Path, clock: Clock) -> None:
    """In the file itself, behind the back of SQLite, which fills pages from behind."""
    detail = b'{"reason":"410 Gone"}'
    start = _content(written).rindex(detail)
    for bit in random.Random(7).sample(range(8 * len(detail)), 20):
        _flip(written, start + bit // 8, bit % 8)
        async with opened(written, clock) as store:
            verdict = await store.verify()
        assert (verdict.ok, verdict.first_bad_seq) == (False, 1)
        _flip(written, start + bit // 8, bit % 8)
    async with opened(written, clock) as store:
        assert (await store.verify()).ok


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _flip(path: Path, byte: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


async def test_a_missing_entry_is_named(written: Path, clock: Clock) -> None:
    query(written, "DELETE FROM trail WHERE seq = 2")
    async with opened(written, clock) as store:
        verdict = await store.verify()
    assert (verdict.ok, verdict.first_bad_seq) == (False, 2)
    assert "is missing" in verdict.reason


async def test_a_cut_end_is_noticed(written: Path, clock: Clock) -> None:
    query(written, "DELETE FROM trail WHERE seq = 3")
    async with opened(written, clock) as store:
        verdict = await store.verify()
    assert (verdict.ok, verdict.first_bad_seq) == (False, 3)
    assert "the last entry was number 3" in verdict.reason


@pytest.mark.parametrize("change", ["seq = 2", "hash = 'x'"])
async def test_a_head_that_does_not_agree_is_noticed(
    written: Path, clock: Clock, change: str
) -> None:
    query(written, f"UPDATE trail_ends SET {change} WHERE name = 'head'")
    async with opened(written, clock) as store:
        verdict = await store.verify()
    assert not verdict.ok
    assert "does not agree" in verdict.reason


async def test_a_swapped_pair_is_named(written: Path, clock: Clock) -> None:
    query(written, "UPDATE trail SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq > 1")
    query(written, "UPDATE trail SET seq = -seq WHERE seq < 0")
    async with opened(written, clock) as store:
        assert (await store.verify()).first_bad_seq == 2


async def test_an_entry_that_cannot_be_read_is_named(written: Path, clock: Clock) -> None:
    async with opened(written, clock) as store:
        assert (await store.verify()).ok
        await store.switch_off("hook3", "x")
    query(written, "UPDATE trail SET subject = CAST(x'ff' AS TEXT) WHERE seq = 4")
    async with opened(written, clock) as store:
        verdict = await store.verify()
    assert not verdict.ok
    assert "cannot be read" in verdict.reason


async def test_it_is_verified_in_chunks_and_goes_on_after_pruning(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.verification.CHUNK", 5)
    for number in range(13):
        if number == 3:
            clock.move(RETENTION + timedelta(seconds=1))
        await store.switch_off(f"hook{number}", "x")
    assert (await store.verify()).checked == 13
    assert len(await lines_of(store.export())) == 13
    await store.prune()
    verdict = await store.verify()
    assert (verdict.ok, verdict.checked) == (True, 10)
    assert len(await lines_of(store.export())) == 10
    assert (await store.trail(limit=1))[0].seq == 13


async def test_entries_that_are_pruned_while_it_is_verified_are_not_missed(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.verification.CHUNK", 2)
    for number in range(8):
        if number == 6:
            clock.move(RETENTION + timedelta(seconds=1))
        await store.switch_off(f"hook{number}", "x")
    begun = await store._database.read(partial(follow, progress=None))
    await store.prune()
    ended = begun
    while ended.verdict is None:
        ended = await store._database.read(partial(follow, progress=ended))
    assert (begun.last.seq, ended.verdict.ok) == (2, True)


async def test_a_trail_that_is_old_as_a_whole_goes_on_from_its_last_hash(
    store: Store, clock: Clock
) -> None:
    await store.switch_off("ops", "x")
    clock.move(RETENTION * 2)
    await store.prune()
    assert (await store.verify()).checked == 0
    await store.switch_off("ops", "y")
    verdict = await store.verify()
    assert (verdict.ok, verdict.checked) == (True, 1)
    await store.prune()
    assert [entry.seq for entry in await store.trail()] == [2]
