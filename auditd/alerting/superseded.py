"""What is raised when somebody else was faster."""

from __future__ import annotations


class SupersededError(Exception):
    """Nothing was stored: another replica changed what this was based on.

    Learn what it changed, and decide again.
    """
