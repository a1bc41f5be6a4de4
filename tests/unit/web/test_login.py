from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from statistics import median
from threading import Event
from time import perf_counter, thread_time

import bcrypt
import pytest

from auditd.web.login import (
    FAILURES_A_MINUTE,
    MOST_WAITING,
    REMEMBERED_SECONDS,
    Login,
    Verdict,
    is_password,
    read_basic,
)

GO_HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
"""Of "alicepassword": from the documentation of the exporter-toolkit."""


def hash_of(password: str, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode()


USERS = {"alice": hash_of("right"), "bob": hash_of("tight")}


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    login = Login(b"key")
    yield login
    login.close()


async def test_a_user_with_her_password_is_admitted(login: Login) -> None:
    assert await login.judge(USERS, "h", "alice", "right") is Verdict.ADMITTED


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", "tight"),
        ("alice", ""),
        ("carol", "right"),
        ("Alice", "right"),
        ("", ""),
        ("alice", "right\0"),
        ("\udcff", "\udcff"),
    ],
)
async def test_nobody_else_is(login: Login, name: str, password: str) -> None:
    assert await login.judge(USERS, "h", name, password) is Verdict.REFUSED


def test_a_hash_of_htpasswd_and_go_is_understood() -> None:
    assert is_password(b"fakepassword", hash_of("fakepassword").replace("$2b$", "$2y$"), 4)
    assert not is_password(b"fakepassword", GO_HASH, 10)


def test_of_a_long_password_the_first_72_bytes_count() -> None:
    assert is_password(b"a" * 100, hash_of("a" * 72), 4)
    assert not is_password(b"a" * 71, hash_of("a" * 72), 4)


@pytest.mark.looptime
async def test_a_right_password_is_remembered_for_a_while(login: Login) -> None:
    loop = asyncio.get_running_loop()
    await login.judge(USERS, "h", "alice", "right")
    for _ in range(FAILURES_A_MINUTE):
        assert await login.judge(USERS, "h", "alice", "wrong") is Verdict.REFUSED
    assert await login.judge(USERS, "h", "alice", "right") is Verdict.ADMITTED
    assert await login.judge({"alice": hash_of("new")}, "h", "alice", "right") is Verdict.LATER
    assert await login.judge({}, "h", "alice", "right") is Verdict.LATER
    await asyncio.sleep(REMEMBERED_SECONDS)
    before = loop.time()
    assert await login.judge({"alice": hash_of("new")}, "h", "alice", "right") is Verdict.REFUSED
    assert loop.time() - before < 1


@pytest.mark.looptime
async def test_who_fails_too_often_has_to_wait_and_others_have_not(login: Login) -> None:
    verdicts = [await login.judge(USERS, "h", "alice", str(number)) for number in range(20)]
    assert verdicts == [Verdict.REFUSED] * FAILURES_A_MINUTE + [Verdict.LATER] * 10
    assert await login.judge(USERS, "other", "alice", "right") is Verdict.ADMITTED
    await asyncio.sleep(6.0)
    assert await login.judge(USERS, "h", "bob", "wrong") is Verdict.REFUSED
    assert await login.judge(USERS, "h", "bob", "tight") is Verdict.LATER
    await asyncio.sleep(6.0)
    assert await login.judge(USERS, "h", "bob", "tight") is Verdict.ADMITTED


async def test_failures_at_the_same_time_count_too(login: Login) -> None:
    guesses = (login.judge(USERS, "h", "alice", str(number)) for number in range(25))
    verdicts = await asyncio.gather(*guesses)
    assert verdicts.count(Verdict.REFUSED) == FAILURES_A_MINUTE


async def test_only_so_many_wait_for_a_comparison(login: Login) -> None:
    is_free = Event()
    login._thread.submit(is_free.wait)
    guesses = [
        asyncio.create_task(login.judge(USERS, str(number), "alice", "x")) for number in range(100)
    ]
    done, _ = await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
    assert {guess.result() for guess in done} == {Verdict.LATER}
    is_free.set()
    verdicts = await asyncio.gather(*guesses)
    assert verdicts.count(Verdict.REFUSED) == MOST_WAITING
    assert await login.judge(USERS, "1", "alice", "right") is Verdict.ADMITTED


async def test_what_nobody_waits_for_any_more_is_not_compared(login: Login) -> None:
    users = {"alice": hash_of("right", cost=10)}
    started_at = perf_counter()
    await login.judge(users, "h", "alice", "x")
    seconds_of_one, started_at = perf_counter() - started_at, perf_counter()
    for number in range(3 * MOST_WAITING):
        task = asyncio.create_task(login.judge(users, str(number), "alice", "x"))
        await asyncio.sleep(0)
        task.cancel()
    assert await login.judge(users, "h", "alice", "right") is Verdict.ADMITTED
    assert perf_counter() - started_at < 20 * seconds_of_one


def test_the_time_tells_nothing_about_whether_a_user_exists() -> None:
    """The times are processor times of this thread, which others on the machine do not change."""
    cheap, dear = hash_of("right", cost=5), hash_of("right", cost=8)

    def seconds(known: str | None) -> float:
        started_at = thread_time()
        is_password(b"wrong", known, 8)
        return thread_time() - started_at

    times = {known: [seconds(known) for _ in range(21)] for known in (None, cheap, dear)}
    expected = median(times[None])
    assert median(times[dear]) == pytest.approx(expected, rel=0.1)
    assert median(times[cheap]) == pytest.approx(expected, rel=0.1)


async def test_comparing_holds_nothing_up(login: Login) -> None:
    users = {"alice": hash_of("right", cost=11)}
    judging = asyncio.create_task(login.judge(users, "h", "alice", "x"))
    turns = 0
    while not judging.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (basic("alice:right"), ("alice", "right")),
        (basic("alice:a:b:"), ("alice", "a:b:")),
        (basic(":"), ("", "")),
        (basic("älice:pöss").replace("Basic", "bAsIc"), ("älice", "pöss")),
        (basic(b"\xff:\xff"), ("\udcff", "\udcff")),
        (basic("alice"), None),
        ("Basic", None),
        ("Basic ", None),
        ("Basic !!!!", None),
        ("Basic YTpi\n", None),
        ("Basic ä", None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_credentials_are_read_or_there_are_none(
    header: str, credentials: tuple[str, str] | None
) -> None:
    assert read_basic(header) == credentials
