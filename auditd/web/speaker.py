"""HTTP on one connection, with other words than the library's where clients make mistakes."""

from __future__ import annotations

import logging
from typing import Any, cast

from aiohttp import ClientConnectionResetError, hdrs, web

from auditd.web.door import Door
from auditd.web.headers import complete

_LOGGER = logging.getLogger(__name__)


class Speaker(web.RequestHandler):
    """Speaks HTTP behind a door. `options` are those of aiohttp's."""

    __slots__ = ("door",)

    def __init__(self, door: Door, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self.door = door

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place free too."""
        super().connection_lost(exc)
        self.door.leave()

    def data_received(self, data: bytes) -> None:
        """Read a request, or hang up on an address that the library fails at.

        Source: https://github.com/aio-libs/yarl/issues/1485; can go when that is closed.
        """
        try:
            super().data_received(data)
        except IndexError:
            _LOGGER.debug("A connection was closed: its request's address cannot be read")
            self.force_close()

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Tell of a failure, unless it is a body that is not what its headers say."""
        if not isinstance(more.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **more)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, or to what a page failed at.

        A client's mistake is no error of this program's, and quotes it. Neither is it one when a
        client leaves before its answer begins.

        Raises:
            ConnectionError: the client has left.
        """
        if isinstance(exc, ClientConnectionResetError):
            raise exc
        # aiohttp quotes an unknown header Expect, and fails at that when it is not UTF-8.
        is_unquotable = isinstance(exc, UnicodeEncodeError) and hdrs.EXPECT in request.headers
        if status == web.HTTPBadRequest.status_code or is_unquotable:
            _LOGGER.debug("%s sent what is no request: %s", request.remote, message)
            response = web.Response(
                status=web.HTTPBadRequest.status_code, text="400: Bad Request\n"
            )
            response.force_close()
        else:
            response = cast("web.Response", super().handle_error(request, status, exc, message))
        complete(response.headers)
        return response
