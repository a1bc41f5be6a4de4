from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditd.store.errors import StoreHeldError, StoreUnavailableError
from auditd.store.lock import held

_HOLD = """
import sys
from pathlib import Path
from auditd.store.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    with _holder(path) as process:
        with pytest.raises(StoreHeldError, match=f"pid {process.pid}") as refusal, held(path):
            pass
        assert refusal.value.pid == process.pid
        process.communicate()


def test_a_kill_leaves_nothing_behind(path: Path) -> None:
    with _holder(path) as process:
        process.kill()
        process.communicate()
    with held(path):
        pass


def test_a_lock_that_outlives_its_owner_by_a_moment_refuses_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = os.open(path.with_name("state.db.lock"), os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        os.close(descriptor)

    monkeypatch.setattr("auditd.store.lock.sleep", pause)
    with held(path):
        assert len(pauses) == 1


def test_the_same_process_is_refused_too(path: Path) -> None:
    with held(path), pytest.raises(StoreHeldError) as refusal, held(path):
        pass
    assert refusal.value.pid == os.getpid()


def test_an_owner_that_has_not_said_its_pid_yet_is_another_process(path: Path) -> None:
    with held(path):
        path.with_name("state.db.lock").write_text("")
        with pytest.raises(StoreHeldError, match="another process") as refusal, held(path):
            pass
    assert refusal.value.pid is None


def test_a_directory_that_is_none_is_said(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreUnavailableError, match="Not a directory"), held(path / "state.db"):
        pass


def test_a_disk_that_cannot_lock_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreUnavailableError, match="No locks available"), held(path):
        pass
