"""How long jobs of the queue were under way, and which of them nobody did any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.replicas.record import Doing, Trouble

REAPED_SECONDS = 40.0
"""So long after the death of who did it a job is taken away, at the latest."""
ENDED_SECONDS = 15.0
"""Longer than a poll, and what is written after it, takes whoever lives."""


def job_seconds(looks: Iterable[Doing], troubles: Iterable[Trouble]) -> Mapping[int, float]:
    """For how long each job was seen under way, less what nobody could end it in."""
    seen: dict[int, list[float]] = {}
    for look in looks:
        for job in look.jobs:
            seen.setdefault(job, []).append(look.at)
    total = [it for it in troubles if it.is_total]
    return {
        job: last - first - sum(it.overlap_seconds(first, last) for it in total)
        for job, (first, *_, last) in ((job, (*its, its[-1])) for job, its in seen.items())
    }


def abandoned(seconds: Mapping[int, float]) -> Sequence[int]:
    """The jobs that were not ended by whoever began them: a poll has a deadline."""
    return sorted(job for job in seconds if seconds[job] > ENDED_SECONDS)
