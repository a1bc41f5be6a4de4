"""All pages of the reference, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docs.generator import checks, command_line, configuration, events, hooks, http_api, metrics

DOCS = Path(__file__).parent.parent
REFERENCE = DOCS / "reference"
_HEAD = "<!-- Made from the code by `make reference`: a change here is lost. -->\n\n"


def pages() -> Mapping[str, str]:
    """What each page says, by its file name."""
    written = {
        "configuration.md": configuration.page(),
        "checks.md": checks.page(),
        "metrics.md": metrics.page(),
        "log-events.md": events.page(),
        "hooks.md": hooks.page(DOCS / "schemas" / "notification.schema.json"),
        "http-api.md": http_api.page(DOCS / "openapi.json"),
        "command-line.md": command_line.page(),
    }
    return {name: f"{_HEAD}{text.rstrip()}\n" for name, text in written.items()}


def write(texts: Mapping[str, str]) -> None:
    """Make docs/reference hold these pages."""
    for name, text in texts.items():
        (REFERENCE / name).write_text(text, "utf-8")
