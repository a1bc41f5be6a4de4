"""What people send by pressing a button on a page of ours.

A browser sends a form wherever another site's page tells it to, so a form counts only with a
token that stands in our own pages, beside what the guard demands.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web

from auditd.web.guard import Guard
from auditd.web.pages.language import message
from auditd.web.pages.page_error import PageError, said_on_the_page

_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 32
_BODY_SECONDS = 10.0
TOKEN_FIELD = "token"  # noqa: S105 - the name of the field

OUTDATED = message(
    "This form was made before the daemon started anew, or it was changed on the way."
    " Nothing was done; send it once more."
)


class Forms:
    """Makes tokens and reads forms.

    Args:
        guard: decides who may change something.
        key: at least 32 random bytes; those who show the same pages have the same.
    """

    def __init__(self, guard: Guard, key: bytes) -> None:
        self._guard = guard
        self._key = key

    def token(self, purpose: str) -> str:
        """For the forms that do one thing."""
        return hmac.new(self._key, purpose.encode(), "sha256").hexdigest()

    async def read(self, request: web.Request) -> Mapping[str, str]:
        """The fields of a form, each once; those that browsers leave out are missing.

        Raises:
            PageError: it is no form, or too long, or takes longer than 10 s to come.
        """
        if request.content_type != _TYPE:
            msg = f"the header Content-Type must be {_TYPE}"
            raise PageError(msg, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            msg = f"the form did not come within {_BODY_SECONDS:g} s"
            raise PageError(msg, HTTPStatus.REQUEST_TIMEOUT) from None
        except web.HTTPRequestEntityTooLarge:
            msg = "the form is too long"
            raise PageError(msg, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
        except web.RequestPayloadError:
            msg = "the form is not encoded as its headers say"
            raise PageError(msg) from None
        try:
            text = body.decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            msg = "the form cannot be read"
            raise PageError(msg) from None
        return {name: value.replace("\r\n", "\n") for name, value in pairs}

    def check(self, request: web.Request, fields: Mapping[str, str], purpose: str) -> None:
        """Accept a form that somebody who may change things sent from a page of ours.

        Raises:
            PageError: 403; it is no such form.
        """
        with said_on_the_page():
            self._guard.check_caller(request)
        given = fields.get(TOKEN_FIELD, "").encode()
        if not hmac.compare_digest(given, self.token(purpose).encode()):
            raise PageError(OUTDATED, HTTPStatus.FORBIDDEN)


def see_other(url: str) -> web.Response:
    """After a form was done: the browser loads a page, which can be loaded again."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": url})
