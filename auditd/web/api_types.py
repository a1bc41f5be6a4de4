"""The types of what goes in and out of the API, with their limits, which its document shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta

LONGEST_PAGE = 1000

Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""RFC 3339; what comes in has any offset, what goes out is in UTC."""

Author: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Comment: TypeAlias = Annotated[str, Meta(max_length=2000)]
Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=64)]
MatcherTexts: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(max_length=1024)], ...], Meta(max_length=16)
]

Limit: TypeAlias = Annotated[
    int, Meta(ge=1, le=LONGEST_PAGE, description="The most entries of one page.")
]
Cursor: TypeAlias = Annotated[
    str, Meta(max_length=4096, description="The `next` of the page before; empty for the first.")
]
Filter: TypeAlias = Annotated[
    MatcherTexts,
    Meta(description='Matchers of labels such as `team=~"pay.*"`; all must fit.'),
]
Search: TypeAlias = Annotated[
    str, Meta(max_length=256, description="A text that must appear, in whatever case.")
]
