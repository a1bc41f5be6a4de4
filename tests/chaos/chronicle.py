"""What the processes of one run did to the outside, in a file that outlives them all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from auditd.alerting.delivery import Delivery


def digest_of(body: bytes) -> str:
    return sha256(body).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Chronicle:
    """An append-only file of JSON lines. A line that was written survives a SIGKILL."""

    path: Path

    def opened(self, pending: tuple[Delivery, ...]) -> None:
        """A process found this as owed."""
        self._append(opened=[delivery.id for delivery in pending if delivery.attempts])

    def accepted(self, hook: str, delivery_id: str, body: bytes) -> None:
        """A receiver took a message; to be called before the sender can know."""
        self._append(accepted=[hook, delivery_id, digest_of(body)])

    def unheard(self, delivery_id: str) -> None:
        """A receiver took a message, and the sender will not hear of it."""
        self._append(unheard=delivery_id)

    def reached(self, point: str) -> None:
        """A failpoint went off."""
        self._append(reached=point)

    def _append(self, **line: Any) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


@dataclass
class Account:
    """What a chronicle tells."""

    accepted: list[tuple[str, str, str]] = field(default_factory=list)
    """Hook, id and digest of the body, in order."""
    in_flight: Counter[str] = field(default_factory=Counter)
    """Id -> how many times it may have been taken without the outbox knowing."""
    openings: int = 0
    reached: list[str] = field(default_factory=list)

    @property
    def times(self) -> Mapping[str, int]:
        """Id -> how many times it was taken."""
        return Counter(delivery_id for _, delivery_id, _ in self.accepted)

    @property
    def repeats(self) -> int:
        """How many messages were taken that had been taken before."""
        return len(self.accepted) - len(self.times)


def read(chronicle: Chronicle) -> Account:
    """What the chronicle tells."""
    account = Account()
    notes: dict[str, Callable[[Any], None]] = {
        "opened": lambda ids: _note_opening(account, ids),
        "accepted": lambda each: account.accepted.append(tuple(each)),
        "unheard": lambda delivery_id: account.in_flight.update([delivery_id]),
        "reached": account.reached.append,
    }
    for line in chronicle.path.read_text().splitlines():
        for kind, value in json.loads(line).items():
            notes[kind](value)
    return account


def _note_opening(account: Account, ids: list[str]) -> None:
    account.openings += 1
    account.in_flight.update(ids)
