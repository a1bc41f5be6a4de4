"""What a daemon still waits for before its silence means health."""

from __future__ import annotations

from auditd.polling.fleet import Fleet
from auditd.polling.freshness import Freshness
from auditd.polling.scheduler import Scheduler
from auditd.store.store import Store
from auditd.web.health import Readiness


def readiness_of(
    scheduler: Scheduler, fleet: Fleet, store: Store, freshness: Freshness
) -> Readiness:
    """Ready once every source was read and every project tried, while that goes on and is kept."""
    missing = [f"discovery {name} was not read yet" for name in sorted(scheduler.unread_sources)]
    if fault := store.fault:
        missing.append(f"the state cannot be written ({fault}), so nobody is told of alerts")
    if untried := fleet.untried:
        missing.append(f"{untried} of {len(fleet.snapshots())} projects were not tried yet")
    missing += freshness.troubles(snapshot.project for snapshot in fleet.snapshots())
    return Readiness(tuple(missing))
