from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import load_plugins
from auditd.servicestage import credentials
from auditd.servicestage.credentials.revelation import HeaderSecret, reveal
from auditd.servicestage.credentials.single_flight import SingleFlight
from tests.unit.servicestage.fake_huawei import CANARY, FakeSecret


def test_the_kinds_are_found_by_being_there() -> None:
    plugins = load_plugins(credentials, "servicestage_auditd.credentials")

    assert list(plugins) == ["aksk", "iam_password", "sdk_chain", "token"]


def test_options_do_not_show_secrets() -> None:
    for plugin in load_plugins(credentials, "servicestage_auditd.credentials").values():
        fields: dict[str, Any] = dict.fromkeys(plugin.options.__dataclass_fields__)
        options = plugin.options(**dict.fromkeys(fields, FakeSecret(CANARY)))

        assert CANARY not in repr(options)


@pytest.mark.parametrize("text", [f"{CANARY}\n", f"{CANARY}\r\nX-Evil: 1", f"{CANARY} b", "授权"])
def test_a_secret_that_cannot_travel_in_a_header_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(PollError, match="access_key holds blanks") as caught:
        HeaderSecret(FakeSecret(text), credential="prod", key="access_key").reveal()

    assert CANARY not in str(caught.value)
    assert caught.value.reason is FailureReason.AUTH


def test_each_value_of_a_header_s_secret_is_looked_at() -> None:
    secret = FakeSecret("sound")
    header = HeaderSecret(secret, credential="prod", key="token")
    assert header.reveal() == header.reveal() == "sound"
    secret.value = "not sound"
    for _ in range(2):
        with pytest.raises(PollError):
            header.reveal()
    secret.value = "again"
    assert header.reveal() == "again"


def test_a_secret_that_does_not_travel_may_hold_anything() -> None:
    assert reveal(FakeSecret(" 密 码 "), credential="prod", key="password") == " 密 码 "


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(PollError, match="credential 'prod': password is empty"):
        reveal(FakeSecret(""), credential="prod", key="password")


class Fetcher:
    def __init__(self) -> None:
        self.count = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def fetch(self) -> int:
        self.count += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return self.count


async def start(
    flights: SingleFlight[int], fetcher: Fetcher, count: int
) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(flights.run("key", fetcher.fetch)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_all_who_wait_get_the_one_result() -> None:
    flights, fetcher = SingleFlight[int](), Fetcher()
    tasks = await start(flights, fetcher, 10)
    fetcher.gate.set()

    assert await asyncio.gather(*tasks) == [1] * 10
    assert await flights.run("key", fetcher.fetch) == 2


async def test_all_who_wait_get_the_one_error() -> None:
    flights, fetcher = SingleFlight[int](), Fetcher()
    fetcher.error = PollError(FailureReason.SERVER, "no")
    tasks = await start(flights, fetcher, 10)
    fetcher.gate.set()

    assert await asyncio.gather(*tasks, return_exceptions=True) == [fetcher.error] * 10
    assert fetcher.count == 1


async def test_when_the_one_who_fetches_is_cancelled_another_takes_over() -> None:
    flights, fetcher = SingleFlight[int](), Fetcher()
    tasks = await start(flights, fetcher, 3)
    tasks[0].cancel()
    tasks[1].cancel()
    fetcher.gate.set()

    assert await tasks[2] == 2
