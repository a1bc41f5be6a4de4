"""A small catalog, and loading without a clock or an environment of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from auditd.audit.finding import Severity
from auditd.audit.match import MatchField
from auditd.audit.plugin import Plugin, Secret
from auditd.audit.policy import CheckOptions
from auditd.config.load import load
from auditd.config.settings import Catalog, Settings

Load: TypeAlias = Callable[..., Settings]


@dataclass(frozen=True, kw_only=True)
class OverdueOptions(CheckOptions):
    severity: Severity = Severity.CRITICAL


@dataclass(frozen=True, kw_only=True)
class Tier:
    max_age: timedelta
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class Override:
    match: Mapping[MatchField, re.Pattern[str]]
    max_age: timedelta


@dataclass(frozen=True, kw_only=True)
class StaleOptions(CheckOptions):
    max_age: timedelta = timedelta(days=90)
    tiers: tuple[Tier, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        if any(tier.max_age <= self.max_age for tier in self.tiers):
            msg = "a tier must lie above max_age"
            raise ValueError(msg)


@dataclass(frozen=True)
class AkSkOptions:
    access_key: Secret
    secret_key: Secret
    security_token: Secret | None = None
    iam_endpoint: str | None = None


@dataclass(frozen=True)
class TokenOptions:
    token: Secret
    iam_endpoint: str | None = None


@dataclass(frozen=True)
class AmbientOptions:
    iam_endpoint: str | None = None


class Payload(StrEnum):
    NATIVE = "native"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True)
class WebhookOptions:
    url: Secret
    secret: tuple[Secret, ...] = ()
    payload: Payload = Payload.NATIVE

    def __post_init__(self) -> None:
        if "://" not in self.url.reveal():
            msg = "url must be an address"
            raise ValueError(msg)


@dataclass(frozen=True)
class AlertmanagerOptions:
    urls: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.urls:
            msg = "urls must not be empty"
            raise ValueError(msg)


@dataclass(frozen=True)
class ExecOptions:
    command: tuple[str, ...]


@dataclass(frozen=True)
class SmnOptions:
    credential: str


def _plugins(**options: type[Any]) -> dict[str, Plugin[Any, Any]]:
    return {name: Plugin(name, kind, lambda read: read) for name, kind in options.items()}


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(
        checks=_plugins(overdue=OverdueOptions, stale=StaleOptions, drift=CheckOptions),
        credentials=_plugins(aksk=AkSkOptions, token=TokenOptions, sdk_chain=AmbientOptions),
        hooks=_plugins(
            webhook=WebhookOptions,
            alertmanager=AlertmanagerOptions,
            exec=ExecOptions,
            smn=SmnOptions,
        ),
        known_regions=frozenset({"cn-north-4", "cn-east-3", "eu-west-101"}),
    )


@pytest.fixture
def load_file(catalog: Catalog) -> Load:
    """Load a file; `told` receives each secret that the redactor is told of."""

    def load_file(
        path: Path, environ: Mapping[str, str] | None = None, told: list[str] | None = None
    ) -> Settings:
        known = [] if told is None else told
        return load(path, catalog, environ or {}, on_secret=known.append, monotonic=lambda: 0.0)

    return load_file


@pytest.fixture
def load_text(load_file: Load, tmp_path: Path) -> Load:
    """Load a text from a file that only its owner may read."""

    def load_text(
        text: str, environ: Mapping[str, str] | None = None, told: list[str] | None = None
    ) -> Settings:
        path = tmp_path / "auditd.yaml"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return load_file(path, environ, told)

    return load_text
