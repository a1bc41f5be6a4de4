"""Jobs that are queued as one: what a queue costs is for each thing in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from auditd.engine.port import Job

QUEUE = "servicestage-auditd"
MOST = 16
"""Jobs in a bundle, which one process does. To queue, fetch and end one costs more than a poll."""
LEAST = 2
"""Bundles that are made of jobs that come together, so that each replica has its share."""

# procrastinate defers on asynchronous connections only; this is what it calls there. Nobody else
# adds jobs meanwhile: the transaction holds the lock that all of ours begin with.
_DEFER = text("""
    WITH waiting AS (
        SELECT task_name, jsonb_array_elements(args -> 'jobs') ->> 0 AS key
        FROM procrastinate_jobs WHERE queue_name = :queue AND status = 'todo'
    ), due AS (
        SELECT kind, key, slot, (row_number() OVER (PARTITION BY kind) - 1) / :size AS bundle
        FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[]), CAST(:slots AS text[]))
            AS due (kind, key, slot)
        WHERE (kind, key) NOT IN (SELECT task_name, key FROM waiting)
    ), bundles AS (
        SELECT kind, jsonb_agg(jsonb_build_array(key, slot)) AS jobs
        FROM due GROUP BY kind, bundle
    )
    SELECT procrastinate_defer_jobs_v1(array_agg(CAST(ROW(
        :queue, kind, 0, NULL, NULL, jsonb_build_object('jobs', jobs), NULL
    ) AS procrastinate_job_to_defer_v1)))
    FROM bundles HAVING count(*) > 0
    """)


def enqueue(transaction: Connection, jobs: Iterable[Job]) -> None:
    """Queue those of which none of the same kind and key waits."""
    rows = [(job.kind, job.key, job.slot.isoformat()) for job in jobs]
    if rows:
        kinds, keys, slots = (list(column) for column in zip(*rows, strict=True))
        size = min(MOST, math.ceil(len(rows) / LEAST))
        columns = {"kinds": kinds, "keys": keys, "slots": slots}
        transaction.execute(_DEFER, {"queue": QUEUE, "size": size, **columns})


def unbundled(kind: str, pairs: Iterable[Sequence[str]]) -> Iterator[Job]:
    """The jobs of a bundle, from its argument."""
    for key, slot in pairs:
        yield Job(kind, key, datetime.fromisoformat(slot))


def size_of(arguments: Mapping[str, Any]) -> int:
    """How many jobs are in a bundle with these arguments."""
    return len(arguments["jobs"])
