"""A silence as it is typed into a form, and as what it is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from auditd.alerting.matcher import Matcher
from auditd.web.api_fields import check_line, check_lines, read_matchers

SPANS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""How long a silence may be that is made on a page; the API takes any."""
_MOST_MATCHERS = 16
_LONGEST_MATCHER = 1024


@dataclass(frozen=True, slots=True)
class SilenceDraft:
    """What stands in the form."""

    matchers: str = ""
    """One a line; empty lines count for nothing."""
    span: str = "4h"
    author: str = ""
    comment: str = ""

    def ends_at(self, now: datetime) -> datetime:
        """Raises ValueError for a span that is not offered."""
        if self.span not in SPANS:
            msg = f"span: must be one of {', '.join(SPANS)}"
            raise ValueError(msg)
        return now + SPANS[self.span]

    def read(self) -> tuple[tuple[Matcher, ...], str, str]:
        """The matchers, the author and the comment, checked.

        Raises:
            ApiError: one of them cannot be; the message names the field.
            ValueError: there are too many matchers, or one is too long.
        """
        texts = tuple(line for line in self.matchers.splitlines() if line.strip())
        if len(texts) > _MOST_MATCHERS or any(len(text) > _LONGEST_MATCHER for text in texts):
            msg = (
                f"matchers: write at most {_MOST_MATCHERS}, one a line,"
                f" each of at most {_LONGEST_MATCHER} characters"
            )
            raise ValueError(msg)
        return (
            read_matchers(texts, "matchers"),
            check_line(self.author, "author"),
            check_lines(self.comment, "comment"),
        )


def draft_of(fields: Mapping[str, str]) -> SilenceDraft:
    """What was typed."""
    return SilenceDraft(
        matchers=fields.get("matchers", ""),
        span=fields.get("span", ""),
        author=fields.get("author", ""),
        comment=fields.get("comment", ""),
    )
