from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.exec import PLUGIN, ExecHook, ExecOptions
from auditd.hooks.port import Hook, RefusedError, RetryLaterError
from auditd.hooks.process import COMPLAINT_LIMIT_BYTES, run_process
from tests.unit.hooks.fakes import message, surroundings_of


@pytest.fixture(autouse=True)
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process groups that were killed: never another than that of a program."""
    groups: list[int] = []
    kill = os.killpg

    def note(group: int, number: int) -> None:
        assert number == signal.SIGKILL
        assert group != os.getpgid(0)
        groups.append(group)
        kill(group, number)

    monkeypatch.setattr(os, "killpg", note)
    return groups


def _hook(http: HttpClient, program: str, *arguments: str, timeout: float = 5.0) -> Hook:
    command = (sys.executable, "-ISc", program, *arguments)
    options = ExecOptions(command=command, timeout=timedelta(seconds=timeout))
    return ExecHook("pager", options, surroundings_of(http, run_process=run_process))


async def test_the_program_gets_the_native_payload_and_an_environment_of_its_own(
    http: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEI_SECRET", "very-secret")
    seen = tmp_path / "seen"
    program = (
        "import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ), os.getcwd(),"
        " sys.argv[2]], open(sys.argv[1], 'w'))"
    )
    await _hook(http, program, str(seen), "$(touch x); *").send(message())
    document, environment, directory, argument = json.loads(seen.read_text())
    assert document["type"] == "alerts.firing"
    assert environment.keys() - {"LC_CTYPE"} == {"PATH", "LANG"}
    assert directory == "/"
    assert argument == "$(touch x); *"


async def test_a_program_need_not_read_what_it_is_given(http: HttpClient) -> None:
    end = await run_process(["/bin/true"], b"x" * 2**20, timeout_seconds=5)
    assert end.exit_code == 0


async def test_75_asks_for_another_attempt(http: HttpClient) -> None:
    with pytest.raises(RetryLaterError, match="ended with 75: try later") as caught:
        await _hook(http, "import sys; sys.exit(print('try later', file=sys.stderr) or 75)").send(
            message()
        )
    assert caught.value.reason is SendFailure.FAILED


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit(1)", "ended with 1: no word"),
        ("raise SystemExit('no such \\x1bperson')", "ended with 1: no such person"),
        ("import os; os.kill(os.getpid(), 15)", "ended with -15"),
    ],
)
async def test_any_other_end_is_a_refusal(http: HttpClient, program: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as caught:
        await _hook(http, program).send(message())
    assert caught.value.reason is SendFailure.REFUSED


@pytest.mark.parametrize("command", ["/no/such/program", "/etc/passwd", "/", "a\0b"])
async def test_what_cannot_be_started_is_refused_without_its_arguments(
    http: HttpClient, command: str
) -> None:
    options = ExecOptions(command=(command, "--token=very-secret"))
    hook = ExecHook("pager", options, surroundings_of(http, run_process=run_process))
    with pytest.raises(RefusedError, match="cannot be started") as caught:
        await hook.send(message())
    assert caught.value.reason is SendFailure.FAILED
    assert "very-secret" not in str(caught.value)


async def test_at_the_deadline_the_program_is_killed_with_all_that_it_started(
    http: HttpClient, tmp_path: Path, killed: list[int]
) -> None:
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    seen = tmp_path / "pid"
    with pytest.raises(RetryLaterError, match="was killed") as caught:
        await _hook(http, program, str(seen), timeout=1.0).send(message())
    assert caught.value.reason is SendFailure.TIMEOUT
    assert len(killed) == 1
    assert await asyncio.to_thread(_is_gone, int(seen.read_text()))


async def test_what_a_program_leaves_in_the_background_is_killed_and_not_waited_for(
    http: HttpClient, tmp_path: Path
) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
    )
    seen = tmp_path / "pid"
    async with asyncio.timeout(4):
        await _hook(http, program, str(seen)).send(message())
    assert await asyncio.to_thread(_is_gone, int(seen.read_text()))


async def test_a_cancelled_send_leaves_no_program(http: HttpClient, tmp_path: Path) -> None:
    fifo = tmp_path / "begun"
    os.mkfifo(fifo)
    begun = asyncio.Event()
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    asyncio.get_running_loop().add_reader(reader, begun.set)
    program = "import sys, time; open(sys.argv[1], 'w').write('x'); time.sleep(600)"
    sending = asyncio.create_task(_hook(http, program, str(fifo)).send(message()))
    await begun.wait()
    asyncio.get_running_loop().remove_reader(reader)
    os.close(reader)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_only_the_end_of_a_long_complaint_is_kept(http: HttpClient) -> None:
    program = "import sys; sys.stderr.write('x' * 10**6 + 'end'); sys.exit(1)"
    end = await run_process([sys.executable, "-ISc", program], b"", timeout_seconds=5)
    assert len(end.complaint) == COMPLAINT_LIMIT_BYTES
    assert end.complaint.endswith(b"xend")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"command": ()}, "must name a program"),
        ({"command": ("",)}, "must name a program"),
        ({"timeout": timedelta(0)}, "longer than 0s"),
        ({"timeout": timedelta(minutes=4, seconds=1)}, "at most 4m"),
        ({"messages_per_minute": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ExecOptions(**{"command": ("/bin/true",), **options})


def test_its_kind_is_its_plugins_name() -> None:
    assert PLUGIN.name == ExecHook.kind


def _is_gone(pid: int) -> bool:
    """Whether the process ends within a second; a zombie has ended, whoever should collect it."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 1.0)[0])
    finally:
        os.close(process)
