"""What the command line decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditd.telemetry.log import Format
from auditd.web.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """The flags of `run`; all else is the configuration's."""

    config_file: Path
    listen_addresses: Sequence[Address]
    health_addresses: Sequence[Address] = ()
    """Where `/-/healthy` and `/-/ready` are served as well, open for everybody."""
    web_config_file: Path | None = None
    external_url: str = ""
    enable_lifecycle: bool = False
    """Whether `/-/reload` may be asked for."""
    log_level: str = "info"
    log_format: Format | None = None
    storage_url: str | None = None
