"""The ways in which the gateway, ServiceStage and IAM say no.

Source: the shapes are those of the gateway's, ServiceStage's and Keystone's error pages. The
gateway puts error_msg first and adds its request id; ServiceStage does neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web


class RefusalError(Exception):
    """An answer that is not what was asked for. Raised anywhere, rendered in one place."""

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any],
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        has_request_id: bool = False,
    ) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self._body = body
        self._headers = {"Content-Type": content_type} | dict(headers or {})
        self._has_request_id = has_request_id

    @classmethod
    def of_gateway(
        cls, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> RefusalError:
        """The API gateway in front of the service; `code` is the number after `APIGW.`."""
        body = {"error_msg": message, "error_code": f"APIGW.{code}"}
        return cls(status, body, headers=headers, has_request_id=True)

    @classmethod
    def of_authentication(cls, reason: str) -> RefusalError:
        """401 of the gateway with one of its documented reasons."""
        return cls.of_gateway(401, "0301", f"Incorrect IAM authentication information: {reason}")

    @classmethod
    def of_service(cls, status: int, code: str, message: str) -> RefusalError:
        """ServiceStage's repository API; `code` is the number after `SVCSTG.REPO.`."""
        body = {"error_code": f"SVCSTG.REPO.{code}", "error_msg": message}
        return cls(status, body, content_type="application/json;charset=utf8")

    @classmethod
    def of_keystone(cls, status: int, message: str) -> RefusalError:
        """IAM's Keystone part, where the code is a number."""
        body = {"error": {"message": message, "code": status, "title": HTTPStatus(status).phrase}}
        return cls(status, body, content_type="application/json;charset=utf8")

    @classmethod
    def of_iam(cls, code: str, message: str) -> RefusalError:
        """400 of IAM's own part; `code` is for example `IAM.0011`."""
        body = {"error_code": code, "error_msg": message}
        return cls(400, body, content_type="application/json;charset=utf8")

    def to_response(self, request_id: str) -> web.Response:
        """The answer, with the id where this kind of refusal tells it."""
        body = {**self._body, "request_id": request_id} if self._has_request_id else self._body
        headers = self._headers | {"X-Request-Id": request_id}
        return web.Response(status=self.status, body=json.dumps(body).encode(), headers=headers)
