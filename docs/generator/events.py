"""The log events: their names from the code, their fields from the values that they render."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from auditd.alerting import events as deliveries
from auditd.audit import events
from auditd.telemetry import names
from docs.generator.markdown import code, codes, table

_INTRODUCTION = """# Log events

One JSON object a line on standard error when that is no terminal, else lines for people;
`--log.format` decides. Each has `timestamp` (ISO 8601, UTC), `level` and `event`, then the fields
below; a field whose value is not known is left out. `error` means that a person must
act, `warning` that it is tried again, `info` that something happened, `debug` that it went as
always.

A trouble that goes on is told when it begins and then once a minute, with the number of lines held
back as `suppressed`; a source of projects that cannot be read once an hour.

"""
_AUTHORIZATION = (
    *("project", "authorization", "repo_type", "repo_host", "repo_user", "token_type", "status"),
)
_FINDING = (*("project", "authorization", "check", "severity", "status", "age_seconds", "summary"),)
_ALERT = ("project", "alertname", "authorization", "severity", "check", "fingerprint", "summary")
_GRADED = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one event. `fields` are names, or the class whose fields they are."""

    levels: tuple[str, ...]
    meaning: str
    fields: tuple[str | type, ...] = ()

    def field_names(self) -> list[str]:
        """All fields that a line may have, beside the three that every line has."""
        return list(dict.fromkeys(self._field_names()))

    def _field_names(self) -> Iterator[str]:
        for one in self.fields:
            if isinstance(one, str):
                yield one
            elif is_dataclass(one):
                yield from (field.name for field in fields(one) if field.name != "is_news")


EVENTS: Mapping[str, Told] = {
    names.DAEMON_STARTED: Told(("info",), "It listens.", ("version", "python", "pid", "listening")),
    names.DAEMON_READY: Told(("info",), "Every project was tried once.", ("projects", "seen")),
    names.DAEMON_STOPPING: Told(("info",), "It was told to stop.", ("reason",)),
    names.DAEMON_STOPPED: Told(("info",), "All that was under way is done."),
    names.STATE_OPENED: Told(
        ("info", "warning"),
        "How the stored state was found; a warning when some was lost.",
        ("kind", "detail"),
    ),
    names.CONFIG_LOADED: Told(
        ("info", "warning"),
        "What the daemon was told to do; a warning for what is doubtful in it.",
        ("file", "projects", "credentials", "discoveries", "hooks", "warning"),
    ),
    names.CONFIG_RELOADED: Told(
        ("info", "warning"),
        "A changed configuration is in use, with the number of changes.",
        ("file", "projects", "SECTION_added", "SECTION_changed", "SECTION_removed", "warning"),
    ),
    names.CONFIG_REJECTED: Told(
        ("error",),
        "A changed configuration has errors; the old one is in use.",
        ("file", "message"),
    ),
    names.POLL_FINISHED: Told(
        ("debug", "info", "warning"),
        "A project was listed: info when there is news, a warning when something was odd.",
        (events.PollFinished,),
    ),
    names.POLL_FAILED: Told(
        ("warning",), "A project was not listed.", (events.PollFailed, "suppressed")
    ),
    names.POLL_SKIPPED: Told(
        ("warning",), "Slots passed without a poll.", (events.PollSkipped, "suppressed")
    ),
    names.FINDING_FLAGGED: Told(
        _GRADED, "A check began to find something; the level is its severity.", _FINDING
    ),
    names.FINDING_CLEARED: Told(("info",), "What was found is gone.", _FINDING),
    names.AUTHORIZATION_ADDED: Told(("info",), "A new name is listed.", _AUTHORIZATION),
    names.AUTHORIZATION_REMOVED: Told(("info",), "A name is not listed any more.", _AUTHORIZATION),
    names.AUTHORIZATION_CHANGED: Told(
        ("info",),
        "The same name with other content.",
        ("project", "authorization", "fields", "before", "after"),
    ),
    names.CREDENTIAL_REFRESHED: Told(
        ("info",), "New keys or a new token were fetched.", (events.CredentialRefreshed,)
    ),
    names.CREDENTIAL_REJECTED: Told(
        ("error",),
        "Huawei Cloud refused the credential; it is held until then.",
        (events.CredentialRejected,),
    ),
    names.CREDENTIAL_THROTTLED: Told(
        ("warning",),
        "Huawei Cloud wants fewer requests; nothing is sent with the credential until then.",
        (events.CredentialThrottled,),
    ),
    names.DISCOVERY_ADDED: Told(("info",), "A project joined the fleet.", (events.DiscoveryAdded,)),
    names.DISCOVERY_REMOVED: Told(
        ("info",), "A project left the fleet.", (events.DiscoveryRemoved,)
    ),
    names.DISCOVERY_FAILED: Told(
        ("warning",),
        "A source could not be read; the projects that it gave before stay.",
        (events.DiscoveryFailed, "suppressed"),
    ),
    names.ALERT_FIRED: Told(
        _GRADED, "An alert began to fire; the level is its severity.", (*_ALERT, "is_flapping")
    ),
    names.ALERT_RESOLVED: Told(("info",), "An alert ended.", (*_ALERT, "reason")),
    names.ALERT_SUPPRESSED: Told(
        ("info",),
        "An alert began to fire and a hook is not told of it now.",
        (*_ALERT, "hook", "suppression"),
    ),
    names.DELIVERY_SENT: Told(
        ("info", "debug"),
        "A receiver took it; debug for an Alertmanager, which is told all along.",
        (deliveries.DeliverySent, deliveries.StateSent),
    ),
    names.DELIVERY_RETRIED: Told(
        ("warning",),
        "An attempt failed; there will be another.",
        (deliveries.DeliveryRetried, deliveries.StateFailed, "suppressed"),
    ),
    names.DELIVERY_DEAD: Told(
        ("error",), "It was given up and can be replayed.", (deliveries.DeliveryDead,)
    ),
    names.DELIVERY_REFUSED: Told(
        ("error",), "An Alertmanager refused one alert.", (deliveries.AlertRefused,)
    ),
    names.HEARTBEAT_SENT: Told(("info",), "It began to arrive, or does so again."),
    names.HEARTBEAT_WITHHELD: Told(
        ("warning",), "There is trouble, so it is not sent.", ("troubles",)
    ),
    names.HEARTBEAT_REFUSED: Told(
        ("warning",), "It was sent and did not arrive.", ("reason", "message")
    ),
    names.SERIES_DROPPED: Told(
        ("warning",),
        "The cap on series was reached: the metrics are incomplete.",
        ("series", "max_series"),
    ),
    names.LIBRARY_LOGGED: Told(
        ("debug", "info", "warning", "error", "critical"),
        "What a library said.",
        ("logger", "message", "exception", "suppressed"),
    ),
}


def event_names() -> list[str]:
    """All that the code has, in its order."""
    return [name for key, name in vars(names).items() if key.isupper()]


def page() -> str:
    """The page."""
    return _INTRODUCTION + table(
        ("event", "level", "meaning", "fields"),
        (
            (code(name), ", ".join(told.levels), told.meaning, codes(told.field_names()))
            for name, told in ((name, EVENTS[name]) for name in event_names())
        ),
    )
