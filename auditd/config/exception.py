"""How findings are accepted for a while."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from auditd.alerting.exception import AcceptedFinding
from auditd.audit.match import MatchField
from auditd.config.constraint import End, NonEmpty
from auditd.config.node import Node
from auditd.config.reading import Reading
from auditd.config.record import form_of
from auditd.config.suggestion import did_you_mean


@dataclass(frozen=True, slots=True)
class ExceptionMatch:
    """What an exception is about. All that is given must fit, each pattern as a whole."""

    project: re.Pattern[str] | None = None
    region: re.Pattern[str] | None = None
    authorization: re.Pattern[str] | None = None
    repo_type: re.Pattern[str] | None = None
    repo_host: re.Pattern[str] | None = None
    repo_user: re.Pattern[str] | None = None
    token_type: re.Pattern[str] | None = None
    tag: re.Pattern[str] | None = None
    check: re.Pattern[str] | None = None
    """The name of a check, for example `stale`."""

    def __post_init__(self) -> None:
        if not self.fields and self.check is None:
            msg = "must not be empty: it would accept every finding"
            raise ValueError(msg)

    @property
    def fields(self) -> dict[MatchField, re.Pattern[str]]:
        """The patterns about the project and the authorization."""
        patterns = ((name, getattr(self, name)) for name in MatchField)
        return {name: pattern for name, pattern in patterns if pattern is not None}


@dataclass(frozen=True, slots=True)
class ExceptionEntry:
    """One of `exceptions`, as it is written."""

    match: ExceptionMatch
    """Which findings."""
    owner: NonEmpty
    """Who accepted them."""
    reason: NonEmpty
    """Why."""
    until: End
    """The last day, in UTC, or the instant at which the exception ends."""


def read_exceptions(
    reading: Reading, section: Node | None, checks: Collection[str]
) -> tuple[AcceptedFinding, ...]:
    """The section `exceptions`; `checks` are the names that an exception may be about."""
    found = []
    for node, entry in reading.each(section, form_of(ExceptionEntry)):
        check = entry.match.check
        if check and not any(map(check.fullmatch, checks)):
            hint = did_you_mean(check.pattern, checks)
            reading.complain(node.section("match").section("check"), f"fits no check{hint}")
        found.append(
            AcceptedFinding(
                match=entry.match.fields,
                check=check,
                owner=entry.owner,
                reason=entry.reason,
                until=entry.until,
            )
        )
    return tuple(found)
