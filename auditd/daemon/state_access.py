"""How commands beside the daemon get at its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import DeliveryState
from auditd.alerting.hush import Hush
from auditd.alerting.inhibition import blind_projects
from auditd.alerting.route import RouteSettings
from auditd.audit.finding import Severity
from auditd.config.settings import Settings
from auditd.daemon.watch import utc_now
from auditd.store.holder import holding
from auditd.store.opening import open_store
from auditd.store.reader import Reader
from auditd.store.state import StoredState
from auditd.web.api_view import AlertView, view_alert

_ALWAYS_ACTIVE = RouteSettings(hook="")


@dataclass(frozen=True, slots=True)
class HookStanding:
    """A hook, and what it is owed."""

    name: str
    type: str
    """Empty for a hook that is not configured any more but is still owed something."""
    switched_off: str
    """Why it gets nothing; empty when it does."""
    pending: int
    dead: int


def storage_url(settings: Settings, override: str | None) -> str:
    """Where the state is."""
    return override or settings.storage.url.reveal()


def standings(settings: Settings, reader: Reader | None) -> Sequence[HookStanding]:
    """Every configured hook, then those that are only stored. Without `reader` nothing is owed."""
    types = {hook.name: hook.type for hook in settings.alerting.hooks} if settings.alerting else {}
    counts = reader.delivery_counts() if reader else {}
    off = reader.switched_off() if reader else {}
    owed = {hook for hook, state in counts if state is not DeliveryState.DELIVERED}
    return [
        HookStanding(
            name=name,
            type=types.get(name, ""),
            switched_off=off.get(name, ""),
            pending=counts.get((name, DeliveryState.PENDING), 0),
            dead=counts.get((name, DeliveryState.DEAD), 0),
        )
        for name in [*types, *sorted(owed - types.keys())]
    ]


def alert_views(state: StoredState, now: datetime) -> Sequence[AlertView]:
    """Every stored alert, the more severe first, then by project and authorization.

    What suppresses each is said but for mute times, which are a matter of its routes.
    """
    alerts = [alert for alerts in state.alerts.values() for alert in alerts]
    hush = Hush(state.silences, state.acknowledgements, blind_projects(alerts))
    return [
        view_alert(alert, hush.suppression(alert, _ALWAYS_ACTIVE, now) or "", now)
        for alert in sorted(alerts, key=_urgency)
    ]


def _urgency(alert: Alert) -> tuple[int, str, str]:
    labels = alert.labels
    return -Severity(labels["severity"]).rank, labels["project"], labels.get("authorization", "")


async def replay_stored(settings: Settings, url: str, delivery_id: str) -> None:
    """Owe a dead delivery again, for the daemon that is started next.

    Opening a state repairs it where it must be, which is the daemon's to do and to tell: let a
    Reader check it first.

    Raises:
        StoreHeldError: a daemon holds the state, so that this is its own affair.
        StoreError: the state cannot be used, or the delivery cannot be replayed.
    """
    opened = open_store(url, now=utc_now, retention=settings.storage.retention)
    async with opened as store:
        await store.replay(delivery_id)


async def enable_stored(settings: Settings, url: str, hook: str) -> None:
    """Switch a hook on again, for the daemon that is started next. Else like `replay_stored`.

    Raises:
        StoreHeldError: a daemon holds the state, so that this is its own affair.
        StoreError: the state cannot be used.
    """
    opened = open_store(url, now=utc_now, retention=settings.storage.retention)
    async with opened as store:
        await store.switch_on(hook)


def describe_holder(url: str) -> str:
    """Whether a daemon runs on the state, and what to do, in a sentence fit for people.

    Raises:
        StoreUnavailableError: nobody could hold a state there.
    """
    found = holding(url)
    if not found.is_held:
        return f"no daemon runs on the state in {found.place}; start it first"
    owner = f"the daemon with pid {found.pid}" if found.pid else "a daemon"
    return (
        f"{owner} runs on the state in {found.place}; give the address that it listens on as"
        " --web.url"
    )
