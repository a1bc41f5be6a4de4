"""What is wrong with a request for a page, said on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from auditd.web.api_answer import STATUSES, ApiError
from auditd.web.guard import RefusedError
from auditd.web.office import UnavailableError


class PageError(Exception):
    """The page cannot be shown, or what was asked for not be done. The message is shown."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def said_on_the_page() -> Iterator[None]:
    """Turns what guard, office and field checks raise into a PageError."""
    try:
        yield
    except ApiError as error:
        raise PageError(str(error), STATUSES[error.type]) from error
    except RefusedError as error:
        raise PageError(str(error), HTTPStatus.FORBIDDEN) from error
    except UnavailableError as error:
        raise PageError(str(error), HTTPStatus.SERVICE_UNAVAILABLE) from error
    except LookupError as error:
        raise PageError(str(error.args[0]), HTTPStatus.NOT_FOUND) from error
    except ValueError as error:
        raise PageError(str(error)) from error
