"""One request that was let in, and the operation that answers it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from auditd.simulator.caller import Caller
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError

BodyT = TypeVar("BodyT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """A request, its whole body and who sent it."""

    request: web.Request
    body: bytes
    caller: Caller

    @property
    def project_id(self) -> str:
        """The IAM project in the path, empty where there is none."""
        return self.request.match_info.get("project_id", "")

    def read(self, model: type[BodyT], refusal: RefusalError) -> BodyT:
        """The body as JSON of this shape. Raises `refusal` when it is not."""
        try:
            return model.model_validate_json(self.body)
        except ValidationError:
            raise refusal from None


Handler: TypeAlias = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call. `is_open` ones need no proof of who calls.

    A path with `{project_id}` admits only callers who may use that project.
    """

    name: OperationName
    method: str
    path: str
    handler: Handler
    is_open: bool = False


def to_answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer with the content type that the API reference prints."""
    content_type = {"Content-Type": "application/json;charset=utf8"}
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers=content_type | dict(headers or {})
    )
