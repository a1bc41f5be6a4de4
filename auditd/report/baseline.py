"""What was found before, so that only what is new counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditd.audit.finding import Severity
from auditd.report.json import FORMAT, VERSION
from auditd.report.model import Identity


def read_baseline(path: Path) -> frozenset[Identity]:
    """The findings of a former report of the format `json`, new and known ones alike.

    Raises:
        ValueError: the file cannot be read or is no such report; the text says which and why.
    """
    try:
        return _identities(_parse(path))
    except ValueError as error:
        msg = f"{path}: {error}; give a file that `check --format=json` wrote"
        raise ValueError(msg) from error


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        msg = f"cannot be read ({error.strerror})"
        raise ValueError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"is not JSON ({error})"
        raise ValueError(msg) from error


def _identities(document: Any) -> frozenset[Identity]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        msg = "is JSON, but no report of this program"
        raise ValueError(msg)
    if document.get("version") != VERSION:
        msg = f"is a report of version {document.get('version')!r}, not {VERSION}"
        raise ValueError(msg)
    try:
        return frozenset(
            _identity(finding)
            for key in ("findings", "known_findings")
            for finding in document[key]
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"holds no complete findings ({error!r})"
        raise ValueError(msg) from error


def _identity(finding: Any) -> Identity:
    return (
        str(finding["project"]),
        str(finding["check"]),
        str(finding["authorization"]),
        Severity(finding["severity"]),
    )
