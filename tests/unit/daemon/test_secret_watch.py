from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from pathlib import Path

import pytest

from auditd.config.secret import FileSecret, InlineSecret
from auditd.daemon.secret_watch import SecretWatch, _look


def secret(path: Path, told: list[str]) -> FileSecret:
    return FileSecret(path, monotonic=lambda: 0.0, on_value=told.append)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first")
    return tmp_path / "token"


async def test_it_looks_at_once_and_then_nobody_else_touches_the_file(file: Path) -> None:
    told: list[str] = []
    kept = secret(file, told)
    watch = SecretWatch()
    watch.add([kept, InlineSecret("x")])
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(5):
        while not told:  # noqa: ASYNC110 -- a thread sets it
            await asyncio.sleep(0.001)
    file.unlink()  # noqa: ASYNC240 -- nothing else runs
    assert kept.reveal() == "first"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.looptime
async def test_without_files_it_sleeps_until_there_is_one() -> None:
    watch, loop = SecretWatch(), asyncio.get_running_loop()
    watch.add([InlineSecret("x")])
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(3600)
    assert not getattr(loop, "_default_executor", None)  # no thread was ever asked for
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_every_secret_of_a_file_is_looked_after_and_forgotten_with_its_last_holder(
    file: Path,
) -> None:
    old, new, told = secret(file, []), secret(file, []), list[str]()
    watch = SecretWatch()
    watch.add([old])
    watch.add([new, secret(file, told)])
    gc.collect()
    _look(tuple(watch._watched))
    file.write_text("second one")
    _look(tuple(watch._watched))
    assert old.reveal() == new.reveal() == "second one"
    assert told == []
    watch.add([])
    assert len(watch._watched) == 2
