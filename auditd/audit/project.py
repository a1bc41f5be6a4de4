"""The unit that is polled: one IAM project in one region."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose authorizations are listed.

    `name` is unique in the fleet and is the label `project` everywhere.
    `endpoint` is the base URL of ServiceStage when it is not the region's own.
    `poll_timeout` is the deadline of one poll from connection to last byte.
    """

    name: str
    project_id: str
    region: str
    credential: str
    poll_interval: timedelta
    poll_timeout: timedelta
    endpoint: str | None = None
    verify: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    """Sorted by label name."""
