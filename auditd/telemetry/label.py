"""What foreign text becomes before it may stand in a label."""

from __future__ import annotations

LABEL_LIMIT = 200
"""Characters of a label's value. The rest is cut off."""


def label_value(text: str) -> str:
    """Foreign text as a label may hold it: at most 200 characters, all of which UTF-8 has."""
    cut = text[:LABEL_LIMIT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def escaped(text: str) -> str:
    """The same as it is written between quotes.

    Source: Prometheus, "Exposition formats", text format details; OpenMetrics 1.0 says the same.
    """
    value = label_value(text)
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
