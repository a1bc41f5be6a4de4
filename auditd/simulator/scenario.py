"""All that the stand-in cloud knows when it starts: accounts, projects, faults, life."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from auditd.simulator.authorization import AuthorizationSpec
from auditd.simulator.faults import FaultRule
from auditd.simulator.life import Life
from auditd.simulator.moments import Duration, Moment
from auditd.simulator.operations import OperationName
from auditd.simulator.section import Section


def derive_id(kind: str, name: str) -> str:
    """32 hexadecimal digits that depend on nothing but the arguments."""
    return hashlib.sha256(f"{kind}/{name}".encode()).hexdigest()[:32]


class KeysCredential(Section):
    """An AK/SK pair; a temporary one with a security token and, if wanted, an end."""

    type: Literal["keys"]
    name: str
    domain: str = "acme"
    access_key: str
    secret_key: str
    security_token: str | None = None
    expires: Moment = None


class UserCredential(Section):
    """An IAM user who logs in with a password."""

    type: Literal["user"]
    name: str
    domain: str = "acme"
    user: str
    password: str


class AgencyCredential(Section):
    """What a workload gets keys from: its machine, its pod, or a token of its identity provider.

    The machine's metadata service has `metadata` version v1 or v2, or none; the pod shows
    `pod_token`; an `id_token` of provider `idp_id` is exchanged. Keys live for `key_life`.
    """

    type: Literal["agency"]
    name: str
    domain: str = "acme"
    metadata: Literal["v1", "v2", "none"] = "v2"
    pod_token: str | None = None
    idp_id: str = "idp"
    id_token: str | None = None
    key_life: Duration = timedelta(hours=1)


Credential: TypeAlias = Annotated[
    KeysCredential | UserCredential | AgencyCredential, Field(discriminator="type")
]


class ProjectSpec(Section):
    """An IAM project, named for its region or `{region}_{custom}`.

    `credentials` names those that may use it, by default all of its domain; `denied` lists the
    operations that policy forbids to everyone.
    """

    name: str
    id: str = Field(
        default_factory=lambda data: derive_id("project", data.get("name", "")),
        pattern=r"^[0-9a-f]{32}$",
    )
    domain: str = "acme"
    enabled: bool = True
    credentials: tuple[str, ...] | None = None
    denied: tuple[OperationName, ...] = ()
    authorizations: tuple[AuthorizationSpec, ...] = ()

    @property
    def region(self) -> str:
        """Source: IAM project names begin with the id of their region."""
        return self.name.split("_", 1)[0]


class TokenSettings(Section):
    """The tokens that IAM issues.

    Source: 24 hours; the documentation's sample token has 9120 characters.
    """

    life: Duration = timedelta(hours=24)
    characters: int = Field(default=9120, ge=64, le=60000)


class BulkSettings(Section):
    """Projects made from the seed, for load: `authorizations` in each, shares of them unwell."""

    projects: int = Field(ge=1, le=100_000)
    authorizations: int = Field(default=20, ge=0, le=10_000)
    regions: tuple[str, ...] = Field(default=("cn-north-4",), min_length=1)
    credentials: tuple[str, ...] | None = None
    overdue: float = Field(default=0.02, ge=0, le=1)
    unauthenticated: float = Field(default=0.01, ge=0, le=1)
    stale: float = Field(default=0.1, ge=0, le=1)


class Scenario(Section):
    """The whole. `seed` decides everything that looks random."""

    seed: int = 1
    tokens: TokenSettings = TokenSettings()
    credentials: tuple[Credential, ...]
    projects: tuple[ProjectSpec, ...] = ()
    generate: BulkSettings | None = None
    faults: tuple[FaultRule, ...] = ()
    life: Life = Life()

    @model_validator(mode="after")
    def _references(self) -> Self:
        if problems := [*self._repeated(), *self._unknown()]:
            raise ValueError("; ".join(problems))
        return self

    def _repeated(self) -> Iterator[str]:
        keys = [c.access_key for c in self.credentials if isinstance(c, KeysCredential)]
        users = [f"{c.domain}/{c.user}" for c in self.credentials if isinstance(c, UserCredential)]
        yield from _twice("credentials: name", [c.name for c in self.credentials])
        yield from _twice("credentials: access_key", keys)
        yield from _twice("credentials: domain/user", users)
        yield from _twice("projects: name", [p.name for p in self.projects])
        yield from _twice("projects: id", [p.id for p in self.projects])
        for index, project in enumerate(self.projects):
            names = [authorization.name for authorization in project.authorizations]
            yield from _twice(f"projects[{index}].authorizations: name", names)

    def _unknown(self) -> Iterator[str]:
        credentials = {credential.name for credential in self.credentials}
        projects = {project.name for project in self.projects}
        used = [(f"projects[{i}]", p.credentials or ()) for i, p in enumerate(self.projects)]
        if self.generate is not None:
            used.append(("generate", self.generate.credentials or ()))
        for place, names in used:
            for name in sorted(set(names) - credentials):
                yield f"{place}.credentials: no credential is named {name!r}"
        for index, rule in enumerate(self.faults):
            if rule.project is not None and rule.project not in projects:
                yield f"faults[{index}].project: no project is named {rule.project!r}"
        for index, change in enumerate(self.life.changes):
            if change.project not in projects:
                yield f"life.changes[{index}].project: no project is named {change.project!r}"


def _twice(what: str, values: Iterable[Hashable]) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{what} {value!r} is there twice"
