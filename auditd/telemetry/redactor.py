"""The last thing every log line passes: no secret value leaves in it, in no spelling."""

from __future__ import annotations

import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from functools import lru_cache
from itertools import chain
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from auditd.telemetry.spellings import spellings

REDACTED = "***"

SHORTEST_SECRET = 4
"""Characters. A shorter value occurs in every line by chance and is not registered."""

_BETRAYED = 32
"""So many first characters are enough: foreign text is cut, and a token can have 9 kB."""
_RUN = re.compile(r"[\w+/=%.~-]*", re.ASCII)
"""What a token, encoded or not, is made of: from where it is recognized to where it ends."""

_SECRET_KEY = re.compile(
    r"(?:.*[_-])?(?:ak|sk|token|secret|passwords?|passwd|signature|cookie"
    r"|(?:access|secret|private|api)[_-]?key)",
    re.IGNORECASE,
)
"""Matched against the whole key: `x-auth-token` is confidential, `token_type` is not."""
_AUTHORIZATION_HEADER = re.compile(r"(?:basic|bearer|digest|[\w-]*hmac-sha256)\s", re.IGNORECASE)
"""How a header's value begins. A Git authorization's name has no spaces and is kept."""

_PLAIN = frozenset({int, float, bool, type(None)})
"""They hold no text."""

_Head = tuple[str, str, str, str]

_FEW = 64
"""So many spellings of secrets are sooner looked for one by one than all at once."""


_MOST_KEYS = 1000
"""Of events, to remember. There are a hundred, unless somebody makes them up."""


