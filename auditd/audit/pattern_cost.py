"""Which regular expressions are done in time whatever text they are tried on.

Python's backtracking takes three minutes for `(([a-z]+)+)+!` on 20 letters (measured).
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_REPEAT = re.compile(r"(?<!\()[*+?{][?+]?")
_MOST_REPEATS = 3
"""A text of 200 characters then costs some hundredths of a second at most."""


def require_cheap(pattern: str) -> None:
    """Accept a pattern that is done in time. This stops accidents, not bad intentions.

    Raises:
        ValueError: it repeats a group, or too much.
    """
    plain = _ESCAPE.sub("", pattern)
    if _REPEATED_GROUP.search(plain) or len(_REPEAT.findall(plain)) > _MOST_REPEATS:
        msg = (
            "this regular expression may take for ever: repeat single characters or classes and"
            f" not groups, and at most {_MOST_REPEATS} of them"
        )
        raise ValueError(msg)
