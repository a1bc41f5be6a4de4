from __future__ import annotations

import asyncio
from random import Random

import pytest

from auditd.servicestage.lane import Lane
from auditd.servicestage.places import Places

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def always() -> bool:
    return True


def take_free_place(lane: Lane) -> bool:
    return lane.take_free_place(asyncio.get_running_loop().time())


async def work(lane: Lane, sent_at: list[float], seconds: float = 0) -> None:
    assert await lane.take_place(always)
    sent_at.append(asyncio.get_running_loop().time())
    await asyncio.sleep(seconds)
    lane.give_place()


def most_in_a_second(sent_at: list[float]) -> int:
    return max(sum(start <= t < start + 1 for t in sent_at) for start in sent_at)


@pytest.mark.parametrize("rate", [0.5, 1, 10, 100])
async def test_never_more_than_the_rate_and_one_in_any_second(rate: float) -> None:
    lane, sent_at = Lane(rate, Places(32)), list[float]()
    await asyncio.gather(*(work(lane, sent_at) for _ in range(200)))

    assert most_in_a_second(sent_at) <= rate + 1
    assert sent_at[-1] == pytest.approx(199 / rate, rel=0.02)


async def test_places_that_come_free_together_let_no_burst_through() -> None:
    places, sent_at = Places(4), list[float]()
    lane = Lane(10, places)
    assert all(places.take() for _ in range(4))
    workers = asyncio.gather(*(work(lane, sent_at) for _ in range(50)))
    await asyncio.sleep(60)
    for _ in range(4):
        places.release()
    await workers

    assert most_in_a_second(sent_at) <= 11


async def test_requests_go_in_the_order_of_asking() -> None:
    lane, order = Lane(100, Places(32)), list[int]()

    async def numbered(number: int) -> None:
        await lane.take_place(always)
        order.append(number)
        lane.give_place()

    await asyncio.gather(*(numbered(number) for number in range(50)))

    assert order == list(range(50))


async def test_a_slow_lane_takes_one_place_at_most_for_all_that_it_has_queued() -> None:
    places = Places(2)
    slow, fast, sent_at = Lane(0.01, places), Lane(100, places), list[float]()
    queue = [asyncio.create_task(work(slow, [])) for _ in range(20)]
    await asyncio.sleep(1)
    await asyncio.gather(*(work(fast, sent_at) for _ in range(50)))

    assert asyncio.get_running_loop().time() < 2
    for task in queue:
        task.cancel()
    await asyncio.gather(*queue, return_exceptions=True)
    assert places.take()


async def test_a_further_request_does_not_queue_behind_work_that_waits_for_its_place() -> None:
    places = Places(1)
    lane, sent_at = Lane(10, places), list[float]()
    await lane.take_place(always)
    queued = asyncio.create_task(work(lane, sent_at))
    await asyncio.sleep(1)
    await lane.pace()
    lane.give_place()
    await queued

    assert sent_at == [pytest.approx(1.1)]


@pytest.mark.parametrize("wanted_checks", [0, 1])
async def test_work_that_is_no_longer_wanted_takes_nothing(wanted_checks: int) -> None:
    places, answers = Places(1), iter([True] * wanted_checks + [False, False])
    taken = await Lane(10, places).take_place(lambda: next(answers))

    assert not taken
    assert places.take()


async def test_work_that_is_cancelled_in_the_queue_gives_its_place_back() -> None:
    places = Places(1)
    lane = Lane(0.1, places)
    await work(lane, [])
    waiting = asyncio.create_task(work(lane, []))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await work(lane, [])
    assert places.take()


async def test_a_rate_of_thousands_is_kept() -> None:
    lane, sent_at = Lane(5000, Places(32)), list[float]()
    await asyncio.gather(*(work(lane, sent_at) for _ in range(10_000)))

    assert sent_at[-1] == pytest.approx(2, rel=0.02)


