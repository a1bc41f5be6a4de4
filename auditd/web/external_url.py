"""Where people reach this, as they write it: http(s)://HOST[:PORT][/PATH], or only /PATH."""

from __future__ import annotations

import re

_AUTHORITY = r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?"
_PATH = r"(?:/(?!\.)[a-z0-9._~-]+)*/?"
_EXTERNAL_URL = re.compile(rf"(?:{_AUTHORITY})?{_PATH}", re.IGNORECASE)


def check_external_url(text: str) -> None:
    """Accept one --web.external-url; the empty text means that there is none.

    User info, a query and a fragment have no meaning here, and the path becomes part of routes.

    Raises:
        ValueError: it is not of that form; the message says which form it has.
    """
    if not _EXTERNAL_URL.fullmatch(text):
        msg = (
            f"external URL {text!r}: write http://HOST/PATH, https://HOST:PORT/PATH or only /PATH,"
            " with letters, digits and - . _ ~ in the path"
        )
        raise ValueError(msg)
