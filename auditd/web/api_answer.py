"""How the API answers: the envelope of Prometheus' HTTP API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus

import msgspec
from aiohttp import web

from auditd.web.guard import RefusedError
from auditd.web.office import UnavailableError

_LONGEST_MESSAGE = 512
_CONTENT_TYPE = "application/json"


class ErrorType(StrEnum):
    """The closed set behind `errorType`."""

    BAD_DATA = "bad_data"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"


_STATUSES = {
    ErrorType.BAD_DATA: HTTPStatus.BAD_REQUEST,
    ErrorType.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorType.TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    ErrorType.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorType.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorType.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ApiError(Exception):
    """The request is not done. The message is shown to whoever asked."""

    def __init__(self, type_: ErrorType, message: str) -> None:
        super().__init__(message)
        self.type = type_


def answering(
    handler: Callable[[web.Request], Awaitable[object]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler whose result is sent as the `data` of a success; None is `null`."""

    async def answer(request: web.Request) -> web.Response:
        try:
            data = await handler(request)
        except RefusedError as error:
            return _failure(ErrorType.FORBIDDEN, str(error))
        except ApiError as error:
            return _failure(error.type, str(error))
        return _answer(HTTPStatus.OK, {"status": "success", "data": data})

    return answer


@contextmanager
def asking_the_office() -> Iterator[None]:
    """Turns what the office raises into errors of the API."""
    try:
        yield
    except UnavailableError as error:
        raise ApiError(ErrorType.UNAVAILABLE, str(error)) from error
    except LookupError as error:
        raise ApiError(ErrorType.NOT_FOUND, str(error)) from error
    except ValueError as error:
        raise ApiError(ErrorType.BAD_DATA, str(error)) from error


def _failure(type_: ErrorType, message: str) -> web.Response:
    text = message[:_LONGEST_MESSAGE].encode(errors="replace").decode()  # no lone surrogates
    return _answer(_STATUSES[type_], {"status": "error", "errorType": type_, "error": text})


def _answer(status: HTTPStatus, document: object) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(status=status, body=body, content_type=_CONTENT_TYPE)
