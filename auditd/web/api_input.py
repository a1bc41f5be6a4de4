"""What the API is asked, read strictly: an unknown name is an error, and errors name the field."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from aiohttp import web

from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.api_fields import bad_field
from auditd.web.api_types import Author, Comment, Instant, MatcherTexts

LARGEST_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

_ID = re.compile(r"[\w-]{1,128}", re.ASCII)

_T = TypeVar("_T")


class _Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuses what it does not know."""


class SilenceInput(_Input, frozen=True):
    """A silence to make. The instants are RFC 3339 with any offset."""

    matchers: MatcherTexts
    ends_at: Instant
    author: Author
    comment: Comment
    starts_at: Instant | None = None
    """None is now."""


class AcknowledgementInput(_Input, frozen=True):
    """An acknowledgement to make."""

    author: Author
    comment: Comment = ""


class ExpiryInput(_Input, frozen=True):
    """Who ends a silence."""

    author: Author


class NothingInput(_Input, frozen=True):
    """There is nothing to say."""


async def read_body(request: web.Request, kind: type[_T]) -> _T:
    """The body as `kind`.

    Raises:
        ApiError: it is no such thing, larger than 64 KiB, or takes longer than 10 s to come.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        msg = f"the body has more than {LARGEST_BODY_BYTES} bytes"
        raise ApiError(ErrorType.TOO_LARGE, msg) from None
    except web.RequestPayloadError:
        msg = "the body is not encoded as its headers say"
        raise ApiError(ErrorType.BAD_DATA, msg) from None
    except TimeoutError:
        msg = f"the body did not come within {BODY_SECONDS:g} s"
        raise ApiError(ErrorType.TIMEOUT, msg) from None
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise bad_field(error) from None
    except (ValueError, RecursionError):  # msgspec: not JSON, not UTF-8, or too deep
        msg = "the body is not a JSON object in UTF-8"
        raise ApiError(ErrorType.BAD_DATA, msg) from None


def read_id(text: str) -> str:
    """An id that is part of a path.

    Raises:
        ApiError: nothing can have this id.
    """
    if not _ID.fullmatch(text):
        raise ApiError(ErrorType.NOT_FOUND, "there is nothing with this id")
    return text


def read_name(text: str) -> str:
    """A name that is part of a path.

    Raises:
        ApiError: nothing can have this name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ApiError(ErrorType.NOT_FOUND, "there is nothing with this name") from None
    return text
