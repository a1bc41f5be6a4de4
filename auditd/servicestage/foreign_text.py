"""Text that others wrote, made fit for logs, labels and pages."""

from __future__ import annotations

import re

from auditd.servicestage.errors import FOREIGN_TEXT_LIMIT


def cleaned(text: str, limit: int = FOREIGN_TEXT_LIMIT) -> str:
    """At most `limit` characters of `text`, without those that do not print.

    That drops control characters, lone surrogates and the marks that turn the direction of
    writing; line breaks too, so that the result is one line.
    """
    if not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    return text[:limit]


def public_url(url: str) -> str:
    """`url` without user info, query and fragment.

    Whatever stands before an `@` is taken for user info, wherever it stands: what is no proper
    URL can still hold a password.
    """
    before_query = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = before_query.rpartition("://")
    return scheme.rpartition("@")[2] + separator + rest.rpartition("@")[2]
