"""What must hold of a run, whatever happened in it: pure functions over what was noted."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from auditd.hooks.flusher import YIELD_SECONDS
from auditd.store.trail import TrailEntry, TrailKind
from auditd.store.verification import TrailVerdict
from tests.replicas.jobs import REAPED_SECONDS, abandoned, job_seconds
from tests.replicas.record import Claim, Doing, Message, Request, Told, Trouble

SLACK_SECONDS = 1.0
"""How late a poll may come on a machine that does other things too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that is known of a run after its end."""

    interval_seconds: float
    wait_seconds: float
    """The `group_wait` of all routes."""
    projects: frozenset[str]
    hooks: frozenset[str]
    began_at: float
    """When all was up; what was before is not judged as to polls. Epoch seconds, as `ended_at`."""
    ended_at: float
    claims: Sequence[Claim]
    """Those since it began, in order. Epoch seconds as the requests, and so comparable."""
    requests: Sequence[Request]
    messages: Sequence[Message]
    troubles: Sequence[Trouble]
    starts: Sequence[Trouble]
    """When some daemon polled already and was not yet ready."""
    doing: Sequence[Doing]
    """The jobs of the queue, looked at often enough."""
    trail: Sequence[TrailEntry]
    """The oldest first."""
    verdict: TrailVerdict
    owed: int
    """Deliveries that were still to be made when all had had the time for it."""


def faults(run: Run) -> list[str]:
    """What does not hold."""
    trail = () if run.verdict.ok else (f"the trail {run.verdict.reason}",)
    owed = (f"{run.owed} deliveries are still owed",) if run.owed else ()
    return [
        *trail,
        *owed,
        *poll_gaps(run),
        *extra_requests(run),
        *lost(run),
        *doubled(run),
        *disordered(run),
        *unexplained_repeats(run),
        *unreaped(run),
    ]


def longest_gap(run: Run) -> float:
    """The longest time in seconds between polls of a project, less what nobody could poll in."""
    return max(gap for _, gap in _gaps(run))


def repeats(run: Run) -> int:
    """How many messages were accepted that had been accepted before."""
    return len(run.messages) - len([*_firsts(run.messages)])


def poll_gaps(run: Run) -> Iterator[str]:
    """Projects that were not polled for more than two intervals."""
    for project, gap in _gaps(run):
        if gap > 2 * run.interval_seconds + SLACK_SECONDS:
            yield f"{project} was not polled for {gap:.1f} s"


def extra_requests(run: Run) -> Iterator[str]:
    """Slots that were claimed twice, and requests for which there is no claim left.

    A request uses up the newest claim before it: one that is late, and the next one, use up those
    of each other. What is not used up within two intervals is void, but around trouble.
    """
    for (project, slot), times in Counter((it.project, it.slot) for it in run.claims).items():
        if times > 1:
            yield f"slot {slot} of {project} was claimed {times} times"
    patience = 2 * run.interval_seconds
    left: defaultdict[str, list[float]] = defaultdict(list)
    both: list[Claim | Request] = [*run.claims, *run.requests]
    for it in sorted(both, key=lambda it: it.at):
        claims = left[it.project]
        if isinstance(it, Claim):
            claims.append(it.at)
            continue
        if not _is_troubled(run, it.at):
            claims[:] = [at for at in claims if at >= it.at - patience]
        if claims:
            claims.pop()
        elif it.at > run.began_at + patience:  # what was claimed before that is not known
            yield f"{it.project} was asked for once more at {it.at:.2f}"


def lost(run: Run) -> Iterator[str]:
    """Transitions of the trail of which a hook was not told.

    An alert that ended before its group was due is not told of at all, as in Alertmanager. It
    is due after `group_wait`, and a little later if who saw it was not the one to tell of it: it
    died or had just started. A time in which not all was up, or nobody could write, is not counted.
    """
    for hook in sorted(run.hooks):
        told = {
            alert for message in run.messages if message.hook == hook for alert in message.alerts
        }
        for episode in episodes(run.trail):
            is_told = (*episode[:1], "firing", episode[1], None) in told
            if is_told:
                if episode[2] and (episode[0], "resolved", *episode[1:]) not in told:
                    yield f"{hook} was not told that {episode[0]} ended at {episode[2]}"
            elif not episode[2] or not _may_be_missed(run, episode[1], episode[2]):
                yield f"{hook} was not told that {episode[0]} fired at {episode[1]}"


def doubled(run: Run) -> Iterator[str]:
    """Events that came with more than one id, and messages of what never was."""
    known = set(_events(run.trail))
    ids: defaultdict[tuple[str, Told], set[str]] = defaultdict(set)
    for message in run.messages:
        for alert in message.alerts:
            ids[message.hook, alert].add(message.id)
    for (hook, alert), its in ids.items():
        if len(its) > 1:
            yield f"{hook} was told of {alert} as {sorted(its)}"
        if alert not in known:
            yield f"{hook} was told of {alert}, which is not in the trail"


def disordered(run: Run) -> Iterator[str]:
    """Alerts of which a hook was told something before what came earlier."""
    first: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for message in _firsts(run.messages):
        for fingerprint, _, starts_at, ends_at in message.alerts:
            first[message.hook, fingerprint].append(ends_at or starts_at)
    for (hook, fingerprint), instants in first.items():
        if any(after < before for before, after in pairwise(instants)):
            yield f"{hook} was told of {fingerprint} in another order"


def unexplained_repeats(run: Run) -> Iterator[str]:
    """Messages that were accepted again though nothing happened since."""
    last: dict[tuple[str, str], float] = {}
    for message in run.messages:
        before = last.get((message.hook, message.id))
        if before is not None and not any(
            it.overlap_seconds(before - SLACK_SECONDS, message.at) for it in run.troubles
        ):
            yield f"{message.hook} took {message.id} again without a reason"
        last[message.hook, message.id] = message.at


def unreaped(run: Run) -> Iterator[str]:
    """Jobs that outlived what it takes to notice that who did them is dead, or outlived the run."""
    seconds = job_seconds(run.doing, run.troubles)
    for job in abandoned(seconds):
        if seconds[job] > REAPED_SECONDS:
            yield f"job {job} was under way for {seconds[job]:.0f} s"
        elif job in run.doing[-1].jobs:
            yield f"job {job} is left"


Episode = tuple[str, datetime, datetime | None]
"""Fingerprint, and when it fired and ended."""


def episodes(trail: Iterable[TrailEntry]) -> list[Episode]:
    """The lives of all alerts. Raises KeyError for an end without a beginning."""
    open_: dict[str, datetime] = {}
    ended: list[Episode] = []
    for entry in trail:
        if entry.kind == TrailKind.ALERT_FIRED:
            open_[entry.subject] = entry.at
        elif entry.kind == TrailKind.ALERT_RESOLVED:
            ended.append((entry.subject, open_.pop(entry.subject), entry.at))
    return [*ended, *((subject, at, None) for subject, at in open_.items())]


def _events(trail: Iterable[TrailEntry]) -> Iterator[Told]:
    for fingerprint, fired_at, ended_at in episodes(trail):
        yield fingerprint, "firing", fired_at, None
        if ended_at:
            yield fingerprint, "resolved", fired_at, ended_at


def _firsts(messages: Iterable[Message]) -> Iterator[Message]:
    """Without those that had come before."""
    seen: set[tuple[str, str]] = set()
    for message in messages:
        if (message.hook, message.id) not in seen:
            seen.add((message.hook, message.id))
            yield message


def _gaps(run: Run) -> Iterator[tuple[str, float]]:
    asked = _by_project(run)
    for project in sorted(run.projects):
        instants = [run.began_at, *asked.get(project, ()), run.ended_at]
        for before, after in pairwise(instants):
            away = sum(it.overlap_seconds(before, after) for it in run.troubles if it.is_total)
            yield project, after - before - away


def _by_project(run: Run) -> Mapping[str, Sequence[float]]:
    asked: defaultdict[str, list[float]] = defaultdict(list)
    for request in run.requests:
        asked[request.project].append(request.at)
    return {
        project: its[bisect(its, run.began_at) : bisect(its, run.ended_at)]
        for project, its in asked.items()
    }


def _is_troubled(run: Run, at: float) -> bool:
    """Whether a request at that time can be one more because of what happened."""
    near = run.interval_seconds * 2
    return any(it.began_at - near <= at <= it.ended_at + near for it in run.troubles)


def _may_be_missed(run: Run, since: datetime, until: datetime) -> bool:
    began_at, ended_at = max(since.timestamp(), run.began_at), until.timestamp()
    away = sum(it.overlap_seconds(began_at, ended_at) for it in run.troubles if it.is_total)
    is_left_to_others = any(
        it.overlap_seconds(began_at - SLACK_SECONDS, ended_at) > 0
        for it in (*run.troubles, *run.starts)
    )
    due_seconds = run.wait_seconds + (YIELD_SECONDS if is_left_to_others else 0.0)
    return ended_at - began_at - away < due_seconds + SLACK_SECONDS
