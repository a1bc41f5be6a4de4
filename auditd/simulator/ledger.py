"""What has been asked for so far, for tests and for people who wonder."""

from __future__ import annotations

from collections import Counter
from typing import Any

from auditd.simulator.operations import OperationName


class Ledger:
    """Counts only; nothing of the requests themselves is kept."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._logins: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def count_request(
        self, operation: OperationName, project: str, credential: str, status: int
    ) -> None:
        """One request was answered; status 0 means that no answer was completed."""
        self._requests[operation.value, project, credential, status] += 1

    def count_login(self, scope: str) -> None:
        """One token was issued; `scope` is the project's name, or `domain`."""
        self._logins[scope] += 1

    def count_failure(self, subject: str) -> None:
        """An AK, or `domain/user`, was refused."""
        self._failures[subject] += 1

    def to_json(self) -> dict[str, Any]:
        """All counts: `requests`, `logins` by scope, `authentication_failures` by subject."""
        keys = ("operation", "project", "credential", "status")
        requests = [
            dict(zip(keys, key, strict=True)) | {"count": count}
            for key, count in sorted(self._requests.items())
        ]
        return {
            "requests": requests,
            "logins": dict(sorted(self._logins.items())),
            "authentication_failures": dict(sorted(self._failures.items())),
        }
