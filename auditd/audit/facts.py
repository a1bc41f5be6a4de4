"""What a user's own condition may look at, by the names that it has there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.project import Project


@dataclass(frozen=True, slots=True)
class Facts:
    """One authorization as of an instant."""

    project: Project
    authorization: Authorization
    now: datetime

    def label(self, name: str) -> str:
        """A label of the project; empty when it has none of this name, as in Prometheus."""
        return dict(self.project.labels).get(name, "")


class Age(StrEnum):
    """The names of ages: what makes a condition hold by time alone."""

    AGE = "age"
    """Since the authorization was created."""
    UPDATE_AGE = "update_age"
    """Since it was last updated."""

    @property
    def field(self) -> str:
        """The field of an authorization from which it is counted."""
        return "created_at" if self is Age.AGE else "updated_at"

    def began_at(self, authorization: Authorization) -> datetime | None:
        """From when it is counted; None when what was listed is not usable."""
        return known_time(getattr(authorization, self.field))

    def of(self, facts: Facts) -> timedelta | None:
        """The age; None when it is not known. Negative for what lies in the future."""
        began_at = self.began_at(facts.authorization)
        return None if began_at is None else facts.now - began_at


def _own(field: str) -> Callable[[Facts], str]:
    return lambda facts: str(getattr(facts.authorization, field))


TEXTS: Mapping[str, Callable[[Facts], str]] = {
    **{
        field: _own(field)
        for field in (
            "name", "repo_type", "repo_host", "repo_user", "token_type", "tag", "status",
        )
    },
    "project": lambda facts: facts.project.name,
    "region": lambda facts: facts.project.region,
}  # fmt: skip
