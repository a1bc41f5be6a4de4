"""The kinds of hook, and what is sent to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditd.alerting.alert import Alert, AlertState, fingerprint_of
from auditd.alerting.grouping import Group
from auditd.alerting.notification import NotificationReason, compose
from auditd.daemon.catalog import load_catalog
from auditd.hooks.payload import Payload
from auditd.hooks.port import Message
from docs.generator.markdown import code, fence, prose, table

_INTRODUCTION = """# Hooks and payloads

Where alerts can go. [The guide](../hooks.md) has an example of each kind, and their keys are in
[the configuration](configuration.md#alerting).

"""
_NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
_LABELS = {
    "alertname": "GitAuthorizationOverdue",
    "authorization": "payments-github",
    "check": "overdue",
    "project": "payments",
    "project_id": "0123456789abcdef0123456789abcdef",
    "repo_type": "github",
    "severity": "critical",
    "team": "pay",
}


def page(schema: Path) -> str:
    """The page. `schema` is of the native payload."""
    kinds = load_catalog().hooks
    text = _INTRODUCTION + table(
        ("type", "what it does"),
        ((code(name), prose(plugin.options)) for name, plugin in kinds.items()),
    )
    text += (
        "## The native payload\n\nWhat `webhook` (`payload: native`) and `exec` are sent. Fields"
        " may be added. The schema is {download}`notification.schema.json"
        " <../schemas/notification.schema.json>`.\n\n"
    )
    native = json.loads(schema.read_text("utf-8"))
    text += table(("field", "meaning"), _rows(native, native, ""))
    for payload in Payload:
        rendered = json.loads(payload.render(_message()))
        text += f"## Example: `payload: {payload}`\n\nContent type `{payload.content_type}`.\n\n"
        text += fence("json", json.dumps(rendered, indent=2, ensure_ascii=False))
    return text


def _message() -> Message:
    alert = Alert(
        fingerprint=fingerprint_of(_LABELS),
        labels=_LABELS,
        annotations={"summary": "payments-github is overdue; re-authorize it"},
        state=AlertState.FIRING,
        since=_NOW,
        active_at=_NOW,
        last_seen_at=_NOW,
        fired_at=_NOW,
    )
    labels = {name: _LABELS[name] for name in ("project", "alertname")}
    group = Group(
        key="pager:{payments}", route_id="pager", hook="pager", labels=labels, first_at=_NOW
    )
    later = _NOW + timedelta(seconds=10)
    told = compose(group, NotificationReason.NEW, [[alert]], now=later, limit=None)
    return Message(id="0d9f1c2e7a", notification=told, attempt=1, external_url="")


def _rows(
    schema: Mapping[str, Any], whole: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    for name, field in schema.get("properties", {}).items():
        known = _resolved(field, whole)
        described = field.get("description") or known.get("description") or _words(known)
        yield code(f"{path}{name}"), described
        inner = _resolved(known.get("items", known), whole)
        suffix = "[]." if "items" in known else "."
        yield from _rows(inner, whole, f"{path}{name}{suffix}")


def _resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    if reference := schema.get("$ref"):
        found: Mapping[str, Any] = whole["$defs"][reference.rpartition("/")[2]]
        return found
    return schema


def _words(schema: Mapping[str, Any]) -> str:
    if words := schema.get("enum"):
        return " or ".join(map(code, words))
    kind = schema.get("type", "")
    return kind if isinstance(kind, str) else " or ".join(kind)
