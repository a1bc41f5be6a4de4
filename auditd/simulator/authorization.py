"""A stored Git authorization: as a scenario describes it and as the API shows it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from auditd.simulator.moments import Moment, to_milliseconds
from auditd.simulator.section import Section

_STATUSES = {"normal": 0, "overdue": 1, "unauthenticated": 2}

OFFICIAL_HOSTS = {
    "github": ("https://api.github.com", "https://github.com"),
    "gitlab": ("https://gitlab.com/api/v4", "https://gitlab.com"),
    "gitee": ("https://gitee.com/api/v5", "https://gitee.com"),
    "bitbucket": ("https://api.bitbucket.org/2.0", "https://bitbucket.org"),
    "devcloud": ("https://codehub.devcloud.example", "https://devcloud.example"),
}
"""repo_type -> API host and the site that `repo_home` begins with. The last is invented."""

Verdict: TypeAlias = Literal["works", "broken", "missing", "timeout"]
"""What exercising the stored credential brings, whatever its listed status."""


def read_status(value: object) -> object:
    """`normal`, `overdue` and `unauthenticated` become their numbers; all else stays raw."""
    return _STATUSES.get(value, value) if isinstance(value, str) else value


Status: TypeAlias = Annotated[int | str | None, BeforeValidator(read_status)]


@dataclasses.dataclass(frozen=True, slots=True)
class Authorization:
    """One entry of the list. Times are epoch milliseconds, or None, which is sent as null."""

    name: str
    repo_type: str
    repo_host: str
    repo_home: str
    repo_user: str
    token_type: str
    create_time: int | None
    update_time: int | None
    status: int | str | None
    tag: str | None
    verdict: Verdict

    def to_wire(self) -> dict[str, Any]:
        """The entry as it is listed. Source: ListAuthorizations; `avartar` is their spelling."""
        return {
            "name": self.name,
            "repo_type": self.repo_type,
            "repo_host": self.repo_host,
            "repo_home": self.repo_home,
            "repo_user": self.repo_user,
            "avartar": f"https://avatars.example/{self.repo_user}.png",
            "token_type": self.token_type,
            "create_time": self.create_time,
            "update_time": self.update_time,
            "tag": self.tag,
            "status": self.status,
        }


class AuthorizationSpec(Section):
    """An authorization of a scenario.

    `repo_host` and `repo_home` are by default those of the official host of `repo_type`.
    """

    name: str
    repo_type: str = "github"
    repo_host: str | None = None
    repo_home: str | None = None
    repo_user: str = "acme"
    token_type: str = "oauth"  # noqa: S105 - a kind, not a token
    created: Moment = timedelta(days=-400)
    updated: Moment = timedelta(days=-30)
    status: Status = 0
    tag: str | None = None
    verdict: Verdict = "works"

    def at(self, zero: datetime) -> Authorization:
        """The authorization itself, with offsets counted from `zero`."""
        host, site = OFFICIAL_HOSTS.get(self.repo_type.lower(), ("", ""))
        return Authorization(
            name=self.name,
            repo_type=self.repo_type,
            repo_host=host if self.repo_host is None else self.repo_host,
            repo_home=f"{site}/{self.repo_user}" if self.repo_home is None else self.repo_home,
            repo_user=self.repo_user,
            token_type=self.token_type,
            create_time=to_milliseconds(self.created, zero),
            update_time=to_milliseconds(self.updated, zero),
            status=self.status,
            tag=self.tag,
            verdict=self.verdict,
        )


class AuthorizationPatch(Section):
    """What is to change of an authorization: only the keys that are given, null included."""

    repo_host: str = ""
    repo_user: str = ""
    token_type: str = ""
    created: Moment = None
    updated: Moment = None
    status: Status = None
    tag: str | None = None
    verdict: Verdict = "works"

    def apply(self, authorization: Authorization, zero: datetime) -> Authorization:
        """The changed authorization, with offsets counted from `zero`."""
        given: dict[str, Any] = {
            key: getattr(self, key) for key in self.model_fields_set - {"created", "updated"}
        }
        if "created" in self.model_fields_set:
            given["create_time"] = to_milliseconds(self.created, zero)
        if "updated" in self.model_fields_set:
            given["update_time"] = to_milliseconds(self.updated, zero)
        return dataclasses.replace(authorization, **given)
