"""`${VAR}` in text: values from the environment, which cannot change the YAML around them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"""
      \$\$                                                            # a literal $
    | \$\{ (?P<name>[A-Za-z_][A-Za-z0-9_]*) (?: :- (?P<default>[^}]*) )? \}
    | (?P<broken>\$\{)
    """,
    re.VERBOSE,
)


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Replace `${VAR}` and `${VAR:-default}`; `$$` is a literal `$`.

    The default is used when the variable is not set or empty. Any other `$` is left as it is,
    so that regular expressions stay readable.

    Raises:
        ValueError: a variable is not set and has no default, or a reference is not closed.
    """

    def replace(found: re.Match[str]) -> str:
        if found["broken"]:
            msg = "'${' must begin ${VARIABLE} or ${VARIABLE:-default}; a literal $ is written $$"
            raise ValueError(msg)
        if found["name"] is None:
            return "$"
        return _value(found["name"], found["default"], environ)

    return _TOKEN.sub(replace, text)


def _value(name: str, default: str | None, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if default is not None:
        return value or default
    if value is None:
        msg = (
            f"the environment variable {name} is not set; set it or write ${{{name}:-default}}"
            " (a literal $ is written $$)"
        )
        raise ValueError(msg)
    return value
