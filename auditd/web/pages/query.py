"""The parameters of a page's address, read so that a wrong one is told and an unknown one not."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from auditd.web.pages.page_error import PageError

_LONGEST = 300
_HIGHEST = 2**53

_E = TypeVar("_E", bound=StrEnum)


def text_of(request: web.Request, name: str) -> str:
    """One text; empty when it is not given.

    Raises:
        PageError: it is longer than any name.
    """
    text = request.query.get(name, "")
    if len(text) > _LONGEST:
        msg = f"{name}: must not be longer than {_LONGEST} characters"
        raise PageError(msg)
    return text.encode(errors="replace").decode()


def choice_of(request: web.Request, name: str, choices: type[_E]) -> _E | None:
    """One of a closed set; None when it is not given or empty.

    Raises:
        PageError: it is none of them.
    """
    text = text_of(request, name)
    try:
        return choices(text) if text else None
    except ValueError:
        msg = f"{name}: must be one of {', '.join(choices)}"
        raise PageError(msg) from None


def number_of(request: web.Request, name: str, default: int = 1) -> int:
    """A whole number from 1 on.

    Raises:
        PageError: it is none, or too high.
    """
    text = text_of(request, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _HIGHEST):
        msg = f"{name}: must be a whole number from 1 to {_HIGHEST}"
        raise PageError(msg)
    return int(text)
