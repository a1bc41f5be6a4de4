"""A whole configuration, checked: what the composition root builds the program from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from auditd.alerting.exception import AcceptedFinding
from auditd.audit.plugin import Plugin, Secret
from auditd.audit.policy import CheckOptions
from auditd.audit.project import Project
from auditd.config.alerting import Alerting, HookSettings
from auditd.config.constraint import (
    AT_LEAST_ONE,
    POSITIVE,
    SIZE,
    Interval,
    LabelName,
    PositiveDuration,
    no_shorter_than,
)
from auditd.config.discovery import Discovery
from auditd.config.project_terms import ProjectTerms
from auditd.config.reading import Form
from auditd.config.record import Record
from auditd.config.secret import InlineSecret
from auditd.config.secret_form import UrlSecret
from auditd.config.tagged import Tagged

STORAGE_ADDRESS = UrlSecret(("sqlite:///", "postgresql://"))
_DEFAULT_STORAGE = InlineSecret("sqlite:////var/lib/servicestage-auditd/state.db")


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The section `global.tls_config`: how connections to Huawei Cloud are secured."""

    ca_file: Path | None = None
    """Certificates that are trusted, in PEM; the system's when left out."""
    cert_file: Path | None = None
    """Our own certificate, in PEM, for a proxy or gateway that asks for one."""
    key_file: Path | None = None
    """The key of our own certificate, in PEM."""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            msg = "cert_file and key_file belong together: give both or none"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """The section `global`."""

    poll_interval: Interval = timedelta(minutes=5)
    """How often each project is listed."""
    poll_timeout: PositiveDuration = timedelta(seconds=30)
    """Deadline of one poll, from connection to last byte."""
    blind_after: Annotated[int, AT_LEAST_ONE] = 3
    """Failed polls in a row before ProjectBlind fires."""
    requests_per_second: Annotated[float, POSITIVE] = 10.0
    """For each credential and region."""
    concurrency: Annotated[int, AT_LEAST_ONE] = 32
    """Polls under way at once."""
    labels: Mapping[LabelName, str] = field(default_factory=dict)
    """Added to every alert."""
    tls_config: TlsSettings = field(default_factory=TlsSettings)
    """How connections to Huawei Cloud are secured."""
    proxy_url: Annotated[Secret, UrlSecret(("http://", "https://"))] | None = None
    """A proxy for requests to Huawei Cloud."""
    proxy_from_environment: bool = False
    """Use HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment."""
    body_size_limit: Annotated[int, SIZE] = 8 * 1024 * 1024
    """The longest answer that is read; a longer one is a failed poll."""
    max_series: Annotated[int, AT_LEAST_ONE] = 500_000
    """The most metric series for authorizations; what is beyond is dropped and counted."""

    def __post_init__(self) -> None:
        if self.proxy_url and self.proxy_from_environment:
            msg = "give either proxy_url or proxy_from_environment, not both"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """One of `credentials`. `options` is what the plugin of this type asks for."""

    name: str
    type: str
    options: Any


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """The section `storage`."""

    url: Annotated[Secret, STORAGE_ADDRESS] = _DEFAULT_STORAGE
    """Where state is kept: sqlite:////absolute/path or postgresql://user@host/database."""
    retention: Annotated[timedelta, no_shorter_than(timedelta(days=1), "must be at least 1d")] = (
        timedelta(days=400)
    )
    """How long history is kept."""


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """The section `heartbeat`: a dead man's switch, for the case that nobody can tell any more."""

    url: Annotated[Secret, UrlSecret(("https://", "http://"))]
    """An address that expects a GET at each interval and alarms somebody when none comes."""
    interval: Interval = timedelta(minutes=1)
    """How often it is called while this daemon is well; while it is not, nothing is sent."""


@dataclass(frozen=True)
class Catalog:
    """What can be configured: the plugins by name, and the regions whose endpoint is known."""

    checks: Mapping[str, Plugin[Any, Any]]
    credentials: Mapping[str, Plugin[Any, Any]]
    hooks: Mapping[str, Plugin[Any, Any]]
    known_regions: frozenset[str]

    @cached_property
    def credential_form(self) -> Form[CredentialSettings]:
        """What an item of `credentials` looks like."""
        return Tagged(
            {
                kind: Record(plugin.options, kind=kind, entry=CredentialSettings)
                for kind, plugin in self.credentials.items()
            }
        )

    @cached_property
    def hook_form(self) -> Form[HookSettings]:
        """What an item of `alerting.hooks` looks like."""
        return Tagged(
            {
                kind: Record(plugin.options, kind=kind, entry=HookSettings)
                for kind, plugin in self.hooks.items()
            }
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration.

    `checks` has the options of every check of the catalog, defaults included. `secrets` are all
    that were made, for redaction; `files` all that were read as configuration, for reload.
    Each of `warnings` begins with `file:line:column`, and `tls_place` is such a place: where
    `global.tls_config` is, or would be.
    """

    global_: GlobalSettings
    credentials: tuple[CredentialSettings, ...]
    projects: tuple[Project, ...]
    discovery: tuple[Discovery, ...]
    checks: Mapping[str, CheckOptions]
    exceptions: tuple[AcceptedFinding, ...]
    alerting: Alerting | None
    storage: StorageSettings
    heartbeat: HeartbeatSettings | None
    project_terms: ProjectTerms
    secrets: tuple[Secret, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    tls_place: str = ""
