"""The example that is shipped with the program."""

from __future__ import annotations

from importlib.resources import files


def example_text() -> str:
    """A commented configuration in YAML that shows every key once."""
    return files("auditd.config").joinpath("example.yaml").read_text("utf-8")
