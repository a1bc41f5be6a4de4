"""Which regular expressions may come in over HTTP: those that are done in time.

Python's backtracking takes three minutes for `(([a-z]+)+)+!` on 20 letters (measured), and a
silence is tried on every alert, after each restart too.
"""

from __future__ import annotations

import re

from auditd.alerting.matcher import Matcher, Operator

PATTERN_OPERATORS = (Operator.FITS, Operator.FITS_NOT)

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_REPEAT = re.compile(r"(?<!\()[*+?{][?+]?")
_MOST_REPEATS = 3
"""A text of 200 characters then costs some hundredths of a second at most."""


def check_cost(matcher: Matcher) -> None:
    """Accept a matcher whose pattern is done in time. This stops accidents, not bad intentions.

    Raises:
        ValueError: it repeats a group, or too much.
    """
    plain = _ESCAPE.sub("", matcher.value)
    is_costly = _REPEATED_GROUP.search(plain) or len(_REPEAT.findall(plain)) > _MOST_REPEATS
    if matcher.operator in PATTERN_OPERATORS and is_costly:
        msg = (
            "this regular expression may take for ever: repeat single characters or classes and"
            f" not groups, and at most {_MOST_REPEATS} of them"
        )
        raise ValueError(msg)
