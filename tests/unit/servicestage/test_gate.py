from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from auditd.audit.events import CredentialRejected, CredentialThrottled, Event
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.errors import RefusedError
from auditd.servicestage.gate import Gate, Ticket
from auditd.servicestage.holds import HOLD_SECONDS
from tests.unit.servicestage.fake_huawei import START, now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

REFUSED = RefusedError(FailureReason.AUTH, "iam answered 401", status=401)
LOCKED = RefusedError(FailureReason.AUTH_LOCKED, "iam answered 401: locked", status=401)


@dataclass
class Bench:
    """A gate, and calls through it that are answered when the test says so."""

    events: list[Event] = field(default_factory=list)
    revision: int = 1
    proof_seconds: float = math.inf
    looks: int = 0
    """How often somebody who came or waited looked whether it may start."""

    def __post_init__(self) -> None:
        self.gate = Gate(
            "prod",
            revision=self._look,
            now=now,
            random=lambda: 0.5,
            emit=self.events.append,
            proof_seconds=self.proof_seconds,
        )

    def _look(self) -> int:
        self.looks += 1
        return self.revision

    async def enter(self, scope: str = "a", budget_seconds: float = 300) -> Ticket:
        deadline = asyncio.get_running_loop().time() + budget_seconds
        return await self.gate.enter(scope, deadline=deadline)

    def queue(self, scopes: str) -> list[asyncio.Task[Ticket]]:
        return [asyncio.create_task(self.enter(scope)) for scope in scopes]

    async def prove(self) -> None:
        self.conclude(await self.enter("prover"), self.gate.accepted)

    async def refuse(self, scope: str) -> None:
        self.conclude(await self.enter(scope), lambda t: self.gate.refused(t, REFUSED))

    def conclude(self, ticket: Ticket, verdict: Callable[[Ticket], None]) -> None:
        verdict(ticket)
        self.gate.leave(ticket)

    @property
    def held_scopes(self) -> list[str]:
        return [event.scope for event in self.events if isinstance(event, CredentialRejected)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def admitted(queue: list[asyncio.Task[Ticket]]) -> list[str]:
    done = [task for task in queue if task.done() and not task.exception()]
    return [task.result().scope for task in done]


async def test_an_unproven_credential_is_tried_by_one_call_first(bench: Bench) -> None:
    queue = bench.queue("abcd")
    await asyncio.sleep(0.9)

    assert admitted(queue) == ["a"]
    bench.gate.accepted(queue[0].result())
    await asyncio.gather(*queue)


async def test_a_second_call_starts_after_a_second_and_no_third_ever(bench: Bench) -> None:
    queue = bench.queue("abcd")
    await asyncio.sleep(1.1)
    assert admitted(queue) == ["a", "b"]
    await asyncio.sleep(100)
    assert admitted(queue) == ["a", "b"]

    bench.gate.accepted(queue[1].result())
    await asyncio.gather(*queue)


async def test_a_refusal_fails_all_who_wait_at_once_and_whoever_comes_later(bench: Bench) -> None:
    queue = bench.queue("abcd")
    await asyncio.sleep(0.1)
    bench.conclude(queue[0].result(), lambda t: bench.gate.refused(t, LOCKED))
    results = await asyncio.gather(*queue[1:], return_exceptions=True)
    await asyncio.sleep(HOLD_SECONDS - 1)
    with pytest.raises(PollError, match=r"before 2026-01-15T08:35:05Z: iam answered 401") as late:
        await bench.enter("e")

    assert [error.reason for error in results if isinstance(error, PollError)] == [
        "auth_locked"
    ] * 3
    assert late.value.reason is FailureReason.AUTH_LOCKED
    assert bench.held_scopes == [""]


async def test_a_call_without_a_verdict_passes_the_turn_to_the_next(bench: Bench) -> None:
    queue = bench.queue("abc")
    await asyncio.sleep(0.1)
    bench.gate.leave(queue[0].result())
    await asyncio.sleep(0.1)
    assert admitted(queue) == ["a", "b"]

    queue[2].cancel()


async def test_a_thousand_who_wait_for_an_endpoint_that_is_dead_do_not_all_look_each_time(
    bench: Bench,
) -> None:
    queue = bench.queue("a" * 1000)
    for each in queue:
        bench.gate.leave(await each)
    assert bench.looks < 5 * len(queue)


async def test_behind_a_slow_call_out_of_the_queue_a_second_starts_after_a_second(
    bench: Bench,
) -> None:
    first = await bench.enter("a")
    await asyncio.sleep(1.5)
    second = await bench.enter("b")
    queue = bench.queue("cd")
    await asyncio.sleep(0.1)
    bench.gate.leave(first)
    bench.gate.leave(second)
    await asyncio.sleep(0.1)
    assert admitted(queue) == ["c"]
    await asyncio.sleep(1)
    assert admitted(queue) == ["c", "d"]


async def test_a_turn_that_its_caller_does_not_take_is_the_next_ones(bench: Bench) -> None:
    first = await bench.enter("a")
    queue = bench.queue("bc")
    await asyncio.sleep(0.1)
    bench.gate.leave(first)
    queue[0].cancel()  # it was to be the next, and has not looked yet
    await asyncio.sleep(0.1)
    assert admitted(queue[1:]) == ["c"]


async def test_a_caller_who_gave_up_does_not_hold_up_the_others(bench: Bench) -> None:
    queue = bench.queue("abc")
    await asyncio.sleep(0.1)
    queue[1].cancel()
    bench.gate.leave(queue[0].result())

    assert (await queue[2]).scope == "c"


async def test_who_waits_for_a_verdict_gives_up_at_the_deadline(bench: Bench) -> None:
    await bench.enter("a")
    await bench.enter("b")
    with pytest.raises(PollError) as caught:
        await bench.enter("c", budget_seconds=7)

    assert caught.value.reason is FailureReason.TIMEOUT
    assert asyncio.get_running_loop().time() == pytest.approx(8)


async def test_a_proven_credential_that_is_refused_is_held_for_that_scope_only(
    bench: Bench,
) -> None:
    await bench.prove()
    await bench.refuse("a")
    with pytest.raises(PollError, match="for a before"):
        await bench.enter("a")
    queue = bench.queue("bcd")
    await asyncio.sleep(0.1)

    assert admitted(queue) == ["b"]
    bench.gate.accepted(queue[0].result())
    await asyncio.gather(*queue)
    assert bench.held_scopes == ["a"]


async def test_a_second_refusal_in_a_row_holds_the_whole_credential(bench: Bench) -> None:
    await bench.prove()
    await bench.refuse("a")
    await bench.refuse("b")
    with pytest.raises(PollError):
        await bench.enter("c")

    assert bench.held_scopes == ["a", ""]


async def test_late_refusals_of_a_revoked_key_do_not_count_as_the_probes(bench: Bench) -> None:
    await bench.prove()
    under_way = [await bench.enter(scope) for scope in "abc"]
    for ticket in under_way:
        bench.conclude(ticket, lambda t: bench.gate.refused(t, REFUSED))

    assert bench.held_scopes == ["a", "b", "c"]
    assert (await bench.enter("d")).scope == "d"


async def test_a_late_acceptance_of_a_call_sent_before_the_refusal_proves_nothing(
    bench: Bench,
) -> None:
    await bench.prove()
    early = await bench.enter("early")
    await bench.refuse("a")
    bench.conclude(early, bench.gate.accepted)
    await bench.refuse("b")

    assert bench.held_scopes == ["a", ""]


async def test_the_second_probe_clears_a_credential_that_one_project_got_refused(
    bench: Bench,
) -> None:
    queue = bench.queue("ab")
    await asyncio.sleep(1.1)
    bench.conclude(queue[0].result(), lambda t: bench.gate.refused(t, REFUSED))
    bench.conclude(queue[1].result(), bench.gate.accepted)

    assert (await bench.enter("c")).scope == "c"
    with pytest.raises(PollError):
        await bench.enter("a")


async def test_after_a_hold_another_project_goes_first(bench: Bench) -> None:
    await bench.refuse("misconfigured")
    with pytest.raises(PollError):
        await bench.enter("good")
    await asyncio.sleep(HOLD_SECONDS)
    with pytest.raises(PollError, match="accepted for another project"):
        await bench.enter("misconfigured")
    bench.conclude(await bench.enter("good"), bench.gate.accepted)
    await bench.refuse("misconfigured")

    assert bench.held_scopes == ["", "misconfigured"]
    assert (await bench.enter("good")).scope == "good"


async def test_a_project_that_is_alone_need_not_wait_for_another(bench: Bench) -> None:
    await bench.refuse("only")
    with pytest.raises(PollError):
        await bench.enter("only")
    await asyncio.sleep(HOLD_SECONDS)

    assert (await bench.enter("only")).scope == "only"


async def test_a_rotated_secret_lifts_every_hold_and_is_unproven(bench: Bench) -> None:
    await bench.prove()
    await bench.refuse("a")
    await bench.refuse("b")
    bench.revision += 1
    queue = bench.queue("abc")
    await asyncio.sleep(0.1)

    assert admitted(queue) == ["a"]
    bench.gate.accepted(queue[0].result())
    await asyncio.gather(*queue)


async def test_a_throttled_credential_keeps_everybody_waiting(bench: Bench) -> None:
    await bench.prove()
    bench.gate.throttled(90)
    queue = bench.queue("abc")
    await asyncio.sleep(89)
    assert admitted(queue) == []
    await asyncio.gather(*queue)

    assert asyncio.get_running_loop().time() == pytest.approx(90)


async def test_who_cannot_wait_that_long_fails_at_once(bench: Bench) -> None:
    bench.gate.throttled(90)
    with pytest.raises(PollError, match=r"before 2026-01-15T08:31:30Z") as caught:
        await bench.enter("a", budget_seconds=89)

    assert caught.value.reason is FailureReason.THROTTLED
    assert asyncio.get_running_loop().time() == 0


async def test_a_longer_throttling_while_waiting_is_noticed_at_once(bench: Bench) -> None:
    bench.gate.throttled(10)
    waiting = asyncio.create_task(bench.enter("a", budget_seconds=60))
    await asyncio.sleep(5)
    bench.gate.throttled(600)
    with pytest.raises(PollError):
        await waiting

    assert asyncio.get_running_loop().time() == 5


async def test_a_429_that_does_not_say_how_long_rests_a_minute_and_some(bench: Bench) -> None:
    bench.gate.throttled(None)
    await bench.enter()

    assert asyncio.get_running_loop().time() == pytest.approx(67.5)


async def test_a_rest_is_told_once_and_again_when_it_is_much_longer(bench: Bench) -> None:
    for seconds in (90, 100, 30, None, 600, 610):
        bench.gate.throttled(seconds)
    await asyncio.sleep(610)
    bench.gate.throttled(5)

    assert bench.events == [
        CredentialThrottled("prod", START + timedelta(seconds=seconds)) for seconds in (90, 600)
    ]
    await asyncio.sleep(5)
    bench.gate.throttled(30)
    assert len(bench.events) == 3


async def test_what_was_refused_is_tried_again_once_the_clock_was_set(bench: Bench) -> None:
    """By one call first, as if nothing were known of the credential."""
    await bench.refuse("a")
    bench.gate.lift_holds()
    queue = bench.queue("abc")
    await asyncio.sleep(0.1)
    assert admitted(queue) == ["a"]
    bench.gate.accepted(queue[0].result())
    await asyncio.gather(*queue)

    assert asyncio.get_running_loop().time() < 1


async def test_a_scope_that_was_refused_is_tried_again_once_the_clock_was_set(
    bench: Bench,
) -> None:
    await bench.prove()
    await bench.refuse("a")
    await bench.prove()
    with pytest.raises(PollError):
        await bench.enter("a")
    bench.gate.lift_holds()
    await bench.enter("a")


async def test_a_clock_that_is_set_does_not_lift_a_lock(bench: Bench) -> None:
    bench.conclude(await bench.enter("a"), lambda ticket: bench.gate.refused(ticket, LOCKED))
    bench.gate.lift_holds()
    with pytest.raises(PollError) as caught:
        await bench.enter("b")
    assert caught.value.reason is FailureReason.AUTH_LOCKED


async def test_a_clock_that_is_set_while_nothing_is_held_changes_nothing(bench: Bench) -> None:
    await bench.prove()
    ticket = await bench.enter("a")
    bench.gate.lift_holds()
    assert bench.gate.is_open(ticket)


async def test_a_ticket_is_void_once_what_it_was_issued_on_has_changed(bench: Bench) -> None:
    await bench.prove()
    ticket, other = await bench.enter("a"), await bench.enter("b")
    assert bench.gate.is_open(ticket)
    bench.gate.throttled(1)
    assert not bench.gate.is_open(ticket)
    await asyncio.sleep(1)
    assert bench.gate.is_open(ticket)
    bench.gate.refused(other, REFUSED)
    assert not bench.gate.is_open(ticket)


async def test_a_proof_that_lapses_lets_one_call_go_first_again() -> None:
    bench = Bench(proof_seconds=60)
    await bench.prove()
    await asyncio.sleep(60)
    queue = bench.queue("ab")
    await asyncio.sleep(0.1)

    assert admitted(queue) == ["a"]
    queue[1].cancel()