async def test_a_free_place_is_taken_without_waiting_and_only_then() -> None:
    lane = Lane(10, Places(2))
    assert take_free_place(lane)
    assert not take_free_place(lane)  # the rate
    await asyncio.sleep(1)
    assert take_free_place(lane)
    await asyncio.sleep(1)
    assert not take_free_place(lane)  # the places
    lane.give_place()
    assert take_free_place(lane)


async def test_nobody_is_overtaken_by_who_comes_later() -> None:
    lane = Lane(1, Places(8))
    assert take_free_place(lane)
    waiting = asyncio.create_task(lane.take_place(always))
    await asyncio.sleep(0.5)
    assert not take_free_place(lane)
    assert await waiting


async def test_whoever_waits_is_told_when_the_time_is_over() -> None:
    places = Places(1)
    lane, other = Lane(100, places), asyncio.get_running_loop().time() + 5
    assert take_free_place(lane)
    late = asyncio.create_task(lane.take_place(always, deadline=other))
    patient = asyncio.create_task(lane.take_place(always, deadline=other + 5))
    with pytest.raises(TimeoutError):
        await late

    assert asyncio.get_running_loop().time() == pytest.approx(5)
    lane.give_place()
    assert await patient
    assert not places.take()


async def test_an_instant_that_comes_too_late_is_not_waited_for() -> None:
    places = Places(2)
    lane = Lane(0.1, places)
    assert take_free_place(lane)
    with pytest.raises(TimeoutError):
        await lane.take_place(always, deadline=asyncio.get_running_loop().time() + 5)

    assert asyncio.get_running_loop().time() == 0
    assert places.take()


async def test_work_that_is_cancelled_as_its_place_comes_gives_it_back() -> None:
    places = Places(1)
    lane = Lane(100, places)
    assert take_free_place(lane)
    first, second = (asyncio.create_task(lane.take_place(always)) for _ in range(2))
    await asyncio.sleep(1)
    lane.give_place()  # it is the first one's, who does not know yet
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert first.cancelled()
    assert await second
    lane.give_place()
    assert places.take()


async def test_places_that_come_free_together_are_all_used_at_once() -> None:
    places, sent_at = Places(4), list[float]()
    lane = Lane(100_000, places)
    assert all(places.take() for _ in range(4))
    queue = [asyncio.create_task(work(lane, sent_at, 1)) for _ in range(6)]
    await asyncio.sleep(1)
    for _ in range(4):
        places.release()
    await asyncio.sleep(0)

    assert len(sent_at) == 4
    await asyncio.gather(*queue)


async def test_who_is_cancelled_while_it_waits_for_the_rate_holds_up_nobody() -> None:
    places = Places(1)
    slow, other = Lane(0.1, places), Lane(100, places)
    await work(slow, [])
    head = asyncio.create_task(work(slow, []))
    await asyncio.sleep(1)
    waiting = asyncio.create_task(work(other, sent_at := list[float]()))
    await asyncio.sleep(1)
    head.cancel()
    await waiting

    assert sent_at == [pytest.approx(2)]


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_happens_no_place_is_lost_or_made(seed: int) -> None:
    chance, places = Random(seed), Places(4)
    lanes = [Lane(rate, places) for rate in (0.5, 5, 5000)]
    inside = 0

    async def visit(lane: Lane) -> None:
        nonlocal inside
        deadline = asyncio.get_running_loop().time() + chance.expovariate(0.1)
        if not await lane.take_place(lambda: chance.random() < 0.9, deadline):
            return
        inside += 1
        assert inside <= 4
        try:
            await asyncio.sleep(chance.random())
        finally:
            inside -= 1
            lane.give_place()

    tasks = []
    for _ in range(300):
        tasks.append(asyncio.create_task(visit(chance.choice(lanes))))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        await asyncio.sleep(chance.choice((0, 0, 0.01, 0.3)))
    ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(end) for end in ends} <= {type(None), TimeoutError, asyncio.CancelledError}
    assert sum(places.take() for _ in range(5)) == 4
    for _ in range(4):
        places.release()
    for lane in lanes:
        await work(lane, [])
