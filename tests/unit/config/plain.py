"""Nodes without their places."""

from __future__ import annotations

from typing import Any

from auditd.config.node import Node


def plain(node: Node | None) -> Any:
    """The data without its places."""
    match node and node.value:
        case dict(table):
            return {key: plain(value) for key, value in table.items()}
        case list(items):
            return [plain(item) for item in items]
        case value:
            return value
