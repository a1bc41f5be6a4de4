"""How the API answers: the envelope of Prometheus' HTTP API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus

import msgspec
from aiohttp import web

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
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


STATUSES: Mapping[ErrorType, HTTPStatus] = {
    ErrorType.BAD_DATA: HTTPStatus.BAD_REQUEST,
    ErrorType.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorType.TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    ErrorType.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorType.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorType.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ErrorType.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorType.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ApiError(Exception):
    """The request is not done. The message is shown to whoever asked."""

    def __init__(self, type_: ErrorType, message: str) -> None:
        super().__init__(message)
        self.type = type_


@contextmanager
def asking_the_office() -> Iterator[None]:
    """Turns what an office raises into errors of the API."""
    try:
        yield
    except UnavailableError as error:
        raise ApiError(ErrorType.UNAVAILABLE, str(error)) from error
    except LookupError as error:
        raise ApiError(ErrorType.NOT_FOUND, str(error.args[0])) from error
    except ValueError as error:
        raise ApiError(ErrorType.BAD_DATA, str(error)) from error


def success(data: object, following: str | None = None) -> web.Response:
    """What was asked for; `following` is where the next page begins."""
    document = {"status": "success", "data": data}
    return bare(document if following is None else {**document, "next": following})


def failure(type_: ErrorType, message: str) -> web.Response:
    """Why it is not done."""
    text = message[:_LONGEST_MESSAGE].encode(errors="replace").decode()  # no lone surrogates
    document = {"status": "error", "errorType": type_, "error": text}
    return bare(document, STATUSES[type_])


def bare(document: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """A document as it is; bytes are one already."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return web.Response(status=status, body=body, content_type=_CONTENT_TYPE)
