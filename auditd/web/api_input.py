"""What the API is asked, read strictly: an unknown name is an error, and errors name the field."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import DeliveryState
from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.api_fields import check_lines

LARGEST_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

_PLACE = re.compile(r"(.*) - at `\$\.?(.+)`", re.DOTALL)
_ID = re.compile(r"[\w-]{1,128}", re.ASCII)

_T = TypeVar("_T")

Author = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Comment = Annotated[str, msgspec.Meta(max_length=2000)]
MatcherTexts = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=1024)], ...],
    msgspec.Meta(max_length=16),
]
Name = Annotated[str, msgspec.Meta(max_length=256)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


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


class ReplayInput(_Input, frozen=True):
    """There is nothing to say."""


class AlertQuery(_Input, frozen=True):
    """Which alerts are asked for. Of each parameter one value must fit; of `filter` all."""

    state: tuple[AlertState, ...] = ()
    project: tuple[str, ...] = ()
    alertname: tuple[str, ...] = ()
    filter: MatcherTexts = ()


class DeliveryQuery(_Input, frozen=True):
    """Which deliveries are asked for. Empty texts ask for all."""

    state: DeliveryState | msgspec.UnsetType = msgspec.UNSET
    hook: Name = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before: Name = ""


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
        raise _bad_field(error) from None
    except (ValueError, RecursionError):  # msgspec: not JSON, not UTF-8, or too deep
        msg = "the body is not a JSON object in UTF-8"
        raise ApiError(ErrorType.BAD_DATA, msg) from None


def read_alert_query(request: web.Request) -> AlertQuery:
    """The parameters of a query for alerts, each of which may be repeated.

    Raises:
        ApiError: one of them is unknown or wrong.
    """
    query = request.query
    return _convert({name: query.getall(name) for name in query}, AlertQuery)


def read_delivery_query(request: web.Request) -> DeliveryQuery:
    """The parameters of a query for deliveries.

    Raises:
        ApiError: one of them is unknown, repeated or wrong.
    """
    query = request.query
    for name in query:
        if len(query.getall(name)) > 1:
            raise ApiError(ErrorType.BAD_DATA, f"{name}: give it once")
        check_lines(query[name], name)
    return _convert(dict(query), DeliveryQuery)


def read_id(request: web.Request, what: str) -> str:
    """The last variable part of the path: the id of a `what`.

    Raises:
        ApiError: nothing can have this id.
    """
    text = request.match_info["id"]
    if not _ID.fullmatch(text):
        raise ApiError(ErrorType.NOT_FOUND, f"there is no {what} with this id")
    return text


def _convert(values: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(values, kind, strict=False)  # numbers come as text
    except msgspec.ValidationError as error:
        raise _bad_field(error) from None


def _bad_field(error: msgspec.ValidationError) -> ApiError:
    match = _PLACE.fullmatch(str(error))
    message = f"{match[2]}: {match[1]}" if match else str(error)
    return ApiError(ErrorType.BAD_DATA, message)
