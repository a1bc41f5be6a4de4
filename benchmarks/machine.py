"""Where and with what something was measured."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    *("servicestage-auditd", "aiohttp", "msgspec", "isal", "SQLAlchemy", "structlog"),
    *("prometheus-client", "huaweicloudsdkservicestage"),
)
_PROGRAMS = (
    ("/usr/sbin/nginx", "-v"),
    ("go", "version"),
    ("dpkg-query", "-Wf", "client_golang ${Version}", "golang-github-prometheus-client-golang-dev"),
)


def description() -> str:
    """One paragraph: machine, load before it, versions."""
    memory = int(_found(r"MemTotal:\s+(\d+)", "/proc/meminfo") or 0) / 1e6
    load = os.getloadavg()[0]
    versions = ", ".join([*map(_package, _PACKAGES), *filter(None, map(_program, _PROGRAMS))])
    return (
        f"{platform.platform()}, {_found('model name.*: (.+)', '/proc/cpuinfo')},"
        f" {os.cpu_count()} cores, {memory:.0f} GB, load {load:.1f} when it began;"
        f" Python {platform.python_version()}, {versions}."
    )


def _found(pattern: str, path: str) -> str:
    match = re.search(pattern, Path(path).read_text(encoding="utf-8"))
    return match[1] if match else ""


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} absent"


def _program(command: tuple[str, ...]) -> str:
    try:
        told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (told.stdout or told.stderr).strip()