class Redactor:
    """Replaces registered secrets in strings, and whatever stands under a confidential key.

    The time for a text depends on its length, hardly on how many secrets there are. Safe to
    use from several threads.

    Args:
        issued_capacity: how many values of `register_issued` are remembered, the last ones.
    """

    def __init__(self, *, issued_capacity: int = 2_000) -> None:
        self._issued_capacity = issued_capacity
        self._configured: set[frozenset[str]] = set()
        self._issued: OrderedDict[frozenset[str], None] = OrderedDict()
        self._shortest = sys.maxsize
        self._by_head: dict[_Head, list[str]] = {}
        """The first four characters -> what is recognized; twice if two secrets share it."""
        self._few: tuple[str, ...] | None = ()
        """All that is recognized, unless it is much."""
        self._harmless = set[str]()
        """Keys of events under which nothing confidential stands."""
        self._lock = threading.RLock()  # a finalizer may log while a line is being cleaned

    def register(self, value: str) -> None:
        """Never let this configured secret out, from now on. Idempotent."""
        patterns = _patterns(value)
        with self._lock:
            if patterns not in self._configured:
                self._configured.add(patterns)
                self._add(patterns)

    def register_issued(self, value: str) -> None:
        """The same for a fetched token or temporary key, of which only the newest are kept."""
        patterns = _patterns(value)
        with self._lock:
            if patterns not in self._issued:
                self._add(patterns)
            self._issued[patterns] = None
            self._issued.move_to_end(patterns)
            if len(self._issued) > self._issued_capacity:
                self._remove(self._issued.popitem(last=False)[0])

    def redact(self, text: str) -> str:
        """The text with every registered secret replaced by `***`."""
        if not self._is_suspect(text):
            return text
        with self._lock:
            return self._replace(text)

    def is_clean(self, event: EventDict, text: str) -> bool:
        """Whether there is nothing to replace in an event; told sooner than it is cleaned.

        Args:
            event: the event.
            text: the event as JSON in which no string was escaped that was escaped before.
        """
        if self._betrays(event):
            return False
        is_flat = text.rfind("{") <= 0
        if not is_flat and any(map(self._hides, event.values())):
            return False
        return not self._is_suspect(text)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: the event with every value cleaned, at any depth."""
        return {key: self._clean(key, value) for key, value in event.items()}

    def _betrays(self, event: EventDict) -> bool:
        """Whether something confidential stands under one of its keys."""
        if self._harmless.issuperset(event):
            return False
        for key, value in event.items():
            if key in self._harmless:
                continue
            if kind := _kind_of(key):
                if _is_confidential(kind, value):
                    return True
            elif len(self._harmless) < _MOST_KEYS:
                self._harmless.add(key)
        return False

    def _hides(self, value: Any) -> bool:
        """The same at any depth, for what JSON is made of."""
        if isinstance(value, str):
            return False
        if isinstance(value, dict):
            return self._betrays(value) or any(map(self._hides, value.values()))
        return isinstance(value, list | tuple) and any(map(self._hides, value))

    def _clean(self, key: object, value: Any) -> Any:
        if isinstance(key, str) and (kind := _kind_of(key)) and _is_confidential(kind, value):
            return REDACTED
        if isinstance(value, str):
            return self.redact(value)
        if type(value) in _PLAIN:
            return value
        match value:
            case list() | tuple() | set() | frozenset():
                return [self._clean(None, element) for element in value]
            case Mapping():
                return {inner: self._clean(inner, element) for inner, element in value.items()}
            case _:
                return value

    def _is_suspect(self, text: str) -> bool:
        """Needs no lock: nothing here sees a change of the secrets in its middle."""
        if len(text) < self._shortest:
            return False
        if (few := self._few) is None:
            return not self._by_head.keys().isdisjoint(_heads(text))
        for pattern in few:  # noqa: SIM110 -- a generator takes twice the time
            if pattern in text:
                return True
        return False

    def _replace(self, text: str) -> str:
        parts: list[str] = []
        kept_to = 0
        for start, head in enumerate(_heads(text)):
            known = self._by_head.get(head)
            if known is None or start < kept_to:
                continue
            end = max(_end(text, start, pattern) for pattern in known)
            if end:
                parts += (text[kept_to:start], REDACTED)
                kept_to = end
        return "".join((*parts, text[kept_to:]))

    def _add(self, patterns: Iterable[str]) -> None:
        for pattern in patterns:
            self._shortest = min(self._shortest, len(pattern))
            self._by_head.setdefault(next(_heads(pattern)), []).append(pattern)
        self._note_few()

    def _remove(self, patterns: Iterable[str]) -> None:
        for pattern in patterns:
            head = next(_heads(pattern))
            self._by_head[head].remove(pattern)
            if not self._by_head[head]:
                del self._by_head[head]
        self._note_few()

    def _note_few(self) -> None:
        known = self._by_head.values()
        is_few = len(known) <= _FEW and sum(map(len, known)) <= _FEW
        self._few = tuple(chain.from_iterable(known)) if is_few else None


def _heads(text: str) -> zip[_Head]:
    return zip(text, text[1:], text[2:], text[3:], strict=False)


def _patterns(value: str) -> frozenset[str]:
    """What is looked for: the beginning of each spelling, and the whole where that has gaps."""
    if len(value) < SHORTEST_SECRET:
        return frozenset()
    is_run = _RUN.fullmatch(value) is not None
    every = spellings(value[: 2 * _BETRAYED] if is_run else value)
    heads = {spelling[:_BETRAYED] for spelling in every}
    return frozenset(heads | {spelling for spelling in every if not _RUN.fullmatch(spelling)})


def _end(text: str, start: int, pattern: str) -> int:
    """Where the secret ends that begins at `start`, 0 if it does not begin there."""
    if not text.startswith(pattern, start):
        return 0
    end = start + len(pattern)
    if len(pattern) < _BETRAYED:
        return end
    rest = _RUN.match(text, end)
    return rest.end() if rest else end


def _is_confidential(kind: _Kind, value: object) -> bool:
    if kind is _Kind.HEADER:
        return isinstance(value, str) and bool(_AUTHORIZATION_HEADER.match(value))
    return value is not None


class _Kind(Enum):
    SECRET = auto()
    HEADER = auto()
    """`authorization`, which may be the name of one too."""


@lru_cache(maxsize=1024)
def _kind_of(key: str) -> _Kind | None:
    if key.lower().removeprefix("proxy-") == "authorization":
        return _Kind.HEADER
    return _Kind.SECRET if _SECRET_KEY.fullmatch(key) else None
