"""What IAM answers: tokens and projects.

Source: IAM API reference, "Obtaining a User Token Through Password Authentication"
(support.huaweicloud.com/api-iam/iam_30_0001.html) and the Keystone project queries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.foreign_text import cleaned
from auditd.servicestage.json_body import decode
from auditd.servicestage.message import Answer


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and the instant, aware UTC, from which it is no longer accepted."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IamProject:
    """A project as IAM lists it. `name` is a region, or a region, `_` and a name in it."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """Some of the projects. `next_url` is as it was sent and may point anywhere."""

    projects: tuple[IamProject, ...]
    next_url: str | None


class _TokenLife(msgspec.Struct):
    expires_at: str


class _TokenBody(msgspec.Struct):
    token: _TokenLife


class _Project(msgspec.Struct):
    # It becomes part of paths and labels. Real ones are 32 hexadecimal digits.
    id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1)]
    enabled: bool = True


class _Links(msgspec.Struct):
    next: str | None = None


class _ProjectsBody(msgspec.Struct):
    projects: list[_Project]
    links: _Links | None = None


def parse_token(answer: Answer) -> IssuedToken:
    """The token in the header X-Subject-Token, and its end from the body.

    Raises:
        PollError: MALFORMED when either is missing or unreadable. The message holds neither.
    """
    token = answer.headers.get("x-subject-token", "")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        msg = "IAM's answer has no usable token in the header X-Subject-Token"
        raise PollError(FailureReason.MALFORMED, msg)
    return IssuedToken(
        token, _utc(decode(answer.body, _TokenBody, what="a token").token.expires_at)
    )


def parse_projects(body: bytes) -> ProjectPage:
    """One page of projects, in the order in which they were sent. `enabled` may be missing.

    Raises:
        PollError: MALFORMED when anything is not as documented: a project that is overlooked
            would be taken for one that is gone. TOO_LARGE when there are too many.
    """
    page = decode(body, _ProjectsBody, what="the list of projects")
    projects = tuple(
        IamProject(entry.id, cleaned(entry.name), entry.enabled) for entry in page.projects
    )
    return ProjectPage(projects, (page.links.next or None) if page.links else None)


def _utc(text: str) -> datetime:
    """The instant of for example `2026-01-16T08:30:00.701000Z`. Without a zone it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        msg = "IAM's answer says in no known form when the token expires"
        raise PollError(FailureReason.MALFORMED, msg) from None
