"""What all parts of a scenario have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of a scenario: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
