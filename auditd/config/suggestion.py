"""What was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_WORD_LIMIT = 64
_CANDIDATE_LIMIT = 200  # a comparison costs tens of microseconds, and thousands may be needed


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is most like `word`, whatever the case; None when none is like it."""
    if len(word) > _WORD_LIMIT:
        return None
    folded = {candidate.casefold(): candidate for candidate in islice(candidates, _CANDIDATE_LIMIT)}
    close = get_close_matches(word.casefold(), folded, n=1)
    return folded[close[0]] if close else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean 'x'?` to end a message with, or nothing."""
    candidate = nearest(word, candidates)
    return f"; did you mean {candidate!r}?" if candidate else ""


def one_of(names: Iterable[str]) -> str:
    """A short list in words: `a, b or c`."""
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last
