"""What a daemon says of itself when it starts."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from logging import INFO, WARNING
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from auditd import __version__
from auditd.config.settings import Settings
from auditd.store.preparation import OpeningKind, StoreOpening
from auditd.telemetry import names
from auditd.web.address import Address

_LOSSES = frozenset({OpeningKind.RESTORED, OpeningKind.REBUILT})


def announce(
    logger: FilteringBoundLogger,
    settings: Settings,
    *,
    config_file: Path,
    listening: Sequence[Address],
    opening: StoreOpening,
) -> None:
    """Where it listens, how its state was found, what it was told to do, and what is doubtful."""
    logger.info(
        names.DAEMON_STARTED,
        version=__version__,
        python=platform.python_version(),
        pid=os.getpid(),
        listening=[str(address) for address in listening],
    )
    level = WARNING if opening.kind in _LOSSES else INFO
    logger.log(level, names.STATE_OPENED, kind=opening.kind.value, detail=opening.detail)
    logger.info(
        names.CONFIG_LOADED,
        file=str(config_file),
        projects=len(settings.projects),
        credentials=len(settings.credentials),
        discoveries=len(settings.discovery),
        hooks=len(settings.alerting.hooks) if settings.alerting else 0,
    )
    for warning in settings.warnings:
        logger.warning(names.CONFIG_LOADED, warning=warning)
