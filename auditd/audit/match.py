"""Which authorizations an override or an exception is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from auditd.audit.authorization import Authorization
from auditd.audit.project import Project


class MatchField(StrEnum):
    """What can be matched on: the keys of `match` in the configuration."""

    PROJECT = "project"
    REGION = "region"
    AUTHORIZATION = "authorization"
    REPO_TYPE = "repo_type"
    REPO_HOST = "repo_host"
    REPO_USER = "repo_user"
    TOKEN_TYPE = "token_type"  # noqa: S105 -- a field's name
    TAG = "tag"


def matches(
    match: Mapping[MatchField, re.Pattern[str]], project: Project, authorization: Authorization
) -> bool:
    """Whether every field fits its whole pattern (anchored at both ends)."""
    return all(
        pattern.fullmatch(_value(field, project, authorization)) for field, pattern in match.items()
    )


def _value(field: MatchField, project: Project, authorization: Authorization) -> str:
    match field:
        case MatchField.PROJECT:
            return project.name
        case MatchField.REGION:
            return project.region
        case MatchField.AUTHORIZATION:
            return authorization.name
        case _:  # the rest are named like the authorization's own fields
            return str(getattr(authorization, field))
