"""How an instant is written for people and in reports."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC, cut to whole seconds: `2026-01-01T00:00:00Z`. `instant` is aware."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
