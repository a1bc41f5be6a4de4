"""How a confidential option is written: its value as `name`, or a file of it as `name_file`."""

from __future__ import annotations

import builtins
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args, get_origin
from urllib.parse import SplitResult, urlsplit

from auditd.audit.plugin import Secret
from auditd.config.constraint import NOT_EMPTY, need_text
from auditd.config.form import Made, items
from auditd.config.node import Node
from auditd.config.reading import Form, Reading
from auditd.config.secret import InlineSecret, Keeper
from auditd.config.suggestion import one_of

_OTHERS_MAY_READ = 0o044
_WEB = frozenset({"http", "https"})
_VARIABLE = re.compile(r"\$[A-Z_][A-Z0-9_]*")
_NO_KEY = re.compile(r"https?://[^/@?]*(/[^/?]{0,15})*")
"""A web address without user info and query, and with nothing as long as a key in its path."""


@dataclass(frozen=True, slots=True)
class UrlSecret:
    """Marks, in an annotation, a secret that is an address with one of these beginnings."""

    beginnings: tuple[str, ...]

    def check(self, value: str) -> None:
        """Raises ValueError when it is none; the message does not quote it."""
        msg = f"expected an address that begins with {one_of(self.beginnings)}"
        try:
            url = urlsplit(value)
            is_complete = bool(
                url.hostname if url.scheme in _WEB else url.netloc or url.path.strip("/")
            )
            _ = url.port
        except ValueError:
            raise ValueError(msg) from None
        if not (value.startswith(self.beginnings) and is_complete and value == value.strip()):
            raise ValueError(msg)


def secret_forms(annotation: Any) -> tuple[Form[Any], Form[Any]] | None:
    """For a confidential option, what its value and what a file of it must be like.

    Several secrets (`tuple[Secret, ...]`) may be written as one or as a list. None when the
    annotation tells of no secret.
    """
    match get_origin(annotation), get_args(annotation):
        case ((typing.Union | types.UnionType), (inner, types.NoneType)):
            return secret_forms(inner)
        case typing.Annotated, (inner, UrlSecret() as url) if inner is Secret:
            return _made(partial(_inline, url)), _made(partial(_in_file, url))
        case builtins.tuple, (inner, _) if forms := secret_forms(inner):
            return _one_or_many(forms[0]), _one_or_many(forms[1])
    if annotation is Secret:
        return _made(partial(_inline, None)), _made(partial(_in_file, None))
    return None


def _made(read: Callable[[Node, Reading], Secret]) -> Form[Secret]:
    return Made(read, lambda _: {"type": "string"})


def _one_or_many(one: Form[Secret]) -> Form[tuple[Secret, ...]]:
    many = items(one)

    def read(node: Node, reading: Reading) -> tuple[Secret, ...]:
        NOT_EMPTY.apply(node.value)
        is_list = isinstance(node.value, list)
        return many.read(node, reading) if is_list else (one.read(node, reading),)

    return Made(read, lambda _: {"anyOf": [one.schema(_), many.schema(_)]})


def _inline(url: UrlSecret | None, node: Node, reading: Reading) -> Secret:
    value = need_text(node)
    if url:
        url.check(value)
        if not _is_confidential(urlsplit(value)):
            return InlineSecret(value)
    if _VARIABLE.fullmatch(value):
        reading.warn(node, "this is taken as it is; a variable of the environment is ${NAME}")
    is_exposed = not node.is_expanded and _others_may_read(node.place.file)
    if is_exposed and not _NO_KEY.fullmatch(value):
        reading.warn(
            node,
            "a secret in a file that others can read; chmod 600 the file, or use the key that"
            " ends in _file",
        )
    return _keeper(reading).keep(value)


def _in_file(url: UrlSecret | None, node: Node, reading: Reading) -> Secret:
    need_text(node)
    try:
        secret = _keeper(reading).keep_file(node.beside())
    except OSError as error:
        raise ValueError(str(error)) from None
    if url:
        url.check(secret.reveal())
    return secret


def _keeper(reading: Reading) -> Keeper:
    return cast("Keeper", reading.keeper)  # only project files have none, and they no secrets


def _is_confidential(url: SplitResult) -> bool:
    """Whether an address holds user info, or a path or query that may be a capability."""
    may_be_capability = url.scheme in _WEB and (url.path.strip("/") or url.query)
    return "@" in url.netloc or bool(may_be_capability)


def _others_may_read(file: str) -> bool:
    try:
        return bool(Path(file).stat().st_mode & _OTHERS_MAY_READ)
    except OSError:
        return False
