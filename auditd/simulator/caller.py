"""Who is calling, once that is proven."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A credential of the scenario, by name, and how it proved itself.

    A token is good for one project, or with an empty `scope` for the domain only; a signature,
    whose scope is None, for every project that the credential may use.
    """

    credential: str
    domain: str
    scope: str | None = None


NOBODY = Caller("", "")
"""For calls that need no proof."""
